import type { CoreDatabase } from '../../database/database.js'

/** A rule as it stands in the database. */
export interface StoredRule {
  readonly id: string
  readonly order: number
  /** What was stored; undefined when it is no JSON. */
  readonly fields: unknown
}

/** Keeps the rules that admins add. */
export class RuleStore {
  readonly #database: CoreDatabase

  constructor(database: CoreDatabase) {
    this.#database = database
  }

  /** All rules in their order; those with the same order by their ids. */
  async all(): Promise<readonly StoredRule[]> {
    const rows = await this.#database.withBusyRetry((kysely) =>
      kysely.selectFrom('proxy_rules').selectAll().orderBy('rule_order').orderBy('id').execute(),
    )
    return rows.map((row) => ({ id: row.id, order: row.rule_order, fields: parse(row.rule_json) }))
  }

  /** Adds a rule, or replaces what it says. */
  async save(id: string, order: number, fields: object): Promise<void> {
    const row = { rule_order: order, rule_json: JSON.stringify(fields) }
    await this.#database.withBusyRetry((kysely) =>
      kysely
        .insertInto('proxy_rules')
        .values({ id, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute(),
    )
  }

  /** Sets the order of rules: all of them or none. */
  async reorder(places: readonly { readonly id: string; readonly order: number }[]): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      for (const { id, order } of places) {
        await transaction.updateTable('proxy_rules').set({ rule_order: order }).where('id', '=', id).execute()
      }
    })
  }

  /** Deletes a rule, also one that cannot be used; false when there is none of this id. */
  async delete(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.withBusyRetry((kysely) =>
      kysely.deleteFrom('proxy_rules').where('id', '=', id).executeTakeFirstOrThrow(),
    )
    return numDeletedRows > 0n
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
