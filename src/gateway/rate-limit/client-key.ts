import { createHash } from 'node:crypto'
import { clientNetwork } from '../../base/ip-address.js'
import { rateLimitLimits } from '../../base/limits/gateway.js'
import type { Exchange } from '../exchange.js'
import { keyStrategyInvalid } from './errors.js'

/** Tells by a text of its own whose requests are counted together; undefined leaves it to the address. */
export type KeyFunction = (exchange: Exchange) => string | undefined | Promise<string | undefined>

/** Gives the key of the bucket that a request takes its tokens from. Never fails. */
export type ClientKey = (exchange: Exchange) => string | Promise<string>

/** What the keys of plugins come from. */
export interface KeyFunctions {
  /** The function `<plugin>/<name>` as it stands now; undefined while there is none. */
  find(name: string): KeyFunction | undefined
  /** Is told that a function failed; its clients are told apart by their addresses then. */
  failed(name: string, error: unknown): void
}

const headerName = /^[\w!#$%&'*+.^`|~-]{1,100}$/
const pluginFunction = /^[a-z][a-z0-9_-]{0,63}\/[\w.-]{1,100}$/

/** Headers whose values prove who somebody is; such values are shown to nobody. */
const credentials: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'x-session-id',
])

/**
 * Makes the function that gives keys, of the text of a strategy:
 *
 * | strategy              | key                                                                                |
 * | --------------------- | ---------------------------------------------------------------------------------- |
 * | `ip`                  | `ip:<address>`, of an IPv6 address the network of 64 bits that one client controls  |
 * | `user`                | `user:<id>` of who has proved to send the request                                   |
 * | `tenant`              | `tenant:<value>` of who has proved to send the request, else of X-Tenant-Id         |
 * | `header:<name>`       | `header:<name>:<value>`, name in lower case                                         |
 * | `cookie:<name>`       | `cookie:<name>:<digest>`                                                            |
 * | `lua:<plugin>/<name>` | `lua:<plugin>/<name>:<text>` that the function of the plugin gives                  |
 *
 * A request without what its strategy asks for is counted by its address. Values of credentials and those longer than
 * `rateLimitLimits.keyLengthMax` are replaced by their digests. What clients set by themselves, as headers are, they
 * can change for each request: take such strategies where something in front sets the header or checks it.
 *
 * @throws `RATE_LIMIT_KEY_INVALID` for any other text.
 */
export function createClientKey(keyBy: string, functions: KeyFunctions): ClientKey {
  if (keyBy === 'ip') return ipKey
  if (keyBy === 'user') return (exchange) => keyOf('user:', exchange.user?.id) ?? ipKey(exchange)
  if (keyBy === 'tenant')
    // Who belongs to a tenant takes nothing from the bucket of another.
    return (exchange) =>
      keyOf('tenant:', exchange.user?.tenant ?? exchange.header('x-tenant-id')) ?? ipKey(exchange)
  const at = keyBy.indexOf(':')
  const name = keyBy.slice(at + 1)
  switch (at < 0 ? '' : keyBy.slice(0, at)) {
    case 'header':
      if (headerName.test(name)) return headerKey(name.toLowerCase())
      break
    case 'cookie':
      if (headerName.test(name)) return cookieKey(name)
      break
    case 'lua':
      if (pluginFunction.test(name)) return functionKey(name, functions)
  }
  throw keyStrategyInvalid({ keyBy })
}

function ipKey(exchange: Exchange): string {
  return `ip:${clientNetwork(exchange.ip)}`
}

function headerKey(name: string): ClientKey {
  const prefix = `header:${name}:`
  const isSecret = credentials.has(name)
  return (exchange) => keyOf(prefix, exchange.header(name), isSecret) ?? ipKey(exchange)
}

function cookieKey(name: string): ClientKey {
  const prefix = `cookie:${name}:`
  return (exchange) => keyOf(prefix, cookieOf(exchange.header('cookie'), name), true) ?? ipKey(exchange)
}

function functionKey(name: string, functions: KeyFunctions): ClientKey {
  const prefix = `lua:${name}:`
  return (exchange) => {
    const failed = (error: unknown): string => {
      functions.failed(name, error)
      return ipKey(exchange)
    }
    try {
      const given = functions.find(name)?.(exchange)
      if (!(given instanceof Promise)) return keyOf(prefix, given) ?? ipKey(exchange)
      return given.then((text) => keyOf(prefix, text) ?? ipKey(exchange)).catch(failed)
    } catch (error) {
      return failed(error)
    }
  }
}

function keyOf(prefix: string, value: string | undefined, isSecret = false): string | undefined {
  if (value === undefined || value === '') return undefined
  return prefix + (isSecret ? digestOf(value) : boundKey(value))
}

/** Gives a key back as it is, or its digest when it is longer than `rateLimitLimits.keyLengthMax`. */
export function boundKey(key: string): string {
  return key.length > rateLimitLimits.keyLengthMax ? digestOf(key) : key
}

function digestOf(value: string): string {
  return `sha256-${createHash('sha256').update(value, 'utf16le').digest('base64url')}`
}

/** The value of the first cookie of a name, as browsers and servers read it. */
function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}
