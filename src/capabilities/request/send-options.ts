import { outboundLimits } from '../../base/limits/outbound.js'
import { jsonText } from '../../sandbox/json-text.js'
import { type LuaObject, LuaRaise, type LuaValue, Tagged } from '../../sandbox/lua-value.js'

/** Options of `request.send`, read. */
export interface SendOptions {
  /** Name and value by turns. */
  readonly headers: readonly string[]
  readonly body: Uint8Array | undefined
  readonly isJson: boolean
  readonly timeoutMs: number | undefined
  readonly parseJson: boolean
}

const knownOptions: readonly string[] = ['headers', 'body', 'json', 'timeout', 'parse_json']

/**
 * Reads the options of a request; nil is none of them.
 *
 * @throws LuaRaise for a misspelt option or a wrong type.
 */
export function readSendOptions(name: string, options: LuaValue): SendOptions {
  const fields = optionsOf(name, options)
  for (const key in fields) {
    if (!knownOptions.includes(key)) {
      throw misuse(name, `unknown option "${key.slice(0, 64)}"; known are ${knownOptions.join(', ')}`)
    }
  }
  const { headers, body, json, timeout, parse_json: parse } = fields
  if (body !== undefined && json !== undefined) {
    throw misuse(name, 'body and json are mutually exclusive: give one of them')
  }
  if (parse !== undefined && typeof parse !== 'boolean') throw misuse(name, 'parse_json must be a boolean')
  return {
    headers: readHeaders(name, headers),
    body: json === undefined ? readBody(name, body) : bytesOf(encode(name, json)),
    isJson: json !== undefined,
    timeoutMs: readTimeout(name, timeout),
    parseJson: parse === true,
  }
}

function misuse(name: string, reason: string): LuaRaise {
  return new LuaRaise(`${name}: ${reason}`)
}

function optionsOf(name: string, options: LuaValue): LuaObject {
  if (options === undefined || (Array.isArray(options) && options.length === 0)) return Object.create(null)
  if (isFields(options)) return options
  throw misuse(name, 'the options must be a table with named fields')
}

function isFields(value: LuaValue): value is LuaObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !(value instanceof Uint8Array) && !(value instanceof Tagged)
}

function readHeaders(name: string, headers: LuaValue): string[] {
  if (headers === undefined || (Array.isArray(headers) && headers.length === 0)) return []
  if (!isFields(headers)) throw misuse(name, 'headers must be a table of texts by name')
  return Object.entries(headers).flatMap(([header, value]) => {
    if (typeof value === 'string') return [header, value]
    if (typeof value === 'number' || typeof value === 'bigint') return [header, String(value)]
    throw misuse(name, `the value of header "${header.slice(0, 64)}" must be UTF-8 text`)
  })
}

function readBody(name: string, body: LuaValue): Uint8Array | undefined {
  if (body === undefined) return undefined
  if (typeof body === 'string' || body instanceof Uint8Array) return bytesOf(body)
  throw misuse(name, 'body must be a string; use json to send a table')
}

/** Copies into memory of its own: what shares a pool would drag the pool along to the host. */
function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body)
}

function encode(name: string, value: LuaValue): string {
  try {
    return jsonText(value)
  } catch (error) {
    if (error instanceof LuaRaise) throw misuse(name, `json: ${error.message}`)
    throw error
  }
}

function readTimeout(name: string, timeout: LuaValue): number | undefined {
  if (timeout === undefined) return undefined
  if (typeof timeout !== 'number' || Number.isNaN(timeout)) {
    throw misuse(name, 'timeout must be a number of seconds')
  }
  return Math.max(outboundLimits.timeoutMsMin, timeout * 1000)
}
