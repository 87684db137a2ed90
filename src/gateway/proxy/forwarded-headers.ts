import type { IncomingHttpHeaders } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { stripCredentials } from '../../identity/credentials.js'
import type { Exchange } from '../exchange.js'
import { canonicalIp } from '../ip-address.js'
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

/**
 * Leaves out what belongs to the connection: the known headers and those that `Connection` names.
 *
 * @param headers Names in lower case.
 */
export function endToEndHeaders(headers: IncomingHttpHeaders): Headers {
  const named = new Set(
    [headers.connection ?? []]
      .flat()
      .flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase())),
  )
  const kept: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !isOfConnection(name) && !named.has(name)) kept[name] = value
  }
  return kept
}

/** Servers behind us may take an underscore for a hyphen, also where it says how long a message is. */
function isOfConnection(name: string): boolean {
  if (!name.includes('_')) return hopByHop.has(name)
  const folded = name.replaceAll('_', '-')
  return hopByHop.has(folded) || folded === 'content-length'
}

/** Puts together the headers of a request to the target of a rule. */
export function requestHeaders(exchange: Exchange, { rule, target }: ActiveRule, via: string): Headers {
  const sent = exchange.request.raw.headers
  const headers = withoutCredentials(exchange, endToEndHeaders(sent))
  for (const name of Object.keys(headers)) {
    // Servers behind us may take an underscore for a hyphen.
    if (ours.test(name.replaceAll('_', '-'))) delete headers[name]
  }
  // The continuation is answered here, where the body is read.
  delete headers.expect
  Object.assign(headers, forwarded(exchange))
  headers.via = sent.via === undefined ? via : `${sent.via}, ${via}`
  headers.host = sent.host ?? target.host
  if (rule.changeOrigin) Object.assign(headers, { host: target.host, origin: target.origin })
  if (rule.base !== undefined || rule.relativePaths) headers['accept-encoding'] = 'identity'
  for (const [name, value] of Object.entries(rule.headers ?? {})) headers[name.toLowerCase()] = value
  return headers
}

/** Our cookie goes nowhere; a token only where it has not been found to be for us. */
function withoutCredentials(exchange: Exchange, headers: Headers): Headers {
  const { authorization, cookie, ...others } = headers
  const own = exchange.user === undefined ? ['cookie'] : ['cookie', 'authorization']
  const sent = own.flatMap((name) => (typeof headers[name] === 'string' ? [name, headers[name]] : []))
  const kept = stripCredentials(sent)
  if (authorization !== undefined && exchange.user === undefined) others.authorization = authorization
  for (let at = 0; at + 1 < kept.length; at += 2) others[kept[at] as string] = kept[at + 1] as string
  return others
}

/** Where the request comes from. What the peer says of that counts only when it is a proxy of ours. */
function forwarded(exchange: Exchange): Headers {
  const { socket, headers } = exchange.request.raw
  const peer = canonicalIp(socket.remoteAddress ?? '') ?? 'unknown'
  const { ip } = exchange
  const isTrusted = ip !== peer
  const proto = isTrusted ? exchange.header('x-forwarded-proto') : undefined
  const host = isTrusted ? exchange.header('x-forwarded-host') : undefined
  const isTls = (socket as TLSSocket).encrypted === true
  return {
    'x-forwarded-for': isTrusted ? `${exchange.header('x-forwarded-for')}, ${peer}` : peer,
    'x-real-ip': ip,
    'x-forwarded-proto': proto === 'https' || proto === 'http' ? proto : isTls ? 'https' : 'http',
    ...((host ?? headers.host) === undefined ? {} : { 'x-forwarded-host': host ?? headers.host ?? '' }),
  }
}
