import { isIP } from 'node:net'
import { outboundLimits } from '../base/limits/outbound.js'

/** Where a request goes: the parts of a URL, as the one parser of URLs normalized them. */
export interface OutboundTarget {
  /** Without the colon, e.g. `https`. */
  readonly scheme: string
  /** Name or address in lower case; an IPv6 address without its brackets. */
  readonly host: string
  readonly port: number
  /** Path and query, percent-encoded; starts with `/`. */
  readonly path: string
}

/** What came of reading a URL. */
export type ReadUrl =
  | { readonly ok: true; readonly target: OutboundTarget }
  | { readonly ok: false; readonly reason: string }

// biome-ignore lint/suspicious/noControlCharactersInRegex: the parser would drop them without a word.
const controlCharacter = /[\u0000-\u001f\u007f]/

const defaultPorts: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 }

/**
 * Reads a URL, once: nothing after it looks at the text again, so that no two parsers can disagree. Numeric and
 * mixed spellings of IPv4 addresses come out dotted, names in lower case and in ASCII.
 *
 * @returns The target, whatever its scheme; or why the text is not one, for the author of the plugin.
 */
export function readOutboundUrl(text: string): ReadUrl {
  if (text.length > outboundLimits.urlCharactersMax) {
    return refuse(`it has ${text.length} characters; the limit is ${outboundLimits.urlCharactersMax}`)
  }
  if (controlCharacter.test(text)) return refuse('it has a control character')
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '') {
    return refuse('it needs a scheme and host, e.g. "https://api.example.com/v1"')
  }
  if (url.username !== '' || url.password !== '') {
    return refuse('it has userinfo before the host; send credentials in a header')
  }
  if (url.hostname.endsWith('.')) return refuse('its host ends with a dot')
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  const port = url.port === '' ? (defaultPorts[url.protocol] ?? 0) : Number(url.port)
  const path = `${url.pathname.startsWith('/') ? '' : '/'}${url.pathname}${url.search}`
  return { ok: true, target: { scheme: url.protocol.slice(0, -1), host, port, path } }
}

function refuse(reason: string): ReadUrl {
  return { ok: false, reason }
}

/** Gives host and port as they stand in a URL; a default port is left out. */
export function authorityOf({ scheme, host, port }: OutboundTarget): string {
  const shown = isIP(host) === 6 ? `[${host}]` : host
  return port === defaultPorts[`${scheme}:`] ? shown : `${shown}:${port}`
}

/** Hosts that a request without TLS can go to, where the configuration allows it at all. */
const plainHosts: readonly string[] = ['127.0.0.1', '::1']

/**
 * Says why the scheme of a target is refused; undefined when it may be asked for.
 *
 * @param allowLocal Whether this machine itself may be asked, and then without TLS.
 */
export function refuseScheme({ scheme, host }: OutboundTarget, allowLocal: boolean): string | undefined {
  if (scheme === 'https') return undefined
  if (scheme === 'http' && allowLocal && plainHosts.includes(host)) return undefined
  const local = allowLocal ? `; http only to ${plainHosts.join(' and ')}` : ''
  return `scheme "${scheme.slice(0, 32)}" is not allowed: use https${local}`
}

const ports: readonly number[] = [outboundLimits.httpsPort, outboundLimits.alternativePort]

/** Says why the port of a target is refused; undefined when it may be asked for. */
export function refusePort({ host, port }: OutboundTarget, allowLocal: boolean): string | undefined {
  if (ports.includes(port)) return undefined
  if (allowLocal && isLoopback(host)) return undefined
  return `port ${port} is not allowed: use ${ports.join(' or ')}`
}

function isLoopback(host: string): boolean {
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
