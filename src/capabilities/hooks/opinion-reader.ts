import { hookLimits } from '../../base/limits/hooks.js'
import { responseHeaderLimits } from '../../base/limits/plugins.js'
import { vmLimits } from '../../base/limits/sandbox.js'
import type { CallSite } from '../../sandbox/call-kind.js'
import { encodeJson } from '../../sandbox/json-encoder.js'
import { jsonText } from '../../sandbox/json-text.js'
import { luaType } from '../../sandbox/lua-api.js'
import { type LuaObject, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { Pointer } from '../../sandbox/lua-wasm.js'
import { typeNames } from '../../sandbox/table-reader.js'
import { checkResponseHeader } from '../http/header-rules.js'
import { bodiless } from '../http/response-reader.js'
import { readMember } from '../members.js'
import type { HookEvent } from './events.js'
import type { ReadOpinion, WriteOpinion } from './wire.js'

// biome-ignore lint/suspicious/noControlCharactersInRegex: a message with control characters could mislead a terminal.
const controlCharacters = /[\u0000-\u001f\u007f]/g

/**
 * Reads what a before-hook of a write returned. Only a table with `deny` or `set` says anything: other values are
 * ignored.
 *
 * @throws LuaRaise when one of the two is not what it must be.
 */
export function readWriteOpinion(
  site: CallSite,
  state: Pointer,
  index: number,
  event: HookEvent,
): WriteOpinion {
  const nothing = { deny: undefined, set: undefined }
  if (site.lua.raw.lua_type(state, index) !== luaType.table) return nothing
  const deny = readMember(site, state, index, 'deny', (at) => readDeny(site, state, at))
  if (deny !== undefined) return { deny, set: undefined }
  const set = readMember(site, state, index, 'set', (at) => readSet(site, state, at, event))
  return { deny: undefined, set }
}

function readDeny({ lua }: CallSite, state: Pointer, at: number): string | undefined {
  const type = lua.raw.lua_type(state, at)
  if (type === luaType.boolean) return lua.raw.lua_toboolean(state, at) === 0 ? undefined : ''
  if (type === luaType.string) {
    return lua.readTextLossy(state, at, hookLimits.denyBytesMax).replace(controlCharacters, ' ')
  }
  throw new LuaRaise(`the member deny of a before-hook must be a message, not a ${typeNames[type]}`)
}

function readSet(site: CallSite, state: Pointer, at: number, event: HookEvent): string {
  if (event === 'before_delete') {
    throw new LuaRaise('a before_delete hook cannot set anything: the row is about to go')
  }
  const value = site.reader.read(state, at)
  if (!isObject(value)) {
    throw new LuaRaise('the member set of a before-hook must be a table of values by column')
  }
  for (const column of Object.keys(value)) {
    if (column.startsWith('_')) {
      throw new LuaRaise(
        `a before-hook cannot set ${JSON.stringify(column.slice(0, 64))}: names that start with "_" belong to the host`,
      )
    }
  }
  return plainJson(value, 'set', hookLimits.setBytesMax)
}

function isObject(value: LuaValue): value is LuaObject {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null
}

/** Writes what will be plain values of the host: nothing is rounded, and no key reaches a prototype. */
function plainJson(value: LuaObject, name: string, bytesMax: number): string {
  assertPlain(value, name)
  const text = jsonText(value, bytesMax)
  const bytes = Buffer.byteLength(text)
  if (bytes <= bytesMax) return text
  throw new LuaRaise(`${name} has ${bytes} bytes as JSON; the limit is ${bytesMax}`)
}

function assertPlain(value: LuaValue, name: string): void {
  if (typeof value === 'bigint') {
    throw new LuaRaise(`${name} has an integer beyond 2^53, which JSON cannot carry: give it as text`)
  }
  if (Array.isArray(value)) for (const item of value) assertPlain(item, name)
  else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      if (key === '__proto__') throw new LuaRaise(`${name} has the key "__proto__", which no row can have`)
      assertPlain(value[key], name)
    }
  }
}

/** Reads the state that a before_read hook left in its data at `index`. */
export function readState(site: CallSite, state: Pointer, index: number): string {
  const { lua } = site
  // Gathered in Lua first, so that all of it crosses as one value, whose size is bounded.
  lua.raw.lua_createtable(state, 0, 0)
  const members = lua.raw.lua_gettop(state)
  lua.raw.lua_pushnil(state)
  while (lua.raw.lua_next(state, index) !== 0) {
    if (isStateMember(site, state)) {
      lua.raw.lua_pushvalue(state, -2)
      lua.raw.lua_rotate(state, -2, 1)
      lua.raw.lua_rawset(state, members)
    } else lua.pop(state, 1)
  }
  const value = site.reader.read(state, members)
  lua.pop(state, 1)
  return isObject(value) ? plainJson(value, 'the state of a read hook', hookLimits.stateBytesMax) : '{}'
}

/** Whether the pair on top of the stack has a text as its key that is handed on to later hooks. */
function isStateMember({ lua }: CallSite, state: Pointer): boolean {
  if (lua.raw.lua_type(state, -2) !== luaType.string) return false
  const key = lua.readString(state, -2)
  return typeof key === 'string' && isStateKey(key)
}

/** True for keys of the data of a read hook that are handed on to later ones. */
function isStateKey(key: string): boolean {
  return key.startsWith('_') && key !== '_table' && key !== '_event'
}

/** Reads the answer that a before_read hook returned; one without a numeric status is none. */
export function readAnswer(site: CallSite, state: Pointer, index: number): Omit<ReadOpinion, 'state'> {
  const { lua } = site
  const none = { status: 0, headers: [], json: undefined }
  if (lua.raw.lua_type(state, index) !== luaType.table) return none
  const status = readMember(site, state, index, 'status', (at) => readStatus(site, state, at))
  if (status === undefined) return none
  const headers = readAddedHeaders(site, state, index)
  const json = readMember(site, state, index, 'json', (at) => {
    const type = lua.raw.lua_type(state, at)
    if (type !== luaType.table)
      throw new LuaRaise(`the answer's json must be a table, not a ${typeNames[type]}`)
    return encodeJson(
      lua,
      site.tags,
      state,
      at,
      site.limits.extra.responseBytesMax ?? vmLimits.marshalBytesMax,
    )
  })
  if (json !== undefined && bodiless.includes(status)) {
    throw new LuaRaise(`an answer with status ${status} cannot have json`)
  }
  return { status, headers, json }
}

function readStatus({ lua }: CallSite, state: Pointer, at: number): number | undefined {
  if (lua.raw.lua_type(state, at) !== luaType.number) return undefined
  const status = Math.trunc(Number(lua.readNumber(state, at)))
  if (status >= 200 && status <= 599) return status
  throw new LuaRaise(`the answer's status must be a number from 200 to 599, not ${status}`)
}

/** Reads the headers of what a read hook returned; those that belong to the host are left out with a warning. */
export function readAddedHeaders(site: CallSite, state: Pointer, index: number): string[] {
  const { lua } = site
  if (lua.raw.lua_type(state, index) !== luaType.table) return []
  const read = (at: number): string[] => {
    const type = lua.raw.lua_type(state, at)
    if (type !== luaType.table) throw new LuaRaise(`headers must be a table, not a ${typeNames[type]}`)
    const headers: string[] = []
    lua.raw.lua_pushnil(state)
    while (lua.raw.lua_next(state, at) !== 0) {
      addHeader(site, state, headers)
      lua.pop(state, 1)
    }
    return headers
  }
  return readMember(site, state, index, 'headers', read) ?? []
}

/** Takes the pair on top of the stack. */
function addHeader(site: CallSite, state: Pointer, headers: string[]): void {
  const { lua } = site
  const type = lua.raw.lua_type(state, -1)
  const isText = type === luaType.string || type === luaType.number
  if (lua.raw.lua_type(state, -2) !== luaType.string || !isText) {
    throw new LuaRaise('headers must be a table of texts by name')
  }
  const name = String(lua.readString(state, -2)).toLowerCase()
  const value =
    type === luaType.number
      ? String(lua.readNumber(state, -1))
      : Buffer.from(lua.readString(state, -1)).toString('latin1')
  // The body is the host's JSON whatever a hook says of it.
  const verdict = name.trim() === 'content-type' ? 'blocked' : checkResponseHeader(name, value)
  if (verdict === 'blocked') site.report('blocked_header', { name: name.slice(0, 64) })
  else if (verdict !== 'ok') throw new LuaRaise(verdict)
  else if (headers.push(name, value) > responseHeaderLimits.countMax * 2) {
    throw new LuaRaise(`a hook adds more than ${responseHeaderLimits.countMax} headers`)
  }
}
