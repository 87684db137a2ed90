import { stageLimits } from '../../base/limits/gateway.js'
import { isAmbiguousTarget } from '../../gateway/request-path.js'
import { isBlockedRequestHeader } from '../../outbound/request-headers.js'

/** Names that say who sends a request, beside those that belong to the connection and to proxies. */
const heldNames: ReadonlySet<string> = new Set(['authorization', 'cookie', 'cookie2', 'origin', 'x-identity'])

/**
 * Names by which servers behind take another method, path or sender than the ones that the request has and that were
 * approved. A stage may take them out, which guards.
 */
const overridingNames: ReadonlySet<string> = new Set([
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-uri',
  'x-original-url',
  'x-rewrite-url',
  'cf-connecting-ip',
  'fastly-client-ip',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
])

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const invalidValuePattern = /[^\t\x20-\x7e\x80-\xff]/

/** Tells whether a header of a request, in any spelling, is one that stages may neither set nor remove. */
export function isHeldRequestHeader(name: string): boolean {
  if (isBlockedRequestHeader(name)) return true
  const folded = fold(name)
  return heldNames.has(folded) || folded.startsWith('sec-')
}

/** Servers that turn headers into variables do not tell "_" from "-". */
function fold(name: string): string {
  return name.trim().toLowerCase().replaceAll('_', '-')
}

/**
 * Judges one header that a stage gives a request; undefined means that it is fine.
 *
 * @param value Undefined to remove the header.
 */
export function checkRequestHeader(name: string, value: string | undefined): string | undefined {
  const shown = JSON.stringify(name.slice(0, 64))
  if (isHeldRequestHeader(name)) {
    return `a stage cannot change the request header ${shown}: it belongs to the sender, the connection or the host`
  }
  if (value !== undefined && overridingNames.has(fold(name))) {
    return `a stage cannot set the request header ${shown}: servers behind would take another method, path or sender; it can remove it`
  }
  if (!tokenPattern.test(name)) return `invalid request header name ${shown}: use letters, digits and "-"`
  const bytes = name.length + (value?.length ?? 0)
  if (bytes > stageLimits.requestHeaderBytesMax) {
    return `request header ${shown} has ${bytes} bytes; the limit is ${stageLimits.requestHeaderBytesMax}`
  }
  if (value === undefined || !invalidValuePattern.test(value)) return undefined
  return `invalid value of request header ${shown}: it has a control character`
}

const encodedTarget = /^\/(?!\/)[\x21-\x7e]*$/

/** Judges the path, with or without a query, that a stage gives a request; undefined means that it is fine. */
export function checkTarget(target: string): string | undefined {
  const bytes = Buffer.byteLength(target)
  if (bytes > stageLimits.targetBytesMax) {
    return `the path of the request has ${bytes} bytes; the limit is ${stageLimits.targetBytesMax}`
  }
  const isRead = encodedTarget.test(target) && isDecodable(target) && !isAmbiguousTarget(target)
  if (isRead) return undefined
  const shown = JSON.stringify(target.slice(0, 128))
  return (
    `invalid path ${shown}: it must start with one "/", be URL-encoded, and have no dot segments, backslashes or ` +
    'fragment; a query may follow behind "?"'
  )
}

function isDecodable(target: string): boolean {
  try {
    decodeURIComponent(target.split('?', 1)[0] ?? '')
    return true
  } catch {
    return false
  }
}
