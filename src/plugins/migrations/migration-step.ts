import { performance } from 'node:perf_hooks'
import type { DbSession } from '../../capabilities/db/session.js'
import { findForeignStep } from './opcodes.js'
import { findForeignChange, readSchema } from './schema.js'
import type { CheckedStatement } from './sql-check.js'
import { account, adoptTables, dropStorageTriggers, measure, ownTables, register } from './table-care.js'
import { hostTables } from './table-rules.js'
import { isOwnTable } from './token-reader.js'

/** One migration that is to be applied, undone, or recorded without being run. */
export interface MigrationStep {
  readonly action: 'up' | 'down' | 'adopt'
  readonly version: number
  readonly description: string
  readonly checksum: string
  /** What is run; of `adopt` what is not. */
  readonly statements: readonly CheckedStatement[]
  /** Of `adopt`: only when there is this table, in lower case. */
  readonly ifTable?: string
}

/** What all steps of one order share. */
export interface StepTerms {
  readonly plugin: string
  /** Bytes that the plugin may store. */
  readonly quotaBytes: number
  /** Name of who ordered it. */
  readonly actor: string
}

/** How a step ended; `skipped` when another process, or an earlier order, had done it. */
export interface StepResult {
  readonly version: number
  readonly state: 'done' | 'skipped' | 'table_missing'
  readonly durationMs: number
}

/**
 * Carries out one step in one transaction with its row in `plugin_migrations`: all of it or nothing. Holds the write
 * lock meanwhile; who calls this bounds its time. The connection must not enforce foreign keys.
 *
 * @param locked Called when the lock is there.
 * @throws Error that says what failed; nothing has changed then.
 */
export function runStep(
  session: DbSession,
  terms: StepTerms,
  step: MigrationStep,
  locked?: () => void,
): StepResult {
  const { connection } = session
  connection.exec('begin immediate')
  try {
    locked?.()
    const startMs = performance.now()
    const state = carryOut(session, terms, step, startMs)
    connection.exec('commit')
    return { version: step.version, state, durationMs: Math.round(performance.now() - startMs) }
  } finally {
    if (connection.inTransaction) connection.exec('rollback')
  }
}

function carryOut(
  session: DbSession,
  terms: StepTerms,
  step: MigrationStep,
  startMs: number,
): StepResult['state'] {
  const { plugin } = terms
  // Looked at again now that nobody else can write: another process may have been faster.
  const known = session
    .host('select checksum from plugin_migrations where plugin_name = ? and version = ?')
    .get(plugin, step.version) as { checksum: string } | undefined
  if (step.action === 'adopt' && known?.checksum === step.checksum) return 'skipped'
  if (step.action === 'down' && known === undefined) return 'skipped'
  if (step.action === 'up' && known !== undefined) {
    if (known.checksum === step.checksum) return 'skipped'
    throw new Error('another SQL was applied under this version meanwhile')
  }
  if (step.ifTable !== undefined && !readSchema(session.connection).some(isTable(step.ifTable))) {
    return 'table_missing'
  }
  new StepRun(session, terms, step).run()
  const durationMs = step.action === 'adopt' ? 0 : Math.round(performance.now() - startMs)
  record(session, terms, step, durationMs)
  return 'done'
}

function isTable(name: string) {
  return (entry: { readonly type: string; readonly table: string }) =>
    entry.type === 'table' && entry.table === name
}

function record(
  session: DbSession,
  { plugin, actor }: StepTerms,
  { action, version, description, checksum }: MigrationStep,
  durationMs: number,
): void {
  if (action === 'down') {
    session.host('delete from plugin_migrations where plugin_name = ? and version = ?').run(plugin, version)
    return
  }
  session
    .host(
      `insert or replace into plugin_migrations
         (plugin_name, version, description, checksum, applied_at, applied_by, duration_ms, adopted)
         values (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      plugin,
      version,
      description,
      checksum,
      new Date().toISOString(),
      actor,
      durationMs,
      action === 'adopt' ? 1 : 0,
    )
}

/** The work of one step, and what it knows of the plugin's tables meanwhile. */
class StepRun {
  readonly #session: DbSession
  readonly #terms: StepTerms
  readonly #step: MigrationStep
  /** Columns that were declared, by the name of the table that there is now; in lower case. */
  readonly #declared: Map<string, string>
  readonly #own: Set<string>

  constructor(session: DbSession, terms: StepTerms, step: MigrationStep) {
    this.#session = session
    this.#terms = terms
    this.#step = step
    this.#declared = ownTables(session, terms.plugin)
    this.#own = new Set(this.#declared.keys())
  }

  run(): void {
    const session = this.#session
    const { plugin, quotaBytes } = this.#terms
    const before = readSchema(session.connection)
    const old = new Set(this.#own)
    const touched = this.#touched()
    const known = touched.filter((table) => old.has(table))
    const stored = measure(session, known)
    dropStorageTriggers(session, known)
    if (this.#step.action === 'adopt') this.#claim(touched)
    else this.#execute()
    const after = readSchema(session.connection)
    const foreign = findForeignChange(before, after, new Set([...old, ...this.#own]))
    if (foreign !== undefined) throw new Error(`it would change what is none of this plugin: ${foreign}`)
    const left = touched.filter((table) => this.#own.has(table))
    register(session, plugin, this.#own, this.#declared)
    adoptTables(session, plugin, left, this.#own)
    account(session, plugin, quotaBytes, stored, measure(session, left))
  }

  /** Tables that are made, changed or written to. */
  #touched(): readonly string[] {
    const names = this.#step.statements.flatMap(({ target, renamed }) => [target, renamed])
    const { ifTable } = this.#step
    return [...new Set([...names, ifTable])].filter((name) => name !== undefined)
  }

  /** Takes over tables that are there and belong to nobody. */
  #claim(tables: readonly string[]): void {
    const schema = readSchema(this.#session.connection)
    for (const table of tables) {
      if (this.#own.has(table) || !schema.some(isTable(table))) continue
      this.#assertFree(table)
      // Triggers that others have put on it would run unseen.
      dropStorageTriggers(this.#session, [table])
      this.#own.add(table)
    }
  }

  #execute(): void {
    for (const [at, statement] of this.#step.statements.entries()) {
      try {
        this.#assertAllowed(statement)
        this.#session.connection.prepare(statement.sql).run()
        if (!this.#session.connection.inTransaction) throw new Error('it ended the transaction')
        this.#follow(statement)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        const beginning = statement.sql.slice(0, 60)
        throw new Error(`statement ${at + 1} (line ${statement.line}, ${beginning}): ${reason}`, {
          cause: error,
        })
      }
    }
  }

  /** The last look before a statement runs, at the database as it is at this moment. */
  #assertAllowed({ kind, sql, target, renamed, index, tables }: CheckedStatement): void {
    const schema = readSchema(this.#session.connection)
    for (const table of tables) {
      const isNew = (kind === 'create table' && table === target) || table === renamed
      if (isNew && !this.#own.has(table)) this.#assertFree(table)
      else if (!this.#own.has(table)) this.#assertAbsent(schema.some(isTable(table)), table, kind)
    }
    if (kind === 'drop index' && index !== undefined) {
      const entry = schema.find(({ type, name }) => type === 'index' && name.toLowerCase() === index)
      if (entry !== undefined && !this.#own.has(entry.table)) {
        throw new Error(`the index ${index} is none of this plugin`)
      }
    }
    if (kind !== 'write') return
    const foreign = findForeignStep(this.#session.connection, sql, this.#own)
    if (foreign !== undefined) throw new Error(`it is refused: ${foreign}`)
  }

  /** A table that is to be made must not be there, nor belong to another plugin. */
  #assertFree(table: string): void {
    if (hostTables.includes(table)) throw new Error(`the table ${table} belongs to the host`)
    if (!isOwnTable(this.#terms.plugin, table)) throw new Error(`${table} has not the prefix of this plugin`)
    const owner = this.#session
      .host('select plugin_name from plugin_tables where table_name = ?')
      .get(table) as { plugin_name: string } | undefined
    if (owner !== undefined && owner.plugin_name !== this.#terms.plugin) {
      throw new Error(`the name ${table} belongs to a table of another plugin; choose another`)
    }
    if (this.#step.action === 'adopt') return
    if (!readSchema(this.#session.connection).some(isTable(table))) return
    throw new Error(
      `there is a table ${table} already that no plugin made; \`modulacms plugin migrate adopt\` takes it over`,
    )
  }

  #assertAbsent(isThere: boolean, table: string, kind: CheckedStatement['kind']): void {
    if (isThere) throw new Error(`the table ${table} belongs to nobody or to another plugin`)
    // A foreign key may name a table that a later statement makes; DROP TABLE IF EXISTS one that is gone.
    if (kind === 'write' || kind === 'create index') throw new Error(`there is no table ${table}`)
  }

  #follow({ kind, target, renamed }: CheckedStatement): void {
    if (target === undefined) return
    if (kind === 'create table') this.#own.add(target)
    else if (kind === 'drop table') {
      this.#own.delete(target)
      this.#declared.delete(target)
    } else if (kind === 'rename table' && renamed !== undefined) {
      const columns = this.#declared.get(target)
      this.#own.delete(target)
      this.#own.add(renamed)
      this.#declared.delete(target)
      if (columns !== undefined) this.#declared.set(renamed, columns)
    }
  }
}
