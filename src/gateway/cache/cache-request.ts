import type { IncomingHttpHeaders } from 'node:http'
import { cacheLimits } from '../../base/limits/gateway.js'
import type { Exchange } from '../exchange.js'
import { readDirectives, secondsOf } from './directives.js'

/** A request as the client sent it, whose answer may be in the cache. */
export interface CacheRequest {
  /** What `primaryOf` gave. */
  readonly primary: string
  readonly host: string
  /** As the client has sent it. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** What tells requests apart before an answer has said what it depends on. */
  readonly flightKey: string
  /** Seconds that an answer may be old at most. */
  readonly ageMax: number
  /** True when the client wants a fresh answer. */
  readonly isReload: boolean
  /** True when the answer may be one without content, so that it is of no use to others. */
  readonly isConditional: boolean
}

/**
 * Headers by which servers behind us make out what they were asked: part of every key, as an answer may quote them
 * without saying so.
 */
const routingHeaders = [
  'forwarded',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-forwarded-protocol',
  'x-forwarded-scheme',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'x-forwarded-uri',
  'x-host',
  'x-http-host-override',
  'x-original-host',
  'x-original-uri',
  'x-original-url',
  'x-rewrite-url',
  'x-scheme',
  'x-url-scheme',
] as const

/** With one of these, an answer is for one client, for a part, or for another method. */
const personalHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-identity',
  'x-api-key',
  'x-session-id',
  'x-auth-token',
  'x-access-token',
  'range',
  'if-match',
  'if-unmodified-since',
  'upgrade',
  'transfer-encoding',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
])

/** Tells whether a request is of one client, so that its answer must come from no cache and go to none. */
export function isPersonal(headers: IncomingHttpHeaders): boolean {
  // Requests have fewer headers than there are such names.
  for (const name in headers) {
    if (headers[name] === undefined) continue
    if (personalHeaders.has(name) || (name.includes('_') && isDisguised(name))) return true
  }
  return Number(headers['content-length'] ?? 0) !== 0
}

/** Servers behind us may take an underscore for a hyphen, so that such a header is one of those that no key has. */
function isDisguised(name: string): boolean {
  const folded = name.replaceAll('_', '-')
  return personalHeaders.has(folded) || (routingHeaders as readonly string[]).includes(folded)
}

/** Gives the headers that every answer depends on. */
export function keyedHeaders(varyBy: readonly string[]): readonly string[] {
  return [...new Set([...routingHeaders, ...varyBy.map((name) => name.toLowerCase())])]
}

/** A header by its name in lower case; several of one name are joined by commas. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/**
 * What all variants of the answers to one target have in common: who answers, as another server may have something
 * else at the same place, the host, and the URL as the client has sent it and as stages in front have made it.
 */
export function primaryOf({ destination, sentUrl, request: { raw } }: Exchange): string {
  const url = raw.url ?? '/'
  const rewritten = url === sentUrl ? '' : ` ${url}`
  // The host comes last, as only it may have spaces in it: two targets never give the same text.
  return `${destination === undefined ? 'host' : 'proxy'} ${sentUrl}${rewritten}\n${raw.headers.host ?? ''}`
}

/**
 * Reads a request; undefined when the cache has nothing to do with it.
 *
 * @param keyed What `keyedHeaders` gave.
 */
export function readCacheRequest(exchange: Exchange, keyed: readonly string[]): CacheRequest | undefined {
  const { raw } = exchange.request
  if (isPersonal(raw.headers) || exchange.user !== undefined) return undefined
  const directives = readDirectives(headerOf(raw.headers, 'cache-control'))
  if (directives.has('no-store')) return undefined
  const url = exchange.sentUrl
  const host = raw.headers.host ?? ''
  const primary = primaryOf(exchange)
  let flightKey = primary
  for (const name of keyed) {
    const value = headerOf(raw.headers, name)
    if (value !== undefined) flightKey += `\n${name}:${value}`
  }
  if (flightKey.length > cacheLimits.keyLengthMax) return undefined
  const ageMax = secondsOf(directives, 'max-age') ?? Number.POSITIVE_INFINITY
  const isReload = ageMax === 0 || directives.has('no-cache') || isLegacyReload(raw.headers)
  const isConditional =
    raw.headers['if-none-match'] !== undefined || raw.headers['if-modified-since'] !== undefined
  // Stages behind may give the request other headers; later ones are looked up by what their clients sent, as these are.
  return { primary, host, url, headers: raw.headers, flightKey, ageMax, isReload, isConditional }
}

function isLegacyReload(headers: IncomingHttpHeaders): boolean {
  return headers['cache-control'] === undefined && readDirectives(headers.pragma).has('no-cache')
}
