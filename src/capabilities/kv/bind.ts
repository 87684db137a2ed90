import { HostError } from '../../base/errors.js'
import type { CountedOperation } from '../../kv/call-counts.js'
import { failure, LuaRaise, type LuaValue, type Results } from '../../sandbox/lua-value.js'
import { type Phase, storagePhases } from '../../sandbox/phase.js'
import { DbFailure } from '../db/failure.js'
import type { DbSession, SessionLookup } from '../db/session.js'
import { currentTransaction, inSavepoint, noticeLostTransaction } from '../db/transaction.js'
import type { Call, FunctionDefinition, ParamDoc, ReturnDoc } from '../define.js'
import type { KvServices } from '../services.js'
import { type Access, approvedNamespace, ownNamespace } from './access.js'
import { KvFailure } from './failure.js'
import { inLuaNames } from './options.js'
import type { KvConnection, KvLookup } from './session.js'

/** Phases in which a plugin may use the store. */
export const kvPhases: readonly Phase[] = storagePhases

/** What the functions find their stores with. */
export interface KvLookups {
  readonly kv: KvLookup
  /** Of the module `db`, whose transactions this one joins. */
  readonly database: SessionLookup
}

/** One use of a namespace by one call of a plugin. */
export interface KvUse extends KvConnection {
  readonly call: Call
  readonly namespace: string
  readonly database: DbSession
}

/** A function of the module that uses a namespace. */
export interface KvFunction {
  readonly name: string
  /** What messages call it; `name` when missing. */
  readonly title?: string
  readonly doc: string
  readonly params: readonly ParamDoc[]
  readonly returns: readonly ReturnDoc[]
  readonly example?: string
  /** Operations; 1 when missing. */
  readonly cost?: number
  /** What it does with the namespace, which matters where that is shared. */
  access(...args: LuaValue[]): readonly Access[]
  run(use: KvUse, ...args: LuaValue[]): LuaValue | Results
}

/** Functions whose name begins with this are for shared namespaces: their last argument is the name of one. */
export const sharedPrefix = '_shared_'

/**
 * Declares a function twice: for the plugin's own namespace, and, for the Lua part alone, for shared ones. Expected
 * failures become `nil, message`.
 */
export function defineKvFunction(lookups: KvLookups, fn: KvFunction): readonly FunctionDefinition[] {
  const { run, access, cost = 1, title = fn.name, ...described } = fn
  const common = { ...described, title, phases: kvPhases, cost, mode: 'sync' } as const
  return [
    {
      ...common,
      handler: (call, ...args) =>
        answer(lookups, call, fn, (kv, database) =>
          run({ ...kv, call, database, namespace: ownNamespace(call) }, ...args),
        ),
    },
    {
      ...common,
      name: `${sharedPrefix}${fn.name.replace(/^_/, '')}`,
      params: [...described.params, { name: 'namespace', type: 'string', doc: 'Name of the namespace.' }],
      handler: (call, ...given) =>
        answer(lookups, call, fn, (kv, database) => {
          const args = given.slice(0, -1)
          const namespace = approvedNamespace(kv.session, call, String(given.at(-1)), access(...args))
          return run({ ...kv, call, database, namespace }, ...args)
        }),
    },
  ]
}

type Body = (kv: KvConnection, database: DbSession) => LuaValue | Results

/** What the functions are counted as. */
const operations: Readonly<Record<string, CountedOperation>> = {
  get: 'get',
  get_many: 'get',
  set: 'set',
  delete: 'delete',
  _page: 'list',
  paginate: 'paginate',
  count: 'count',
  _commit: 'atomic_commit',
  enqueue: 'queue_enqueue',
  queue_stats: 'queue_stats',
  dead_letters: 'queue_dlq',
  requeue: 'queue_requeue',
  create_index: 'index_create',
  remove_index: 'index_remove',
  indexes: 'index_list',
  search: 'search',
}

/** Runs a function of the module, and counts it. */
function answer(lookups: KvLookups, call: Call, fn: Named, body: Body): LuaValue | Results {
  const { kv } = call.services
  if (kv === undefined) return failure('the key-value store is not available here')
  const startMs = performance.now()
  let isDone = false
  try {
    const result = attempt(lookups, { call, kv, title: fn.title ?? fn.name }, body)
    isDone = !(result instanceof KvFailure)
    return result instanceof KvFailure ? failure(result.message) : result
  } finally {
    const operation = operations[fn.name]
    if (operation !== undefined) kv.called(operation, performance.now() - startMs, isDone)
  }
}

type Named = Pick<KvFunction, 'name' | 'title'>

interface Attempt {
  readonly call: Call
  readonly kv: KvServices
  readonly title: string
}

function attempt(
  lookups: KvLookups,
  { call, kv, title }: Attempt,
  body: Body,
): LuaValue | Results | KvFailure {
  let database: DbSession | undefined
  try {
    const connection = call.services.database.connection()
    database = lookups.database(connection)
    // A transaction that is over must not seem to go on.
    currentTransaction(database, call)
    return body(lookups.kv(connection, kv), database)
  } catch (error) {
    const translated = translate(error, title)
    if (!(translated instanceof KvFailure)) throw translated
    if (database !== undefined) noticeLostTransaction(database, translated.message)
    return translated
  }
}

/**
 * Makes a change. Inside `db.transaction` it becomes a part of it, as a whole or not at all, and other threads are told
 * once that is committed.
 */
export function writing<Result>(use: KvUse, work: () => Result): Result {
  const transaction = currentTransaction(use.database, use.call)
  if (transaction === undefined) return work()
  transaction.committed.add(use.session.committed)
  return inSavepoint(use.database, work)
}

/** What depends on stored data, on sizes or on others: the rest is misuse. */
const plainCodes: readonly string[] = [
  'KV_QUOTA_EXCEEDED',
  'KV_QUEUE_FULL',
  'KV_VALUE_TOO_LARGE',
  'KV_COMMIT_TOO_LARGE',
  'KV_TYPE_MISMATCH',
  'KV_OVERFLOW',
  'KV_CURSOR_INVALID',
  'KV_QUERY_INVALID',
  'KV_INDEX_MISSING',
  'KV_INDEX_LIMIT',
  'KV_SEARCH_TOO_BROAD',
  'DATABASE_OPEN_FAILED',
  'DATABASE_CLOSED',
]

/** Turns what went wrong into what a plugin sees; a mistake of the host stays what it is. */
export function translate(error: unknown, title: string): unknown {
  if (error instanceof LuaRaise) return new LuaRaise(`kv.${title}: ${error.message}`)
  if (error instanceof DbFailure) return new KvFailure(error.message)
  if (error instanceof HostError) {
    const message = inLuaNames(error.message)
    return plainCodes.includes(error.code) ? new KvFailure(message) : new LuaRaise(`kv.${title}: ${message}`)
  }
  if (!isSqliteError(error)) return error
  if (error.code.startsWith('SQLITE_BUSY')) {
    return new KvFailure('the store is busy: another write holds the lock of the database; try again')
  }
  if (error.code === 'SQLITE_FULL') return new KvFailure('the disk is full')
  return error.code.startsWith('SQLITE_IOERR') ? new KvFailure('the disk failed') : error
}

function isSqliteError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && error.name === 'SqliteError' && 'code' in error
}
