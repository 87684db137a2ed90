import type { Exchange } from '../exchange.js'
import type { StageAnswer } from '../stage.js'
import { ageOf, type CacheEntry } from './cache-entry.js'
import { type CacheRequest, headerOf } from './cache-request.js'

/** Headers that tell of content, which an answer without content does not have. */
const contentHeaders: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
])

/** Makes the answer to a request from what is in the cache; 304 when the client has it already. */
export function answerFrom(
  entry: CacheEntry,
  request: CacheRequest,
  exchange: Exchange,
  nowMs: number,
): StageAnswer {
  const isKnown = isKnownToClient(entry, request)
  const headers = ['x-cache', 'HIT', 'age', String(Math.floor(ageOf(entry, nowMs)))]
  for (let at = 0; at + 1 < entry.headers.length; at += 2) {
    const name = entry.headers[at] ?? ''
    const value = entry.headers[at + 1] ?? ''
    if (isKnown && contentHeaders.has(name)) continue
    headers.push(name, name === 'vary' ? joinVary(exchange.reply.getHeader('vary'), value) : value)
  }
  if (isKnown) return { status: 304, headers, body: undefined }
  const body = entry.status === 204 ? undefined : entry.body
  return { status: entry.status, headers, body }
}

/** What stages in front depend on holds beside what the answer depended on. */
function joinVary(own: unknown, kept: string): string {
  if (own === undefined) return kept
  const names = `${String(own)}, ${kept}`.split(',').map((name) => name.trim())
  const known = new Set<string>()
  return names
    .filter((name) => {
      const isNew = name !== '' && !known.has(name.toLowerCase())
      known.add(name.toLowerCase())
      return isNew
    })
    .join(', ')
}

function isKnownToClient(entry: CacheEntry, { headers }: CacheRequest): boolean {
  if (entry.status !== 200) return false
  const tags = headerOf(headers, 'if-none-match')
  if (tags !== undefined) return entry.etag !== undefined && namesTag(tags, entry.etag)
  const since = headerOf(headers, 'if-modified-since')
  if (since === undefined || entry.lastModified === undefined) return false
  return Date.parse(entry.lastModified) <= Date.parse(since)
}

/** Compares weakly: the bytes may be compressed in another way. */
function namesTag(tags: string, etag: string): boolean {
  if (tags.trim() === '*') return true
  const opaque = etag.replace(/^W\//, '')
  for (const [each] of tags.matchAll(/"[^"]*"/g)) if (each === opaque) return true
  return false
}
