import { failure, type LuaValue, type Results } from '../../sandbox/lua-value.js'
import { type Phase, storagePhases } from '../../sandbox/phase.js'
import type { Call, FunctionDefinition, ParamDoc, ReturnDoc } from '../define.js'
import type { DbUse } from './execute.js'
import { DbFailure } from './failure.js'
import type { SessionLookup } from './session.js'

/** Phases in which a plugin may touch its tables. */
export const databasePhases: readonly Phase[] = storagePhases

/** A function of the module that uses the database. */
export interface DatabaseFunction {
  readonly name: string
  readonly doc: string
  readonly params: readonly ParamDoc[]
  readonly returns: readonly ReturnDoc[]
  readonly example?: string
  /** Operations; 1 when missing. */
  readonly cost?: number
  run(use: DbUse, ...args: LuaValue[]): LuaValue | Results
}

/** Declares a database function: expected failures become `nil, message`, misuse raises. */
export function defineDatabaseFunction(sessions: SessionLookup, fn: DatabaseFunction): FunctionDefinition {
  const { run, cost = 1, ...described } = fn
  return {
    ...described,
    phases: databasePhases,
    cost,
    mode: 'sync',
    handler(call: Call, ...args: LuaValue[]) {
      try {
        return run({ session: sessions(call.services.database.connection()), call }, ...args)
      } catch (error) {
        if (error instanceof DbFailure) return failure(error.message)
        throw error
      }
    },
  }
}

/** The first parameter of nearly every function. */
export const tableParam: ParamDoc = { name: 'table', type: 'string', doc: 'Name given to `db.define_table`.' }

/** What a function gives that only acts: nothing, or why it failed. */
export const nothingReturned: readonly ReturnDoc[] = [
  { luaType: 'nil', doc: 'Always nil.' },
  { luaType: 'string?', doc: 'Why it failed; nil when it worked.' },
]

/** The message that follows nil when a function that gives a value fails. */
export const errorReturned: ReturnDoc = { luaType: 'string?', doc: 'Why it failed; nil when it worked.' }
