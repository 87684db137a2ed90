import { outboundLimits } from '../base/limits/outbound.js'

/** Names that belong to the connection, to the host or to proxies; a plugin never sets them. */
const blockedNames: ReadonlySet<string> = new Set([
  // Framing and hop-by-hop.
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // The host of the URL is the host that was approved.
  'host',
  // Bodies are limited by the bytes that arrive.
  'accept-encoding',
  // Who asks is for the host to say.
  'forwarded',
  'via',
  'x-real-ip',
  'x-request-id',
])

const blockedPrefixes: readonly string[] = ['proxy-', 'x-forwarded-']

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const invalidValuePattern = /[^\t\x20-\x7e\x80-\xff]/

/** Tells whether a header name, in any spelling, is one that plugins may not set; such headers are left out. */
export function isBlockedRequestHeader(name: string): boolean {
  // Servers that turn headers into variables do not tell "_" from "-".
  const folded = name.trim().toLowerCase().replaceAll('_', '-')
  return blockedNames.has(folded) || blockedPrefixes.some((prefix) => folded.startsWith(prefix))
}

export interface HeaderSources {
  /** What the plugin wants; names that it may not set are left out. */
  readonly given: readonly (readonly [name: string, value: string])[]
  /** What is sent where the plugin says nothing else; names in lower case. */
  readonly defaults: Readonly<Record<string, string>>
  /** What is sent whatever the plugin says; names in lower case. */
  readonly forced: Readonly<Record<string, string>>
}

/** Headers that can be sent: only `compose` makes them. */
export class RequestHeaders {
  /** Names in lower case, and values in Latin-1. */
  readonly entries: readonly (readonly [name: string, value: string])[]

  private constructor(entries: ReadonlyMap<string, string>) {
    this.entries = [...entries]
  }

  /** Puts the headers of a request together; a header that HTTP cannot carry fails the request, not just itself. */
  static compose({ given, defaults, forced }: HeaderSources): ComposedHeaders {
    if (given.length > outboundLimits.requestHeadersMax) {
      return refuse(`${given.length} request headers; the limit is ${outboundLimits.requestHeadersMax}`)
    }
    const entries = new Map(Object.entries(defaults))
    let bytes = 0
    for (const [name, text] of given) {
      if (isBlockedRequestHeader(name)) continue
      // HTTP carries bytes: text beyond Latin-1 goes as its UTF-8.
      const value = Buffer.from(text).toString('latin1')
      const fault = headerFault(name, value)
      if (fault !== undefined) return refuse(fault)
      bytes += name.length + value.length
      entries.set(name.toLowerCase(), value)
    }
    if (bytes > outboundLimits.requestHeaderBytesMax) {
      return refuse(
        `request headers have ${bytes} bytes; the limit is ${outboundLimits.requestHeaderBytesMax}`,
      )
    }
    for (const [name, value] of Object.entries(forced)) entries.set(name, value)
    return { ok: true, headers: new RequestHeaders(entries) }
  }

  /** Value of a header by its name in lower case; undefined without it. */
  get(name: string): string | undefined {
    return this.entries.find(([each]) => each === name)?.[1]
  }
}

export type ComposedHeaders =
  | { readonly ok: true; readonly headers: RequestHeaders }
  | { readonly ok: false; readonly reason: string }

function refuse(reason: string): ComposedHeaders {
  return { ok: false, reason }
}

function headerFault(name: string, value: string): string | undefined {
  const shown = JSON.stringify(name.slice(0, 64))
  if (!tokenPattern.test(name)) return `invalid request header name ${shown}: use letters, digits and "-"`
  if (!invalidValuePattern.test(value)) return undefined
  return `invalid value of request header ${shown}: it has a control character`
}
