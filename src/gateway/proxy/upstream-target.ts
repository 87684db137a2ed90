import { isAmbiguousElsewhere } from '../request-path.js'
import { pathRefused, ruleInvalid } from './errors.js'

/** Where a rule leads, in parts. */
export interface UpstreamTarget {
  /** E.g. `https://api.example:8443`. */
  readonly origin: string
  readonly isTls: boolean
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string
  /** As it stands in a `Host` header. */
  readonly host: string
  readonly port: number
  /** Path in front of every requested path, without a slash at its end. */
  readonly prefix: string
}

/**
 * Reads the target of a rule.
 *
 * @throws `PROXY_RULE_INVALID` when it is no http or https URL, or has more than an origin and a path.
 */
export function readTarget(text: string): UpstreamTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw ruleInvalid({
      reason: `target "${text}" is not an http or https URL; ws and wss are written http and https`,
    })
  }
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/]*@/.test(text)) {
    throw ruleInvalid({ reason: 'target has a user or password; set a header instead' })
  }
  if (text.includes('?') || text.includes('#'))
    throw ruleInvalid({ reason: 'target has a query or a fragment' })
  const isTls = url.protocol === 'https:'
  return {
    origin: url.origin,
    isTls,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    host: url.host,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    prefix: url.pathname.replace(/\/+$/, ''),
  }
}

/**
 * Builds the path and query to ask a target for.
 *
 * @param url What the client has asked for.
 * @param rewrite `$1` and so on stand for groups; the path as it came when missing.
 * @param groups What the pattern found in the path as the router reads it.
 * @throws `PROXY_PATH_REFUSED` when the path could be read as another server, or left the path of the target.
 */
export function upstreamPath(
  target: UpstreamTarget,
  url: string,
  rewrite: string | undefined,
  groups: readonly (string | undefined)[],
): string {
  const queryAt = url.indexOf('?')
  const sent = queryAt === -1 ? url : url.slice(0, queryAt)
  const query = queryAt === -1 ? '' : url.slice(queryAt)
  const path = rewrite === undefined ? sent : encodePath(fillIn(rewrite, groups))
  if (!plain.test(path) && isDoubtful(target, path)) throw pathRefused()
  return `${target.prefix}${path}${sendableQuery.test(query) ? query : encodeQuery(query)}`
}

/** Segments that do not begin with a dot, of characters that stand for themselves: everybody reads these alike. */
const plain = /^(?:\/(?![/.])[\w.~!$&'()*+,;=:@-]*)+$/

function isDoubtful(target: UpstreamTarget, path: string): boolean {
  return !sendable.test(path) || isAmbiguousElsewhere(path) || leadsElsewhere(target, path)
}

const sendable = /^\/(?!\/)[\x21-\x7e]*$/
const sendableQuery = /^[\x21-\x7e]*$/

function leadsElsewhere({ origin }: UpstreamTarget, path: string): boolean {
  return !URL.canParse(path, origin) || new URL(path, origin).origin !== origin
}

function fillIn(rewrite: string, groups: readonly (string | undefined)[]): string {
  const path = rewrite.replace(/\$(\d{1,2})/g, (_, digits: string) => groups[Number(digits)] ?? '')
  return path.startsWith('/') ? path : `/${path}`
}

/** The router's reading keeps the percent signs of reserved characters, so what stands there is an escape. */
function encodePath(path: string): string {
  try {
    return encodeURI(path).replaceAll('%25', '%')
  } catch {
    throw pathRefused()
  }
}

function encodeQuery(query: string): string {
  return query.replace(/[^\x21-\x7e]/g, (char) =>
    [...Buffer.from(char, 'latin1')].map((byte) => `%${byte.toString(16).toUpperCase()}`).join(''),
  )
}
