import { stageLimits } from '../../base/limits/gateway.js'
import { responseHeaderLimits } from '../../base/limits/plugins.js'
import type { CallSite } from '../../sandbox/call-kind.js'
import { luaType } from '../../sandbox/lua-api.js'
import { type LuaObject, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { Pointer } from '../../sandbox/lua-wasm.js'
import { typeNames } from '../../sandbox/table-reader.js'
import { checkResponseHeader } from '../http/header-rules.js'
import { bodiless, readBody, readJson, readResponse, readStatus } from '../http/response-reader.js'
import { readMember } from '../members.js'
import { checkRequestHeader, checkTarget } from './change-rules.js'
import type { HeaderChanges, RequestVerdict, ResponseVerdict } from './wire.js'

/** What tells an answer from a table that means nothing. */
const answerMembers = ['status', 'json', 'body'] as const

/**
 * Reads what a stage for requests returned at `index`.
 *
 * @throws LuaRaise for what is neither nothing, nor an answer, nor a change; ResultError for an answer that is too large.
 */
export function readRequestVerdict(site: CallSite, state: Pointer, index: number): RequestVerdict {
  if (!isTable(site, state, index, 'nil, an answer or { request = {...} }')) return { kind: 'pass' }
  const has = (name: string) => readMember(site, state, index, name, () => true) === true
  const isAnswer = answerMembers.some(has)
  const change = readMember(site, state, index, 'request', (at) => site.reader.read(state, at))
  if (isAnswer && change !== undefined) {
    throw new LuaRaise('a stage cannot both answer and change the request: return one of the two')
  }
  if (isAnswer) return { kind: 'answer', answer: readResponse(site, state, index) }
  if (change === undefined) {
    throw new LuaRaise('a stage must return nil, an answer with status, json or body, or { request = {...} }')
  }
  return readChange(change)
}

/** Tells whether a table was returned; false for nil and nothing, an error for anything else. */
function isTable({ lua }: CallSite, state: Pointer, index: number, expected: string): boolean {
  const type = lua.raw.lua_type(state, index)
  if (type <= luaType.nil) return false
  if (type === luaType.table) return true
  throw new LuaRaise(`a stage must return ${expected}, not a ${typeNames[type]}`)
}

function readChange(value: LuaValue): RequestVerdict {
  const { headers, path, ...others } = asObject(value, 'request')
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) {
    throw new LuaRaise(`a stage cannot change ${JSON.stringify(unknown.slice(0, 64))} of a request`)
  }
  if (path !== undefined && typeof path !== 'string') {
    throw new LuaRaise('the path that a stage gives a request must be UTF-8 text')
  }
  const fault = path === undefined ? undefined : checkTarget(path)
  if (fault !== undefined) throw new LuaRaise(fault)
  const changes = readHeaderChanges(headers, stageLimits.requestHeadersMax, (name, text) => {
    const problem = checkRequestHeader(name, text)
    if (problem !== undefined) throw new LuaRaise(problem)
    return true
  })
  return { kind: 'change', headers: changes, target: path }
}

/**
 * Reads what a stage for answers returned at `index`; undefined when the answer stays as it is.
 *
 * @throws LuaRaise for anything that is no change of an answer; ResultError for a body that is too large.
 */
export function readResponseVerdict(
  site: CallSite,
  state: Pointer,
  index: number,
): ResponseVerdict | undefined {
  if (!isTable(site, state, index, 'nil or a table with status, headers, json or body')) return undefined
  const status = readMember(site, state, index, 'status', (at) => readStatus(site, state, at))
  const json = readMember(site, state, index, 'json', (at) => readJson(site, state, at))
  const body = json ?? readMember(site, state, index, 'body', (at) => readBody(site, state, at))
  const given = readMember(site, state, index, 'headers', (at) => site.reader.read(state, at))
  const headers = readHeaderChanges(given, responseHeaderLimits.countMax, (name, text) =>
    isAllowed(site, name, text),
  )
  if (status !== undefined && bodiless.includes(status) && body !== undefined && body.length > 0) {
    throw new LuaRaise(`an answer with status ${status} cannot have a body`)
  }
  const type = json === undefined ? [] : ['content-type', 'application/json']
  return { status, headers: { ...headers, set: [...headers.set, ...type] }, body }
}

/** Headers that belong to the host are left out with a warning, as in the answers of routes. */
function isAllowed(site: CallSite, name: string, text: string | undefined): boolean {
  const verdict = checkResponseHeader(name, text ?? '')
  if (verdict === 'ok') return true
  if (verdict !== 'blocked') throw new LuaRaise(verdict)
  site.report('blocked_header', { name: name.slice(0, 64) })
  return false
}

/** @param isTaken Judges one header, whose value is undefined when it is to go; raises when it makes all of it an error. */
function readHeaderChanges(
  value: LuaValue,
  countMax: number,
  isTaken: (name: string, text: string | undefined) => boolean,
): HeaderChanges {
  if (value === undefined) return { set: [], remove: [] }
  const entries = Object.entries(asObject(value, 'headers'))
  if (entries.length > countMax) {
    throw new LuaRaise(`a stage changes ${entries.length} headers; the limit is ${countMax}`)
  }
  const set: string[] = []
  const remove: string[] = []
  for (const [name, given] of entries) {
    const text = headerText(name, given)
    if (!isTaken(name, text)) continue
    if (text === undefined) remove.push(name)
    else set.push(name, text)
  }
  return { set, remove }
}

/** HTTP carries Latin-1: text beyond it, and broken text, stays the bytes that the plugin wrote. */
function headerText(name: string, value: LuaValue): string | undefined {
  if (value === false) return undefined
  if (typeof value === 'string') return Buffer.from(value).toString('latin1')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  throw new LuaRaise(
    `header ${JSON.stringify(name.slice(0, 64))} must be a text, a number, or false to remove it`,
  )
}

function asObject(value: LuaValue, name: string): LuaObject {
  const isObject = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null
  if (isObject) return value as LuaObject
  throw new LuaRaise(`${name} must be a table with names as its keys`)
}

/**
 * Reads what a function for keys returned at `index`; undefined for nil.
 *
 * @throws LuaRaise for anything but a text within its limit.
 */
export function readKey({ lua }: CallSite, state: Pointer, index: number): string | undefined {
  const type = lua.raw.lua_type(state, index)
  if (type <= luaType.nil) return undefined
  if (type !== luaType.string) throw new LuaRaise(`a key must be a text or nil, not a ${typeNames[type]}`)
  const bytes = lua.stringBytes(state, index)
  if (bytes > stageLimits.keyBytesMax) {
    throw new LuaRaise(`the key has ${bytes} bytes; the limit is ${stageLimits.keyBytesMax}`)
  }
  return Buffer.from(lua.readString(state, index)).toString('latin1')
}
