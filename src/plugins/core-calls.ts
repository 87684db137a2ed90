import { HostError } from '../base/errors.js'
import { coreLimits } from '../base/limits/content.js'
import { callDepthOf } from '../capabilities/call-depth.js'
import { type CoreTablePolicy, corePolicy } from '../capabilities/core/policy.js'
import {
  type CoreAnswer,
  type CoreFilter,
  type CoreFunction,
  type CoreInsert,
  type CoreSelect,
  type CoreUpdate,
  coreFunctions,
} from '../capabilities/core/wire.js'
import type { ContentService } from '../content/content-service.js'
import type { HookContext, HookRow } from '../content/hook-runner.js'
import type { RowCondition } from '../content/row-condition.js'
import { type ContentTable, isContentTable, type ReadableTable } from '../content/table-catalogue.js'
import type { HostAsk } from '../sandbox/generation.js'
import {
  coreHooksTooDeep,
  coreNotAccessible,
  coreNotApproved,
  coreReadOnly,
  coreResultTooLarge,
  coreRowFailed,
  coreTooManyRows,
  coreWithoutApproval,
} from './core-errors.js'
import { CoreScope } from './core-scope.js'
import type { GrantDirectory } from './plugin-directory.js'
import { ReadPace } from './read-pace.js'

/** What the calls of plugins act on. */
export interface CoreCallsOptions {
  readonly directory: GrantDirectory
  readonly content: ContentService
}

/** Answers one question of a plugin. */
export type CoreCall = (ask: HostAsk) => Promise<CoreAnswer>

/**
 * Creates the answers to the questions of the Lua module `core`, by topic. Each checks the policy of the table and
 * the approval of the plugin anew, so that a revoked approval ends at once.
 */
export function createCoreCalls(options: CoreCallsOptions): ReadonlyMap<string, CoreCall> {
  const calls = new CoreCalls(options)
  return new Map(
    coreFunctions.map((name) => [`core.${name}`, (ask: HostAsk) => answered(() => calls[name](ask))]),
  )
}

/** An expected failure is a plain one for the plugin; a mistake of the host is not its business. */
async function answered(act: () => Promise<unknown>): Promise<CoreAnswer> {
  try {
    return { ok: true, json: JSON.stringify(await act()) ?? 'null' }
  } catch (error) {
    if (error instanceof HostError && (error.status < 500 || error.status === 503)) {
      return { ok: false, message: error.message }
    }
    throw error
  }
}

class CoreCalls implements Readonly<Record<CoreFunction, (ask: HostAsk) => Promise<unknown>>> {
  readonly #directory: GrantDirectory
  readonly #content: ContentService
  readonly #pace = new ReadPace()

  constructor({ directory, content }: CoreCallsOptions) {
    this.#directory = directory
    this.#content = content
  }

  query(ask: HostAsk): Promise<unknown> {
    const given = ask.payload as CoreSelect
    return this.#select(ask, given, given.limit)
  }

  async query_one(ask: HostAsk): Promise<unknown> {
    const [row] = await this.#select(ask, { ...(ask.payload as CoreSelect), offset: 0 }, 1)
    return row
  }

  count(ask: HostAsk): Promise<unknown> {
    return this.#count(ask, Number.MAX_SAFE_INTEGER)
  }

  async exists(ask: HostAsk): Promise<unknown> {
    return (await this.#count(ask, 1)) > 0
  }

  async insert(ask: HostAsk): Promise<unknown> {
    const { table } = this.#open(ask, 'write')
    const values = JSON.parse((ask.payload as CoreInsert).values)
    const row = await this.#content.writer.create(table as ContentTable, values, contextOf(ask))
    return row.id
  }

  update(ask: HostAsk): Promise<unknown> {
    const { table, scope } = this.#open(ask, 'write')
    const given = ask.payload as CoreUpdate
    const set = JSON.parse(given.set)
    const context = contextOf(ask)
    return this.#forEachRow(ask, table, scope.condition(given), (id, version) =>
      this.#content.writer.update(table as ContentTable, id, set, 'merge', { version }, context),
    )
  }

  delete(ask: HostAsk): Promise<unknown> {
    const { table, scope } = this.#open(ask, 'write')
    const context = contextOf(ask)
    return this.#forEachRow(ask, table, scope.condition(ask.payload as CoreFilter), (id, version) =>
      this.#content.writer.remove(table as ContentTable, id, { version }, context),
    )
  }

  async #count(ask: HostAsk, max: number): Promise<number> {
    const { table, scope } = this.#open(ask, 'read')
    const where = scope.condition(ask.payload as CoreFilter)
    return this.#read(ask, () => this.#content.reader.count(table, where, max))
  }

  #read<T>({ plugin, timeLeftMs }: HostAsk, read: () => Promise<T>): Promise<T> {
    return this.#pace.run(plugin, timeLeftMs, read)
  }

  async #select(ask: HostAsk, given: CoreSelect, limit: number): Promise<readonly HookRow[]> {
    const { table, scope } = this.#open(ask, 'read')
    const selection = {
      where: scope.condition(given),
      orderBy: scope.order(given.orderBy),
      limit,
      offset: given.offset,
      bytesMax: coreLimits.resultBytesMax,
    }
    const columns = scope.columns(given.columns)
    const { rows, isCut } = await this.#read(ask, () => this.#content.reader.rows(table, selection))
    if (isCut) throw coreResultTooLarge({ limit: coreLimits.resultBytesMax })
    return rows.map((row) => Object.fromEntries(columns.map((column) => [column, row[column]])))
  }

  /** Writes rows one by one, each with its hooks; gives how many. */
  async #forEachRow(
    ask: HostAsk,
    table: ReadableTable,
    where: RowCondition | undefined,
    write: (id: string, version: number) => Promise<unknown>,
  ): Promise<number> {
    const { writeRowsMax: limit } = coreLimits
    const rows = await this.#read(ask, () =>
      this.#content.reader.versions(table as ContentTable, where, limit + 1),
    )
    if (rows.length > limit) throw coreTooManyRows({ table, limit })
    let done = 0
    for (const { id, version } of rows) {
      try {
        await write(id, version)
      } catch (error) {
        if (done === 0 || !(error instanceof HostError) || error.status >= 500) throw error
        throw coreRowFailed({ done, count: rows.length, reason: error.message }, { cause: error })
      }
      done += 1
    }
    return done
  }

  /** Checks that the plugin may do this with the table. */
  #open(ask: HostAsk, access: 'read' | 'write'): { table: ReadableTable; scope: CoreScope } {
    const { table } = ask.payload as CoreFilter
    const policy = policyOf(table)
    if (policy === undefined) throw coreNotAccessible({ table: table.slice(0, 80) })
    if (access === 'write' && !(policy.isWritable && isContentTable(table))) throw coreReadOnly({ table })
    const { plugin, generation } = ask
    const grants = this.#directory.grantsOf(plugin, generation)
    if (!grants.isApproved('core', `${table}:${access}`)) {
      const other = access === 'read' ? 'write' : 'read'
      const hasOther = grants.isApproved('core', `${table}:${other}`)
      throw (hasOther ? coreNotApproved : coreWithoutApproval)({ plugin, table, access })
    }
    if (access === 'write' && callDepthOf(ask).depth > coreLimits.hookDepthMax) {
      throw coreHooksTooDeep({ limit: coreLimits.hookDepthMax })
    }
    return { table: table as ReadableTable, scope: new CoreScope(table as ReadableTable, policy) }
  }
}

function policyOf(table: string): CoreTablePolicy | undefined {
  return Object.hasOwn(corePolicy, table) ? corePolicy[table] : undefined
}

function contextOf(ask: HostAsk): HookContext {
  const { depth, requestId } = callDepthOf(ask)
  return { requestId, actor: `plugin:${ask.plugin}`, depth }
}
