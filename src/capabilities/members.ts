import type { CallSite } from '../sandbox/call-kind.js'
import { luaType } from '../sandbox/lua-api.js'
import type { Pointer } from '../sandbox/lua-wasm.js'

/**
 * Gets a member of the table at the absolute `index` with raw access; undefined for nil.
 *
 * @param read Is given where the member lies on the stack.
 */
export function readMember<Value>(
  { lua }: CallSite,
  state: Pointer,
  index: number,
  name: string,
  read: (at: number) => Value,
): Value | undefined {
  lua.pushText(state, name)
  lua.raw.lua_rawget(state, index)
  const at = lua.raw.lua_gettop(state)
  try {
    return lua.raw.lua_type(state, at) <= luaType.nil ? undefined : read(at)
  } finally {
    lua.pop(state, 1)
  }
}
