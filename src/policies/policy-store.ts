import type { Transaction } from 'kysely'
import { policyLimits } from '../base/limits/policies.js'
import type { CoreDatabase } from '../database/database.js'
import type { PolicyChange } from '../database/policy-tables.js'
import type { CoreTables } from '../database/tables.js'

/** A policy as it stands in the database. */
export interface StoredPolicy {
  readonly id: string
  /** From 1. */
  readonly version: number
  /** Of the last change of any policy; rises with each. */
  readonly sequence: number
  /** JSON. */
  readonly text: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Milliseconds since 1970. */
  readonly changedAt: number
  readonly changedBy: string
}

/** A version of a policy as it stands in the database. */
export interface StoredVersion {
  readonly version: number
  readonly change: PolicyChange
  /** Milliseconds since 1970. */
  readonly changedAt: number
  readonly changedBy: string
  /** JSON; undefined when the policy was deleted. */
  readonly text: string | undefined
}

/** Who changes a policy, how and when. */
export interface ChangeNote {
  readonly change: PolicyChange
  readonly by: string
  /** Milliseconds since 1970. */
  readonly atMs: number
}

/** What the policies in the database come to. */
export interface StoredSize {
  readonly count: number
  readonly bytes: number
}

/**
 * Makes the next version of a policy. It may be called again, and what it throws leaves everything as it is.
 *
 * @param present Undefined when there is no such policy.
 * @param others What all other policies come to.
 * @returns JSON of the policy; undefined deletes it.
 */
export type NextVersion = (present: StoredPolicy | undefined, others: StoredSize) => string | undefined

/** Reads what is stored; undefined when it is no JSON, as somebody else has written it. */
export function parseStored(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

type Db = Pick<Transaction<CoreTables>, 'selectFrom' | 'insertInto' | 'deleteFrom'>

/** Keeps the policies that admins add, and their last versions. */
export class PolicyStore {
  readonly #database: CoreDatabase

  constructor(database: CoreDatabase) {
    this.#database = database
  }

  /** Gives a number that rises with every change; 0 before the first one. */
  async sequence(): Promise<number> {
    const row = await this.#database.withBusyRetry((kysely) =>
      kysely
        .selectFrom('policy_history')
        .select('sequence')
        .orderBy('sequence', 'desc')
        .limit(1)
        .executeTakeFirst(),
    )
    return row?.sequence ?? 0
  }

  async ids(): Promise<ReadonlySet<string>> {
    const rows = await this.#database.withBusyRetry((kysely) =>
      kysely.selectFrom('policies').select('id').execute(),
    )
    return new Set(rows.map(({ id }) => id))
  }

  /** Gives the policies whose last change came after the one of this number; all of them for 0. */
  async changedSince(sequence: number): Promise<readonly StoredPolicy[]> {
    const rows = await this.#database.withBusyRetry((kysely) =>
      kysely.selectFrom('policies').selectAll().where('sequence', '>', sequence).execute(),
    )
    return rows.map(toStored)
  }

  /** Gives the versions of a policy that are kept, the newest first. */
  async history(id: string): Promise<readonly StoredVersion[]> {
    const rows = await this.#database.withBusyRetry((kysely) =>
      kysely
        .selectFrom('policy_history')
        .selectAll()
        .where('policy_id', '=', id)
        .orderBy('version', 'desc')
        .limit(policyLimits.historyMax)
        .execute(),
    )
    return rows.map((row) => ({
      version: row.version,
      change: row.change,
      changedAt: row.changed_at,
      changedBy: row.changed_by,
      text: row.policy_json ?? undefined,
    }))
  }

  /** Creates, changes or deletes a policy in one transaction, with a version in its history. */
  async write(id: string, note: ChangeNote, next: NextVersion): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      const present = await findOne(transaction, id)
      const text = next(present, await sizeWithout(transaction, id))
      await writeVersion(transaction, id, note, text, present)
    })
  }

  /**
   * Creates policies where there are none of their ids: all of them, or none when there is no room.
   *
   * @param onlyIfEmpty True creates all when there is no policy at all, else none. False leaves out those that were
   *   created so before, as somebody has deleted them since.
   * @param check Throws when there is no room for what all policies would come to.
   * @returns How many were created.
   */
  plant(
    seeds: readonly { readonly id: string; readonly text: string }[],
    onlyIfEmpty: boolean,
    note: ChangeNote,
    check: (size: StoredSize) => void,
  ): Promise<number> {
    return this.#database.transaction(async (transaction) => {
      const { count } = await sizeWithout(transaction, undefined)
      if (onlyIfEmpty && count > 0) return 0
      let planted = 0
      for (const { id, text } of seeds) {
        const present = await findOne(transaction, id)
        if (present !== undefined || (!onlyIfEmpty && (await wasPlanted(transaction, id)))) continue
        await writeVersion(transaction, id, note, text, undefined)
        await transaction
          .insertInto('policy_seeds')
          .values({ policy_id: id, seeded_at: note.atMs })
          .onConflict((conflict) => conflict.column('policy_id').doNothing())
          .execute()
        planted += 1
      }
      if (planted > 0) check(await sizeWithout(transaction, undefined))
      return planted
    })
  }
}

async function findOne(db: Db, id: string): Promise<StoredPolicy | undefined> {
  const row = await db.selectFrom('policies').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : toStored(row)
}

async function sizeWithout(db: Db, id: string | undefined): Promise<StoredSize> {
  const { count, bytes } = await db
    .selectFrom('policies')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number | null>('bytes').as('bytes')])
    .where('id', 'is not', id ?? null)
    .executeTakeFirstOrThrow()
  return { count, bytes: bytes ?? 0 }
}

async function wasPlanted(db: Db, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('policy_seeds')
    .select('policy_id')
    .where('policy_id', '=', id)
    .executeTakeFirst()
  return row !== undefined
}

async function writeVersion(
  db: Db,
  id: string,
  { change, by, atMs }: ChangeNote,
  text: string | undefined,
  present: StoredPolicy | undefined,
): Promise<void> {
  // A deleted policy leaves its number: a change meant for it must not hit one of the same id.
  const version = 1 + (present?.version ?? (await lastVersion(db, id)))
  const noted = { changed_at: atMs, changed_by: by.slice(0, policyLimits.changedByCharactersMax) }
  const { sequence } = await db
    .insertInto('policy_history')
    .values({ policy_id: id, version, change, ...noted, policy_json: text ?? null })
    .returning('sequence')
    .executeTakeFirstOrThrow()
  if (text === undefined) await db.deleteFrom('policies').where('id', '=', id).execute()
  else {
    const row = { version, sequence, bytes: Buffer.byteLength(text), ...noted, policy_json: text }
    await db
      .insertInto('policies')
      .values({ id, created_at: atMs, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute()
  }
  await forget(db, id, version, sequence)
}

async function lastVersion(db: Db, id: string): Promise<number> {
  const { last } = await db
    .selectFrom('policy_history')
    .select(({ fn }) => fn.max('version').as('last'))
    .where('policy_id', '=', id)
    .executeTakeFirstOrThrow()
  return last ?? 0
}

async function forget(db: Db, id: string, version: number, sequence: number): Promise<void> {
  const { historyMax, historyRowsMax } = policyLimits
  await db
    .deleteFrom('policy_history')
    .where('policy_id', '=', id)
    .where('version', '<=', version - historyMax)
    .execute()
  await db
    .deleteFrom('policy_history')
    .where('sequence', '<=', sequence - historyRowsMax)
    .execute()
}

function toStored(row: {
  readonly id: string
  readonly version: number
  readonly sequence: number
  readonly policy_json: string
  readonly created_at: number
  readonly changed_at: number
  readonly changed_by: string
}): StoredPolicy {
  return {
    id: row.id,
    version: row.version,
    sequence: row.sequence,
    text: row.policy_json,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    changedBy: row.changed_by,
  }
}
