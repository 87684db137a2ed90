import type { CallKind, CallSite } from './call-kind.js'
import { luaStatus, luaType } from './lua-api.js'
import { LuaRaise, type LuaValue } from './lua-value.js'
import type { Pointer } from './lua-wasm.js'

/** Runs init.lua; its result is what the manifest says: plugin_info, has on_init, has on_shutdown. */
export const loadKind: CallKind = {
  name: 'load',
  enter(site, state) {
    site.pushChunk(state, 'init.lua')
    return 1
  },
  leave(site, state) {
    return [
      readPluginInfo(site, state),
      isFunction(site, state, 'on_init'),
      isFunction(site, state, 'on_shutdown'),
    ]
  },
}

/** Reads what an init.lua that did not get to its end has said of itself. */
export const manifestKind: CallKind = {
  name: 'manifest',
  enter(site, state) {
    if (site.lua.load(state, '', 'host') !== luaStatus.ok) throw new Error('nothing cannot be compiled')
    return 1
  },
  leave(site, state) {
    return [readPluginInfo(site, state)]
  },
}

function readPluginInfo(site: CallSite, state: Pointer): LuaValue {
  site.pushGlobal(state, 'plugin_info')
  try {
    return site.lua.raw.lua_type(state, -1) === luaType.table ? site.reader.read(state, -1) : undefined
  } finally {
    site.lua.pop(state, 1)
  }
}

function isFunction(site: CallSite, state: Pointer, name: string): boolean {
  site.pushGlobal(state, name)
  const found = site.lua.raw.lua_type(state, -1) === luaType.function
  site.lua.pop(state, 1)
  return found
}

/** Calls the global function that the payload names, without arguments and results: on_init, on_shutdown. */
export const lifecycleKind: CallKind = {
  name: 'lifecycle',
  enter(site, state, input) {
    site.pushGlobal(state, input.payload)
    if (site.lua.raw.lua_type(state, -1) !== luaType.function) {
      throw new LuaRaise(`the plugin has no function ${input.payload}`)
    }
    return 1
  },
  leave() {
    return []
  },
}
