import { responseHeaderLimits } from '../../base/limits/plugins.js'

/** Names that belong to the host or to the connection; a plugin never sets them. */
const blockedNames: ReadonlySet<string> = new Set([
  // What the host says of every answer.
  'cache-control',
  'content-security-policy',
  'content-security-policy-report-only',
  'date',
  'server',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
  'x-request-id',
  // Framing and hop-by-hop.
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // What reaches beyond the answer, to the whole origin that the plugin shares with the host and its neighbours.
  'alt-svc',
  'clear-site-data',
  'nel',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'set-cookie',
  'set-cookie2',
])

const blockedPrefixes: readonly string[] = ['access-control-', 'proxy-']

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const invalidValuePattern = /[^\t\x20-\x7e\x80-\xff]/

/** Tells whether a header name, in any spelling, is one that plugins may not set. */
export function isBlockedResponseHeader(name: string): boolean {
  let folded = name.trim().toLowerCase()
  if (folded.includes('_')) folded = folded.replaceAll('_', '-')
  return blockedNames.has(folded) || blockedPrefixes.some((prefix) => folded.startsWith(prefix))
}

/**
 * Judges one header of a plugin's response.
 *
 * @returns `ok` when it may be sent, `blocked` when it is left out with a warning, or else a sentence that says
 *   why the whole response is an error.
 */
export function checkResponseHeader(name: string, value: string): string {
  if (isBlockedResponseHeader(name)) return 'blocked'
  const bytes = name.length + value.length
  if (bytes > responseHeaderLimits.bytesMax) {
    const shown = JSON.stringify(name.slice(0, 64))
    return `response header ${shown} has ${bytes} bytes; the limit is ${responseHeaderLimits.bytesMax}`
  }
  if (!tokenPattern.test(name)) {
    return `invalid response header name ${JSON.stringify(name.slice(0, 64))}: use letters, digits and "-"`
  }
  if (invalidValuePattern.test(value)) {
    return `invalid value of response header "${name}": it has a control character or one beyond Latin-1`
  }
  return 'ok'
}

/**
 * Judges the number of headers of a plugin's response; undefined means that it is fine, a text says what is
 * wrong.
 */
export function checkResponseHeaderCount(count: number): string | undefined {
  if (count <= responseHeaderLimits.countMax) return undefined
  return `the response has ${count} headers; the limit is ${responseHeaderLimits.countMax}`
}
