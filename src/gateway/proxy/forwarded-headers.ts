import type { IncomingHttpHeaders } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { canonicalIp } from '../../base/ip-address.js'
import type { Identity } from '../../identity/identity.js'
import type { Exchange } from '../exchange.js'
import { identityHeader, identityHeaderName } from './identity-header.js'
import type { ActiveRule } from './rule-reader.js'

/** Headers by their names in lower case. */
export type Headers = Record<string, string | string[]>

/** They belong to one connection, not to the message. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** What is said here is ours to say: where a request comes from, and who has sent it. */
const ours = /^(?:x-identity|x-real-ip|forwarded|x-forwarded-.*)$/

const none: ReadonlySet<string> = new Set()

/**
 * Leaves out what belongs to the connection: the known headers and those that `Connection` names.
 *
 * @param headers Names in lower case.
 */
export function endToEndHeaders(headers: IncomingHttpHeaders): Headers {
  const named = namedByConnection(headers)
  const kept: Headers = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !isOfConnection(name) && !named.has(name)) kept[name] = value
  }
  return kept
}

function namedByConnection({ connection }: IncomingHttpHeaders): ReadonlySet<string> {
  // Names nothing but itself, in nearly all messages.
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return none
  return new Set(
    [connection].flat().flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase())),
  )
}

/** Servers behind us may take an underscore for a hyphen, also where it says how long a message is. */
function isOfConnection(name: string): boolean {
  if (!name.includes('_')) return hopByHop.has(name)
  const folded = name.replaceAll('_', '-')
  return hopByHop.has(folded) || folded === 'content-length'
}

/** What the host itself says to targets. */
export interface HostWords {
  /** What is added to `Via`. */
  readonly via: string
  /** Who sends a request, for rules that tell it. */
  identityOf(request: FastifyRequest): Identity
}

/**
 * Puts together the headers of a request to the target of a rule.
 *
 * @throws `PROXY_IDENTITY_TOO_LONG`.
 */
export function requestHeaders(
  exchange: Exchange,
  { rule, target }: ActiveRule,
  { via, identityOf }: HostWords,
): Headers {
  const sent = exchange.request.raw.headers
  const headers = passedOn(exchange, sent)
  addForwarded(headers, exchange)
  headers.via = sent.via === undefined ? via : `${sent.via}, ${via}`
  headers.host = sent.host ?? target.host
  if (rule.changeOrigin) {
    headers.host = target.host
    headers.origin = target.origin
  }
  if (rule.base !== undefined || rule.relativePaths) headers['accept-encoding'] = 'identity'
  for (const name in rule.headers) headers[name.toLowerCase()] = rule.headers[name] as string
  const identity = rule.identity ? identityHeader(identityOf(exchange.request)) : undefined
  if (identity !== undefined) headers[identityHeaderName] = identity
  return headers
}

/** What of a request is for the target, in one pass: nothing is taken out of it again. */
function passedOn(exchange: Exchange, sent: IncomingHttpHeaders): Headers {
  const named = namedByConnection(sent)
  const kept: Headers = {}
  for (const name in sent) {
    const value = sent[name]
    if (value === undefined || isOfConnection(name) || named.has(name) || isOurs(name)) continue
    // The continuation is answered here, where the body is read.
    if (name === 'expect') continue
    const passed = withoutCredential(exchange, name, value)
    if (passed !== undefined) kept[name] = passed
  }
  return kept
}

/** Servers behind us may take an underscore for a hyphen. */
function isOurs(name: string): boolean {
  if (!name.startsWith('x') && !name.startsWith('f')) return false
  return ours.test(name.includes('_') ? name.replaceAll('_', '-') : name)
}

/** Our sessions and keys go nowhere; a token only where it has not been found to be for us. */
function withoutCredential(
  exchange: Exchange,
  name: string,
  value: string | string[],
): string | string[] | undefined {
  // Node gives several values only of headers that are none of ours.
  if (typeof value !== 'string') return value
  const { user, credentials } = exchange
  const isUnclaimed = name === 'authorization' && user === undefined && !credentials.isOwnToken(value)
  return isUnclaimed ? value : credentials.clean(name, value)
}

/** Where the request comes from. What the peer says of that counts only when it is a proxy of ours. */
function addForwarded(headers: Headers, exchange: Exchange): void {
  const { socket, headers: sent } = exchange.request.raw
  const peer = canonicalIp(socket.remoteAddress ?? '') ?? 'unknown'
  const { ip } = exchange
  const isTrusted = ip !== peer
  const proto = isTrusted ? exchange.header('x-forwarded-proto') : undefined
  const host = (isTrusted ? exchange.header('x-forwarded-host') : undefined) ?? sent.host
  const isTls = (socket as TLSSocket).encrypted === true
  headers['x-forwarded-for'] = isTrusted ? `${exchange.header('x-forwarded-for')}, ${peer}` : peer
  headers['x-real-ip'] = ip
  headers['x-forwarded-proto'] = proto === 'https' || proto === 'http' ? proto : isTls ? 'https' : 'http'
  if (host !== undefined) headers['x-forwarded-host'] = host
}
