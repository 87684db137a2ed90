import { kvLuaLimits } from '../../base/limits/kv.js'
import type { CallKind, CallSite } from '../../sandbox/call-kind.js'
import { luaType } from '../../sandbox/lua-api.js'
import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { Pointer } from '../../sandbox/lua-wasm.js'
import { KvFailure } from './failure.js'
import { eventToLua } from './lua-values.js'
import { decodeKvCall, encodeKvResult } from './wire.js'

/** Name of the call kind. */
export const kvCallKind = 'kv'

/**
 * Calls a function that was registered for a queue or for changes; the payload is the text of `encodeMessageCall` or
 * `encodeChangeCall`. The result says whether the message is done, see `encodeKvResult`.
 */
export const kvKind: CallKind = {
  name: kvCallKind,
  enter(site, state, input) {
    const { registration, key, json } = decodeKvCall(input.payload)
    const handler = site.handlerOf(registration, key)
    if (handler === undefined) {
      throw new LuaRaise(`this VM has no ${registration} ${key}: init.lua registered others`)
    }
    const event = readEvent(json)
    site.lua.pushRef(state, handler)
    site.writer.push(state, event)
    return 2
  },
  leave(site, state, first) {
    return encodeKvResult(readProblem(site, state, first))
  },
}

function readEvent(json: string): LuaValue {
  try {
    return eventToLua(JSON.parse(json))
  } catch (error) {
    if (error instanceof KvFailure) throw new LuaRaise(error.message)
    throw error
  }
}

/** `false`, or nil with a message, gives the message back as an error does; everything else is success. */
function readProblem({ lua }: CallSite, state: Pointer, first: number): string | undefined {
  const { raw } = lua
  const count = raw.lua_gettop(state) - first + 1
  if (count < 1) return undefined
  const isFalse = raw.lua_type(state, first) === luaType.boolean && raw.lua_toboolean(state, first) === 0
  const isNil = raw.lua_type(state, first) <= luaType.nil
  const hasMessage = count > 1 && raw.lua_type(state, first + 1) === luaType.string
  if (hasMessage && (isFalse || isNil))
    return lua.readTextLossy(state, first + 1, kvLuaLimits.problemBytesMax)
  return isFalse ? 'the handler returned false' : undefined
}
