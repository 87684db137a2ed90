import { ResultError } from '../../sandbox/call-context.js'
import type { CallSite } from '../../sandbox/call-kind.js'
import { TooLarge } from '../../sandbox/crossing.js'
import { encodeJson } from '../../sandbox/json-encoder.js'
import { luaType } from '../../sandbox/lua-api.js'
import { LuaRaise } from '../../sandbox/lua-value.js'
import type { Pointer } from '../../sandbox/lua-wasm.js'
import { typeNames } from '../../sandbox/table-reader.js'
import { checkResponseHeader, checkResponseHeaderCount } from './header-rules.js'
import type { WireResponse } from './wire.js'

interface Parts {
  status: number
  json: string | undefined
  body: string | Uint8Array | undefined
  headers: string[]
  contentType: string | undefined
}

/** Statuses that HTTP defines without a body. */
export const bodiless: readonly number[] = [204, 205, 304]

/**
 * Reads the response table at `index`, with raw access only.
 *
 * @throws LuaRaise for anything that is not a response; ResultError when it is larger than the plugin may answer.
 */
export function readResponse(site: CallSite, state: Pointer, index: number): WireResponse {
  const { lua } = site
  const type = lua.raw.lua_type(state, index)
  if (type !== luaType.table) {
    throw new LuaRaise(`the handler must return a table, not ${typeNames[type] ?? 'nothing'}`)
  }
  const parts: Parts = { status: 200, json: undefined, body: undefined, headers: [], contentType: undefined }
  lua.raw.lua_pushnil(state)
  while (lua.raw.lua_next(state, index) !== 0) {
    if (lua.raw.lua_type(state, -2) === luaType.string)
      readPart(site, state, String(lua.readString(state, -2)), parts)
    lua.pop(state, 1)
  }
  return assemble(site, parts)
}

function readPart(site: CallSite, state: Pointer, key: string, parts: Parts): void {
  const at = site.lua.raw.lua_gettop(state)
  if (key === 'status') parts.status = readStatus(site, state, at)
  else if (key === 'json') parts.json = readJson(site, state, at)
  else if (key === 'body') parts.body = readBody(site, state, at)
  else if (key === 'headers') readHeaders(site, state, at, parts)
}

/** Reads the status at `at`. */
export function readStatus(site: CallSite, state: Pointer, at: number): number {
  const isNumber = site.lua.raw.lua_type(state, at) === luaType.number
  const status = isNumber ? Math.trunc(Number(site.lua.readNumber(state, at))) : Number.NaN
  if (status >= 200 && status <= 599) return status
  throw new LuaRaise(
    `the response status must be a number from 200 to 599, not ${isNumber ? status : 'another type'}`,
  )
}

function bytesMax(site: CallSite): number {
  return site.limits.extra.responseBytesMax ?? Number.POSITIVE_INFINITY
}

/** Encodes the value at `at` as the JSON text of a body. */
export function readJson(site: CallSite, state: Pointer, at: number): string {
  try {
    return encodeJson(site.lua, site.tags, state, at, bytesMax(site))
  } catch (error) {
    if (error instanceof TooLarge) throw tooLarge(site)
    throw error
  }
}

/** Reads the body at `at`. */
export function readBody(site: CallSite, state: Pointer, at: number): string | Uint8Array {
  const type = site.lua.raw.lua_type(state, at)
  if (type !== luaType.string)
    throw new LuaRaise(`the response body must be a string, not a ${typeNames[type]}`)
  if (site.lua.stringBytes(state, at) > bytesMax(site)) throw tooLarge(site)
  return site.lua.readString(state, at)
}

function tooLarge(site: CallSite): ResultError {
  return new ResultError('RESULT_TOO_LARGE', `the response is larger than ${bytesMax(site)} bytes`)
}

function readHeaders(site: CallSite, state: Pointer, at: number, parts: Parts): void {
  const { lua } = site
  const type = lua.raw.lua_type(state, at)
  if (type !== luaType.table)
    throw new LuaRaise(`the response headers must be a table, not a ${typeNames[type]}`)
  lua.raw.lua_pushnil(state)
  while (lua.raw.lua_next(state, at) !== 0) {
    readHeader(site, state, parts)
    lua.pop(state, 1)
  }
  const problem = checkResponseHeaderCount(parts.headers.length >> 1)
  if (problem !== undefined) throw new LuaRaise(problem)
}

/** Reads the pair on top of the stack. */
function readHeader(site: CallSite, state: Pointer, parts: Parts): void {
  const { lua } = site
  if (lua.raw.lua_type(state, -2) !== luaType.string)
    throw new LuaRaise('response header names must be strings')
  const name = String(lua.readString(state, -2))
  const type = lua.raw.lua_type(state, -1)
  if (type !== luaType.string && type !== luaType.number) {
    throw new LuaRaise(`response header "${name.slice(0, 64)}" must be a string, not a ${typeNames[type]}`)
  }
  const value =
    type === luaType.number ? String(lua.readNumber(state, -1)) : headerText(lua.readString(state, -1))
  const verdict = checkResponseHeader(name, value)
  if (verdict === 'blocked') site.report('blocked_header', { name: name.slice(0, 64) })
  else if (verdict !== 'ok') throw new LuaRaise(verdict)
  else if (name.toLowerCase() === 'content-type') parts.contentType = value
  else parts.headers.push(name, value)
}

/** HTTP carries Latin-1: text beyond it, and broken text, stays the bytes that the plugin wrote. */
function headerText(value: string | Buffer): string {
  return Buffer.from(value).toString('latin1')
}

function assemble(site: CallSite, parts: Parts): WireResponse {
  const { status, headers } = parts
  const body = parts.json ?? parts.body ?? ''
  if (parts.json !== undefined && Buffer.byteLength(parts.json) > bytesMax(site)) throw tooLarge(site)
  if (bodiless.includes(status) && body.length > 0) {
    throw new LuaRaise(`a response with status ${status} cannot have a body`)
  }
  if (parts.json !== undefined) headers.push('content-type', 'application/json')
  else if (parts.contentType !== undefined) headers.push('content-type', parts.contentType)
  else if (body.length > 0) {
    headers.push(
      'content-type',
      typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    )
  }
  return { status, headers, body }
}
