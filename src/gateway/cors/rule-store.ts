import type { Selectable } from 'kysely'
import { messageOf } from '../../base/errors.js'
import type { CoreDatabase } from '../../database/database.js'
import type { GatewayCorsRulesTable } from '../../database/gateway-tables.js'
import type { GatewayLog } from '../pipeline.js'
import type { CorsRule } from './rule.js'
import { readRule } from './rule-reader.js'

/** The rules of admins, as the database keeps them. */
export class CorsRuleStore {
  readonly #database: CoreDatabase
  readonly #log: GatewayLog
  /** What stood there at the last reading; undefined once it was written to. */
  #seen: string | undefined

  constructor(database: CoreDatabase, log: GatewayLog) {
    this.#database = database
    this.#log = log
  }

  /**
   * All rules in their order, when something else stands in the database than at the last reading; undefined otherwise.
   * One that cannot be read is named in the log and lets nobody in.
   */
  async news(): Promise<readonly CorsRule[] | undefined> {
    const rows = await this.#database.withBusyRetry((kysely) =>
      kysely.selectFrom('gateway_cors_rules').selectAll().orderBy('position').orderBy('id').execute(),
    )
    const seen = JSON.stringify(rows)
    if (seen === this.#seen) return undefined
    this.#seen = seen
    return rows.flatMap((row) => {
      try {
        return [fromRow(row)]
      } catch (error) {
        this.#log.error({ rule: row.id, error: messageOf(error) }, 'a stored CORS rule is not usable')
        return []
      }
    })
  }

  /** Adds a rule behind all others. */
  async add(rule: CorsRule): Promise<void> {
    this.#seen = undefined
    await this.#database.withBusyRetry((kysely) =>
      kysely
        .insertInto('gateway_cors_rules')
        .values(({ selectFrom, fn, lit, eb }) => ({
          ...toRow(rule),
          position: selectFrom('gateway_cors_rules').select(
            eb(fn.coalesce(fn.max('position'), lit(-1)), '+', lit(1)).as('next'),
          ),
        }))
        .execute(),
    )
  }

  /** Writes a rule over the one of the same id, in its place. */
  async replace(rule: CorsRule): Promise<void> {
    this.#seen = undefined
    await this.#database.withBusyRetry((kysely) =>
      kysely.updateTable('gateway_cors_rules').set(toRow(rule)).where('id', '=', rule.id).execute(),
    )
  }

  /** Removes a rule, also one that cannot be read; false when there is none of this id. */
  async remove(id: string): Promise<boolean> {
    this.#seen = undefined
    const { numDeletedRows } = await this.#database.withBusyRetry((kysely) =>
      kysely.deleteFrom('gateway_cors_rules').where('id', '=', id).executeTakeFirstOrThrow(),
    )
    return numDeletedRows > 0n
  }
}

function toRow(rule: CorsRule) {
  return {
    id: rule.id,
    name: rule.name,
    origins: JSON.stringify(rule.origins),
    methods: JSON.stringify(rule.methods),
    allowed_headers: JSON.stringify(rule.allowedHeaders),
    exposed_headers: JSON.stringify(rule.exposedHeaders),
    credentials: rule.credentials ? (1 as const) : (0 as const),
    max_age: rule.maxAge,
    created_at: rule.createdAt,
  }
}

function fromRow(row: Selectable<GatewayCorsRulesTable>): CorsRule {
  const content = readRule({
    name: row.name,
    origins: JSON.parse(row.origins),
    methods: JSON.parse(row.methods),
    allowedHeaders: JSON.parse(row.allowed_headers),
    exposedHeaders: JSON.parse(row.exposed_headers),
    credentials: row.credentials === 1,
    maxAge: row.max_age,
  })
  return { id: row.id, ...content, createdAt: row.created_at, source: 'database' }
}
