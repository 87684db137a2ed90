import { isDeepStrictEqual } from 'node:util'
import { sql, type Transaction } from 'kysely'
import { monotonicFactory } from 'ulid'
import type { CoreDatabase } from '../database/database.js'
import type { CoreTables } from '../database/tables.js'
import { ChangeLog } from './change-log.js'
import type { ContentReader } from './content-reader.js'
import {
  contentDatatypeChanged,
  contentHookResultInvalid,
  contentInvalid,
  contentNotFound,
  contentVersionConflict,
} from './errors.js'
import { FieldChecks } from './field-checks.js'
import type { HookContext, HookedWrite, HookRow, HookRunner, WriteEvent } from './hook-runner.js'
import { acceptHooked, changedColumns, newColumns, type RowInput, type UpdateMode } from './row-rules.js'
import { writeFailure } from './storage-errors.js'
import { type ContentTable, columnKind, tableShapes } from './table-catalogue.js'

/** What a change of a row says of the row that it was made for. */
export interface WriteOptions {
  /** Refuses the write when the row has another version; undefined takes whatever version there is. */
  readonly version?: number | undefined
}

/** A write whose before-hooks have run. */
interface ApprovedWrite {
  readonly table: ContentTable
  /** What is done, in this order: a change of the status is an event of its own beside the update. */
  readonly events: readonly WriteEvent[]
  readonly row: HookRow
  readonly old: HookRow | undefined
  /** The datatype that an entry was checked against. */
  readonly datatype: HookRow | undefined
}

/**
 * The only way in which rows of content change.
 *
 *   check ─▶ before-hooks ─▶ check again ─▶ [ same version? write, change event, after-hooks queued ] ─▶ after-hooks
 *                                            one short transaction
 *
 * No code of a plugin runs while a lock is held. All methods throw CONTENT_NOT_FOUND, CONTENT_INVALID,
 * CONTENT_VERSION_CONFLICT, CONTENT_DUPLICATE, CONTENT_HOOK_RESULT_INVALID, and what the hook runner throws.
 */
export class ContentWriter {
  readonly #database: CoreDatabase
  readonly #reader: ContentReader
  readonly #hooks: HookRunner
  readonly #fieldChecks = new FieldChecks()
  readonly #changes = new ChangeLog()
  /** Rows that are made in the same millisecond keep their order. */
  readonly #createId = monotonicFactory()

  constructor(database: CoreDatabase, reader: ContentReader, hooks: HookRunner) {
    this.#database = database
    this.#reader = reader
    this.#hooks = hooks
  }

  /** Adds a row; its author is the actor. */
  async create(table: ContentTable, input: RowInput, context: HookContext): Promise<HookRow> {
    const columns = newColumns(table, input)
    const now = timestamp()
    const row = ordered(table, {
      ...columns,
      id: this.#createId(),
      author: context.actor,
      version: 1,
      created_at: now,
      updated_at: now,
      published_at: null,
    })
    return this.#write('create', table, row, undefined, context)
  }

  /** Changes a row. A change of the status counts as publishing or archiving too. */
  async update(
    table: ContentTable,
    id: string,
    input: RowInput,
    mode: UpdateMode,
    options: WriteOptions,
    context: HookContext,
  ): Promise<HookRow> {
    const old = await this.#current(table, id, options)
    const columns = changedColumns(table, old, input, mode)
    return this.#write('update', table, next(table, old, columns), old, context)
  }

  /** Publishes or archives an entry, also one that is so already: its hooks run again. */
  async setStatus(
    status: 'published' | 'archived',
    id: string,
    options: WriteOptions,
    context: HookContext,
  ): Promise<HookRow> {
    const old = await this.#current('content_data', id, options)
    const event = status === 'published' ? 'publish' : 'archive'
    return this.#write(event, 'content_data', next('content_data', old, { status }), old, context)
  }

  /** Removes a row. */
  async remove(table: ContentTable, id: string, options: WriteOptions, context: HookContext): Promise<void> {
    const old = await this.#current(table, id, options)
    await this.#hooks.before({ event: 'delete', table, row: old, old }, context)
    await this.#commit({ table, events: ['delete'], row: old, old, datatype: undefined }, context)
  }

  async #current(table: ContentTable, id: string, { version }: WriteOptions): Promise<HookRow> {
    const row = await this.#reader.get(table, id)
    if (row === undefined) throw contentNotFound({ what: `row of ${table}`, id: id.slice(0, 80) })
    if (version !== undefined && version !== row.version) {
      throw contentVersionConflict({ table, id, expected: version })
    }
    return row
  }

  async #write(
    event: WriteEvent,
    table: ContentTable,
    proposed: HookRow,
    old: HookRow | undefined,
    context: HookContext,
  ): Promise<HookRow> {
    const isStatusEvent = event === 'publish' || event === 'archive'
    await this.#checkFields(table, proposed, old, event, (problems) => contentInvalid({ problems }))
    const events: WriteEvent[] = [event]
    let row = stamped(table, proposed, old, isStatusEvent)
    row = await this.#before({ event, table, row, old }, isStatusEvent ? ['status'] : [], context)
    // Looked at after the hooks: one that publishes must not get around those that guard publishing.
    const change = isStatusEvent ? undefined : statusChange(table, row, old)
    if (change !== undefined) {
      events.push(change)
      row = stamped(table, row, old, false)
      row = await this.#before({ event: change, table, row, old }, ['status'], context)
    }
    const toError = (problems: string) => contentHookResultInvalid({ problems })
    const datatype = await this.#checkFields(table, row, old, event, toError)
    row = stamped(table, row, old, isStatusEvent)
    await this.#commit({ table, events, row, old, datatype }, context)
    return row
  }

  async #before(write: HookedWrite, locked: readonly string[], context: HookContext): Promise<HookRow> {
    const result = await this.#hooks.before(write, context)
    return acceptHooked(write.table as ContentTable, write.row, result, locked)
  }

  /**
   * Gives the datatype whose schema the fields satisfy; undefined where nothing has to be checked. An entry that has
   * stayed behind a stricter schema can still be archived or renamed, but not published.
   */
  async #checkFields(
    table: ContentTable,
    row: HookRow,
    old: HookRow | undefined,
    event: WriteEvent,
    toError: (problems: string) => Error,
  ): Promise<HookRow | undefined> {
    if (table !== 'content_data' || !needsFieldCheck(row, old, event)) return undefined
    const datatype = await this.#reader.datatype(String(row.datatype))
    if (datatype === undefined) throw toError(`datatype "${row.datatype}" does not exist`)
    const problem = this.#fieldChecks.problemOf(datatype, row.fields)
    if (problem !== undefined) throw toError(problem)
    return datatype
  }

  async #commit(write: ApprovedWrite, context: HookContext): Promise<void> {
    const { table, events, row, old } = write
    try {
      await this.#database.transaction(async (transaction) => {
        await store(transaction, write)
        const now = timestamp()
        for (const event of events) {
          const hooked: HookedWrite = { event, table, row, old }
          await this.#changes.record(transaction, hooked, context, now)
          await this.#hooks.enqueue(transaction, hooked, context)
        }
      })
    } catch (error) {
      throw writeFailure(error, table, row)
    }
    this.#hooks.committed()
  }
}

/** Writes the row itself, if it is still the one that the hooks have seen. */
async function store(transaction: Transaction<CoreTables>, write: ApprovedWrite): Promise<void> {
  const { table, events, row, old, datatype } = write
  if (datatype !== undefined) await expectDatatype(transaction, datatype)
  const values = Object.entries(row).map(
    ([column, value]) => [column, toStored(table, column, value)] as const,
  )
  if (old === undefined) {
    const columns = sql.join(values.map(([column]) => sql.id(column)))
    const bound = sql.join(values.map(([, value]) => sql`${value}`))
    await sql`insert into ${sql.table(table)} (${columns}) values (${bound})`.execute(transaction)
    return
  }
  const same = sql`where id = ${old.id} and version = ${old.version}`
  const set = sql.join(values.map(([column, value]) => sql`${sql.id(column)} = ${value}`))
  const statement = events.includes('delete')
    ? sql`delete from ${sql.table(table)} ${same}`
    : sql`update ${sql.table(table)} set ${set} ${same}`
  const { numAffectedRows } = await statement.execute(transaction)
  if (numAffectedRows !== 1n) {
    throw contentVersionConflict({ table, id: String(old.id), expected: Number(old.version) })
  }
}

async function expectDatatype(transaction: Transaction<CoreTables>, datatype: HookRow): Promise<void> {
  const { id, version, name } = datatype as { id: string; version: number; name: string }
  const found = await transaction
    .selectFrom('datatypes')
    .select('version')
    .where('id', '=', id)
    .executeTakeFirst()
  if (found?.version !== version) throw contentDatatypeChanged({ datatype: name })
}

function toStored(table: ContentTable, column: string, value: unknown): unknown {
  return columnKind(table, column) === 'json' ? JSON.stringify(value) : value
}

function next(table: ContentTable, old: HookRow, columns: HookRow): HookRow {
  return ordered(table, { ...old, ...columns, version: Number(old.version) + 1, updated_at: timestamp() })
}

/** Gives the columns of a row in the order of the catalogue, and only those. */
function ordered(table: ContentTable, row: HookRow): HookRow {
  return Object.fromEntries(Object.keys(tableShapes[table].columns).map((column) => [column, row[column]]))
}

/** Notes when an entry was published: with each change to that status, and each time it is published again. */
function stamped(table: ContentTable, row: HookRow, old: HookRow | undefined, isAgain: boolean): HookRow {
  if (table !== 'content_data') return row
  const isNew = row.status === 'published' && (isAgain || old?.status !== 'published')
  return { ...row, published_at: isNew ? row.updated_at : (old?.published_at ?? null) }
}

function needsFieldCheck(row: HookRow, old: HookRow | undefined, event: WriteEvent): boolean {
  if (old === undefined || row.datatype !== old.datatype) return true
  const isPublished = row.status === 'published' && (event === 'publish' || old.status !== 'published')
  return isPublished || !isDeepStrictEqual(row.fields, old.fields)
}

function statusChange(
  table: ContentTable,
  row: HookRow,
  old: HookRow | undefined,
): 'publish' | 'archive' | undefined {
  if (table !== 'content_data' || row.status === old?.status) return undefined
  if (row.status === 'published') return 'publish'
  return row.status === 'archived' ? 'archive' : undefined
}

/** RFC 3339 in UTC with milliseconds. */
function timestamp(): string {
  return new Date().toISOString()
}
