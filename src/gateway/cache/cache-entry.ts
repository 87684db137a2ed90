import { createHash } from 'node:crypto'
import { cacheLimits } from '../../base/limits/gateway.js'
import { type CacheRequest, headerOf } from './cache-request.js'
import { type AnswerHead, ageSeconds } from './freshness.js'

/** A header of requests and the value that it must have; undefined when it must be absent. */
export type Selector = readonly [name: string, value: string | undefined]

/** An answer in the cache. */
export interface CacheEntry {
  readonly primary: string
  readonly host: string
  readonly url: string
  /** The requests that it answers. */
  readonly selectors: readonly Selector[]
  readonly tags: readonly string[]
  readonly status: number
  /** Name, value, name, value. */
  readonly headers: readonly string[]
  readonly body: Uint8Array
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  /** When the request was sent that it answers, on the clock of the cache; the answer is no older. */
  readonly askedMs: number
  /** Seconds that it had spent in caches before. */
  readonly ageBefore: number
  readonly lifetimeSeconds: number
  /** What it counts for. */
  readonly bytes: number
}

/** The head of an answer with all its headers. */
export interface FullHead extends AnswerHead {
  headers(): readonly (readonly [name: string, value: string])[]
}

/** What is kept of an answer's head, before its body has arrived. */
export interface KeptHead {
  readonly request: CacheRequest
  readonly askedMs: number
  readonly lifetimeSeconds: number
  readonly ageBefore: number
  readonly status: number
  readonly headers: readonly string[]
  readonly selectors: readonly Selector[]
  readonly tags: readonly string[]
}

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/

/** Bytes for what an entry needs beside its texts and its body. */
const overhead = 512

/** Headers of one answer, of one connection, or of stages in front of the cache. */
const unkept: ReadonlySet<string> = new Set([
  'age',
  'cache-tag',
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'server-timing',
  'set-cookie',
  'surrogate-control',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-cache',
  'x-request-id',
])

const unkeptFamily = /^(?:access-control-|x-ratelimit-|ratelimit)/

/**
 * Takes what is to be kept of an answer's head.
 *
 * @param keyed Headers that every answer depends on.
 * @param own Headers that stages in front have given to this one answer already.
 * @returns Undefined when the answer must not be kept for reasons beside its freshness.
 */
export function keepHead(
  request: CacheRequest,
  head: FullHead,
  keyed: readonly string[],
  own: ReadonlyMap<string, string>,
  times: { readonly askedMs: number; readonly lifetimeSeconds: number },
): KeptHead | undefined {
  const selectors = selectorsOf(request, head, keyed)
  const tags = readTags(head.header('cache-tag'))
  if (selectors === undefined || tags === undefined) return undefined
  if (head.header('set-cookie') !== undefined || head.header('content-range') !== undefined) return undefined
  if (/^text\/event-stream\b/i.test(head.header('content-type') ?? '')) return undefined
  const named = new Set(listOf(head.header('connection')))
  const headers = new Map<string, string>()
  for (const [spelled, value] of head.headers()) {
    const name = spelled.toLowerCase()
    if (own.get(name) === value) continue
    // What servers behind us say of other origins is for one of these.
    if (name.startsWith('access-control-')) return undefined
    if (unkept.has(name) || unkeptFamily.test(name) || named.has(name)) continue
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return {
    request,
    ...times,
    ageBefore: ageSeconds(head),
    status: head.status,
    headers: [...headers].flat(),
    selectors,
    tags,
  }
}

/** Makes an entry of a head and its body. An answer with status 200 without a validator gets one. */
export function makeEntry(kept: KeptHead, body: Uint8Array): CacheEntry {
  const { request, headers, selectors, tags, status } = kept
  const find = (name: string) => headers[headers.indexOf(name) + 1]
  const own = headers.includes('etag') ? find('etag') : undefined
  const etag = own ?? (status === 200 ? contentTag(body) : undefined)
  const texts = [request.primary, ...headers, ...selectors.flat(), ...tags]
  return {
    primary: request.primary,
    host: request.host,
    url: request.url,
    selectors,
    tags,
    status,
    headers: etag === undefined || own !== undefined ? headers : [...headers, 'etag', etag],
    body,
    etag,
    lastModified: headers.includes('last-modified') ? find('last-modified') : undefined,
    askedMs: kept.askedMs,
    ageBefore: kept.ageBefore,
    lifetimeSeconds: kept.lifetimeSeconds,
    bytes: texts.reduce((sum, text) => sum + 2 * (text?.length ?? 0), overhead + body.byteLength),
  }
}

/** Seconds since the answer was made, on the clock of the cache. */
export function ageOf(entry: CacheEntry, nowMs: number): number {
  return entry.ageBefore + (nowMs - entry.askedMs) / 1000
}

/** Tells whether an entry answers a request. */
export function isSelected(entry: CacheEntry, { headers }: CacheRequest): boolean {
  return entry.selectors.every(([name, value]) => headerOf(headers, name) === value)
}

/** Weak, as the body may be compressed on its way out. */
function contentTag(body: Uint8Array): string {
  return `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
}

function selectorsOf(
  { headers }: CacheRequest,
  head: AnswerHead,
  keyed: readonly string[],
): readonly Selector[] | undefined {
  const vary = listOf(head.header('vary'))
  if (vary.length > cacheLimits.varyNamesMax || !vary.every((name) => token.test(name) && name !== '*')) {
    return undefined
  }
  const names = new Set([...keyed, ...vary])
  // Who encodes an answer depends on the header, also when he forgets to say so.
  if ((head.header('content-encoding') ?? 'identity') !== 'identity') names.add('accept-encoding')
  const selectors = [...names].map((name): Selector => [name, headerOf(headers, name)])
  const length = selectors.reduce((sum, [name, value = '']) => sum + name.length + value.length, 0)
  return length > cacheLimits.keyLengthMax ? undefined : selectors
}

/** @returns Undefined when there are too many tags, or one is too long. */
function readTags(text: string | undefined): readonly string[] | undefined {
  const tags = [...new Set((text ?? '').split(',').map((tag) => tag.trim()))].filter((tag) => tag !== '')
  const isKept =
    tags.length <= cacheLimits.tagsMax && tags.every((tag) => tag.length <= cacheLimits.tagLengthMax)
  return isKept ? tags : undefined
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
