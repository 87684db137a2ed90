import { dbLimits } from '../../base/limits/database.js'
import { LuaRaise } from '../../sandbox/lua-value.js'
import type { Call } from '../define.js'
import { DbFailure } from './failure.js'
import type { DbSession, OpenTransaction } from './session.js'
import { translateError } from './sql-errors.js'

//  none ──begin──▶ open ──commit / rollback──▶ none
//                   │ deadline, or SQLite rolled back
//                   ▼
//                 ended ──commit (fails) / rollback──▶ none
//
// The end of the call, also by a kill, leads from both to none.

const localKey = 'db.transaction'

/** Lua side of `db.transaction`: the plugin's function is called from Lua, never from inside a host function. */
export const transactionLua = `
return function(host, raw)
  local type, error, pcall, tostring = raw.type, raw.error, raw.pcall, raw.tostring

  local function transaction(fn)
    if type(fn) ~= 'function' then
      error("bad argument #1 to 'db.transaction' (function expected, got " .. type(fn) .. ')', 2)
    end
    local started, problem = host._begin()
    if not started then return false, problem end
    local ok, thrown = pcall(fn)
    if not ok then
      host._rollback()
      if type(thrown) ~= 'string' then thrown = tostring(thrown) end
      return false, thrown
    end
    local committed, reason = host._commit()
    if committed then return true, nil end
    return false, reason
  end

  return { transaction = transaction }
end
`

/**
 * Gives the open transaction of this call, or undefined when it has none.
 *
 * @throws LuaRaise when the transaction is over but its function still runs: what it does would not be part of it.
 * @throws DbFailure when another call of this thread has a transaction open on the connection.
 */
export function currentTransaction(session: DbSession, call: Call): OpenTransaction | undefined {
  const { transaction } = session
  const own = call.locals.get(localKey)
  if (transaction === undefined && own === undefined) return undefined
  if (transaction !== own) {
    throw new DbFailure('the database is busy: another call of this thread has a transaction open; try again')
  }
  if (transaction === undefined) return undefined
  if (transaction.ended === undefined && performance.now() > transaction.deadlineMs) {
    expireTransaction(session, call)
  }
  if (transaction.ended !== undefined) throw new LuaRaise(transaction.ended)
  return transaction
}

/**
 * Begins a transaction with the write lock.
 *
 * @throws LuaRaise when this call has one already.
 * @throws DbFailure when the lock is not free in time.
 */
export function beginTransaction(session: DbSession, call: Call): void {
  if (call.locals.get(localKey) !== undefined) throw new LuaRaise('nested transactions are not supported')
  currentTransaction(session, call)
  try {
    session.host('begin immediate').run()
  } catch (error) {
    throw translateError(session, call.owner.plugin, error)
  }
  const deadlineMs = Math.min(performance.now() + dbLimits.transactionMs, call.budget.deadlineMs)
  const transaction: OpenTransaction = { deadlineMs, ended: undefined, committed: new Set() }
  session.transaction = transaction
  watchEnd(session, call)
  call.locals.set(localKey, transaction)
  call.holdUntil(deadlineMs)
}

/**
 * Ends the transaction of this call.
 *
 * @throws DbFailure when it cannot be committed; it is rolled back then.
 */
export function commitTransaction(session: DbSession, call: Call): void {
  const transaction = call.locals.get(localKey) as OpenTransaction | undefined
  if (transaction === undefined) throw new LuaRaise('there is no transaction to commit')
  try {
    currentTransaction(session, call)
    session.host('commit').run()
    for (const tell of transaction.committed) tell()
  } catch (error) {
    if (error instanceof LuaRaise) throw new DbFailure(error.message)
    throw translateError(session, call.owner.plugin, error)
  } finally {
    rollbackTransaction(session, call)
  }
}

/** Undoes what the transaction of this call has done and forgets it; does nothing when there is none. */
export function rollbackTransaction(session: DbSession, call: Call): void {
  forget(session, call, call.locals)
}

function forget(session: DbSession, call: Call, locals: Map<string, unknown>): void {
  const transaction = locals.get(localKey)
  if (transaction === undefined) return
  locals.delete(localKey)
  call.holdUntil(undefined)
  if (session.transaction !== transaction) return
  session.transaction = undefined
  undo(session)
}

/**
 * Runs several statements, all or none: inside a savepoint of the open transaction, or in one of their own.
 *
 * @throws what `body` throws, after undoing what it has done.
 */
export function asUnit(session: DbSession, call: Call, body: () => void): void {
  if (currentTransaction(session, call) === undefined) {
    beginTransaction(session, call)
    try {
      body()
    } catch (error) {
      rollbackTransaction(session, call)
      throw error
    }
    commitTransaction(session, call)
    return
  }
  inSavepoint(session, body)
}

/**
 * Runs several statements inside the open transaction, all or none.
 *
 * @throws what `body` throws, after undoing what it has done.
 */
export function inSavepoint<Result>(session: DbSession, body: () => Result): Result {
  session.host('savepoint plugin_unit').run()
  let result: Result
  try {
    result = body()
  } catch (error) {
    if (session.connection.inTransaction) {
      session.host('rollback to plugin_unit').run()
      session.host('release plugin_unit').run()
    }
    throw error
  }
  session.host('release plugin_unit').run()
  return result
}

/** Rolls back at the deadline. The transaction stays known, so that its function cannot go on without it. */
export function expireTransaction(session: DbSession, call: Call): void {
  endTransaction(
    session,
    `the transaction took longer than ${dbLimits.transactionMs} ms and was rolled back; do less in one transaction`,
  )
  call.holdUntil(undefined)
}

/** Notices that SQLite rolled back by itself, as it does when the disk is full. */
export function noticeLostTransaction(session: DbSession, reason: string): void {
  if (session.transaction === undefined || session.connection.inTransaction) return
  endTransaction(session, `the transaction was rolled back by the database: ${reason}`)
}

function endTransaction(session: DbSession, reason: string): void {
  if (session.transaction === undefined) return
  session.transaction.ended ??= reason
  undo(session)
}

function undo(session: DbSession): void {
  if (session.connection.inTransaction) session.host('rollback').run()
  // Guards of cascades that were made inside the transaction are gone.
  session.guarded.clear()
}

/** Adds one cleanup to a call, however many transactions it makes. */
function watchEnd(session: DbSession, call: Call): void {
  const watched = `${localKey}.watched`
  // The call has forgotten its locals by the time its cleanups run.
  const { locals } = call
  if (locals.has(watched)) return
  locals.set(watched, true)
  call.onEnd(() => forget(session, call, locals))
}
