import { parse } from 'node:querystring'
import type { CallSite } from '../../sandbox/call-kind.js'
import { parseJson } from '../../sandbox/json-parser.js'
import { DecodedJson, LuaRaise } from '../../sandbox/lua-value.js'
import type { Pointer } from '../../sandbox/lua-wasm.js'
import type { RequestUser, WireRequest } from './wire.js'

/** Pushes the request table that a handler gets; `body` is a Latin-1 string of the body's bytes. */
export function pushRequest(site: CallSite, state: Pointer, request: WireRequest, body: string): void {
  const contentType = pushRequestHead(site, state, request)
  setBytes(site, state, 'body', body)
  pushMap(site, state, 'params', request.params)
  if (body !== '' && isJson(contentType)) pushJson(site, state, body)
}

/** Pushes a request table without parameters and body. Gives the content type of the request. */
export function pushRequestHead(site: CallSite, state: Pointer, request: WireRequest): string {
  site.lua.raw.lua_createtable(state, 0, 11)
  setText(site, state, 'method', request.method)
  setText(site, state, 'path', request.path)
  setText(site, state, 'client_ip', request.clientIp)
  const contentType = pushHeaders(site, state, request.rawHeaders)
  pushMap(site, state, 'query', request.query === '' ? {} : firstValues(request.query))
  if (request.user === undefined) pushStranger(site, state)
  else pushUser(site, state, request.user)
  return contentType
}

/** Sets a member of the table on top of the stack to bytes, which a Latin-1 string stands for. */
export function setBytes({ lua }: CallSite, state: Pointer, key: string, bytes: string): void {
  lua.pushText(state, key)
  lua.pushLatin1(state, bytes)
  lua.raw.lua_rawset(state, -3)
}

/** Sets a member of the table on top of the stack to a text. */
export function setText(site: CallSite, state: Pointer, key: string, value: string): void {
  site.lua.pushText(state, key)
  site.lua.pushText(state, value)
  site.lua.raw.lua_rawset(state, -3)
}

/** Sets `headers`: lower-case names, the first value of each. Gives the content type. */
export function pushHeaders(site: CallSite, state: Pointer, rawHeaders: readonly string[]): string {
  const { lua } = site
  let contentType = ''
  lua.pushText(state, 'headers')
  lua.raw.lua_createtable(state, 0, rawHeaders.length >> 1)
  // From the last to the first, so that the first of several equal names is what stays.
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    const name = (rawHeaders[at] as string).toLowerCase()
    const value = rawHeaders[at + 1] as string
    if (name === 'content-type') contentType = value
    lua.pushLatin1(state, name)
    lua.pushLatin1(state, value)
    lua.raw.lua_rawset(state, -3)
  }
  lua.raw.lua_rawset(state, -3)
  return contentType
}

function pushMap(site: CallSite, state: Pointer, key: string, map: Readonly<Record<string, string>>): void {
  const { lua } = site
  lua.pushText(state, key)
  lua.raw.lua_createtable(state, 0, 0)
  for (const name in map) setText(site, state, name, map[name] as string)
  lua.raw.lua_rawset(state, -3)
}

function pushUser(site: CallSite, state: Pointer, user: RequestUser): void {
  pushMap(site, state, 'user', { id: user.id, username: user.username, role: user.role })
  site.lua.pushText(state, 'identity')
  site.writer.push(state, new DecodedJson(parseJson(user.identity)))
  site.lua.raw.lua_rawset(state, -3)
}

function pushStranger(site: CallSite, state: Pointer): void {
  pushMap(site, state, 'identity', { type: 'anonymous', id: 'anonymous' })
}

function firstValues(query: string): Record<string, string> {
  const values: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(parse(query))) {
    values[name] = Array.isArray(value) ? (value[0] ?? '') : (value ?? '')
  }
  return values
}

function isJson(contentType: string): boolean {
  return contentType.length >= 16 && contentType.slice(0, 16).toLowerCase() === 'application/json'
}

const beyondAscii = /[\x80-\xff]/

/** Sets `json`, unless the body is not JSON or is nested deeper than Lua values may be. */
function pushJson(site: CallSite, state: Pointer, body: string): void {
  const { lua } = site
  const top = lua.raw.lua_gettop(state)
  const text = beyondAscii.test(body) ? Buffer.from(body, 'latin1').toString('utf8') : body
  lua.pushText(state, 'json')
  try {
    site.writer.push(state, new DecodedJson(parseJson(text)))
    lua.raw.lua_rawset(state, -3)
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof LuaRaise)) throw error
    lua.raw.lua_settop(state, top)
  }
}
