import { kvLimits } from '../../base/limits/kv.js'
import { after } from '../key.js'
import type { ListQuery, StoredEntry, StoredPage } from '../store.js'
import type { KvSession } from './session.js'

type EntryRow = readonly [
  key: Buffer,
  kind: number,
  value: string | Buffer,
  versionstamp: number,
  expiresAt: number | null,
]

type OneRow = readonly [kind: number, value: string | Buffer, versionstamp: number, expiresAt: number | null]

const columns = 'key, kind, value, versionstamp, expires_at'
const one = 'select kind, value, versionstamp, expires_at from kv_entries where namespace = ? and key = ?'
const range = `select ${columns} from kv_entries where namespace = ? and key >= ? and key < ? order by key`
const forwards = `${range} limit ?`
const backwards = `${range} desc limit ?`

/** Reads one entry of a namespace; undefined when there is none or it has expired. */
export function readEntry(
  session: KvSession,
  namespaceId: number,
  key: Buffer,
  nowMs: number,
): StoredEntry | undefined {
  const row = session.statement(one).get(namespaceId, key) as OneRow | undefined
  if (row === undefined || isExpired(row[3], nowMs)) return undefined
  const [kind, data, versionstamp] = row
  return { key, kind, data, versionstamp }
}

/** Reads a page; entries that have expired or do not match are looked at all the same, so they are bounded too. */
export function listEntries(
  session: KvSession,
  namespaceId: number,
  query: ListQuery,
  nowMs: number,
): StoredPage {
  const { limit, isReverse, matches } = query
  const { writtenUntil = Number.MAX_SAFE_INTEGER, lookedMax = kvLimits.scanEntriesMax } = query
  const statement = session.statement(isReverse ? backwards : forwards)
  const entries: StoredEntry[] = []
  let { start, end } = query.range
  let looked = 0
  let bytes = 0
  while (Buffer.compare(start, end) < 0) {
    const asked = Math.min(matches === undefined ? limit - entries.length : rowsPerLook, rowsPerLook)
    const rows = statement.all(namespaceId, start, end, asked) as EntryRow[]
    for (const row of rows) {
      if (isReverse) end = row[0]
      else start = after(row[0])
      looked += 1
      bytes += row[0].length + row[2].length
      const isSeen = !isExpired(row[4], nowMs) && row[3] <= writtenUntil
      const entry = isSeen ? toEntry(row) : undefined
      if (entry !== undefined && (matches === undefined || matches(entry))) entries.push(entry)
      const isFull = entries.length >= limit || looked >= lookedMax || bytes >= kvLimits.pageBytesMax
      if (isFull) return { entries, rest: { start, end } }
    }
    if (rows.length < asked) break
  }
  return { entries, rest: undefined }
}

/** Rows that one statement reads: large values that are not wanted any more are bounded by it. */
const rowsPerLook = 100

/** Tells whether an entry with this time of expiry is gone. */
export function isExpired(expiresAt: number | null, nowMs: number): boolean {
  return expiresAt !== null && expiresAt <= nowMs
}

function toEntry([key, kind, data, versionstamp]: EntryRow): StoredEntry {
  return { key, kind, data, versionstamp }
}
