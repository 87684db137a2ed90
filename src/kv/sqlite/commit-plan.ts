import { kvLimits } from '../../base/limits/kv.js'
import { combineIntegers, combineLists } from '../arithmetic.js'
import { kvCommitTooLarge } from '../errors.js'
import type { Check, Mutation } from '../store.js'
import type { StoredValue } from '../stored-value.js'
import { isExpired } from './entries.js'
import type { EntryChange } from './observers.js'
import type { KvSession } from './session.js'

/** What one key is and will be. */
export interface PlannedEntry {
  readonly key: Buffer
  /** Bytes of the row that is there, expired or not; undefined when there is none. */
  readonly rowBytes: number | undefined
  /** True while it is to be read: not deleted and not expired. */
  isThere: boolean
  /** What is to be written; undefined while nothing was set. */
  value: StoredValue | undefined
  expiresAt: number | undefined
  /** Of the row that is there, for checks. */
  readonly versionstamp: number | undefined
  isChanged: boolean
}

type EntryMutation = Exclude<Mutation, { type: 'enqueue' }>
type Combining = Exclude<EntryMutation, { type: 'set' | 'delete' }>

type MetaRow = readonly [versionstamp: number, bytes: number, expiresAt: number | null]
type ValueRow = readonly [kind: number, data: string | Buffer]

/**
 * Works out what a commit does before anything is written, so that one that is refused leaves nothing behind: later
 * mutations see earlier ones.
 */
export class CommitPlan {
  readonly entries = new Map<string, PlannedEntry>()
  /** In the order of the mutations. */
  readonly changes: EntryChange[] = []
  /** Entries that `delete` mutations removed. */
  deleted = 0
  readonly #session: KvSession
  readonly #namespaceId: number
  readonly #nowMs: number
  /** Of the values that were combined so far. */
  #combinedBytes = 0

  constructor(session: KvSession, namespaceId: number, nowMs: number) {
    this.#session = session
    this.#namespaceId = namespaceId
    this.#nowMs = nowMs
  }

  /** Tells whether a check holds for the entries as they are before the commit. */
  holds({ key, versionstamp }: Check): boolean {
    const entry = this.#find(key)
    return (entry.isThere ? entry.versionstamp : null) === versionstamp
  }

  /**
   * Adds a mutation.
   *
   * @throws `KV_TYPE_MISMATCH`, `KV_OVERFLOW`, `KV_VALUE_TOO_LARGE`, `KV_COMMIT_TOO_LARGE`.
   */
  add(mutation: EntryMutation): void {
    const entry = this.#find(mutation.key)
    if (mutation.type === 'delete') this.#delete(entry)
    else if (mutation.type === 'set') this.#set(entry, mutation.value, mutation.expiresAt)
    else this.#set(entry, this.#combine(entry, mutation), mutation.expiresAt ?? keptExpiry(entry))
  }

  /** How the room that the namespace takes changes. */
  growth(): { readonly entries: number; readonly bytes: number } {
    let entries = 0
    let bytes = 0
    for (const entry of this.entries.values()) {
      if (!entry.isChanged) continue
      if (entry.rowBytes !== undefined) {
        entries -= 1
        bytes -= entry.rowBytes
      }
      if (entry.value === undefined) continue
      entries += 1
      bytes += entry.key.length + entry.value.bytes + kvLimits.entryBytes
    }
    return { entries, bytes }
  }

  #combine(entry: PlannedEntry, mutation: Combining): StoredValue {
    const { type, value } = mutation
    const current = this.#valueOf(entry)
    this.#countCombined(current?.data.length ?? 0)
    return type === 'append' || type === 'prepend'
      ? combineLists(type, entry.key, current, value)
      : combineIntegers(type, entry.key, current, value)
  }

  #countCombined(bytes: number): void {
    const max = kvLimits.combinedBytesMax
    this.#combinedBytes += bytes
    if (this.#combinedBytes <= max) return
    const what = 'bytes of entries that steps go on from'
    throw kvCommitTooLarge({ count: this.#combinedBytes, max, what })
  }

  #set(entry: PlannedEntry, value: StoredValue, expiresAt: number | undefined): void {
    entry.isThere = !isExpired(expiresAt ?? null, this.#nowMs)
    entry.value = value
    entry.expiresAt = expiresAt
    entry.isChanged = true
    this.changes.push({ key: entry.key, value })
  }

  #delete(entry: PlannedEntry): void {
    if (entry.isThere) this.deleted += 1
    // A row that has expired goes too, and watchers that have seen it are told.
    const isRow = entry.value !== undefined || (entry.rowBytes !== undefined && !entry.isChanged)
    entry.isThere = false
    entry.value = undefined
    entry.expiresAt = undefined
    if (!isRow) return
    entry.isChanged = true
    this.changes.push({ key: entry.key, value: undefined })
  }

  #find(key: Buffer): PlannedEntry {
    const name = key.toString('latin1')
    const known = this.entries.get(name)
    if (known !== undefined) return known
    const row = this.#session
      .statement(
        'select versionstamp, length(key) + octet_length(value), expires_at from kv_entries where namespace = ? and key = ?',
      )
      .get(this.#namespaceId, key) as MetaRow | undefined
    const entry: PlannedEntry = {
      key,
      rowBytes: row && row[1] + kvLimits.entryBytes,
      isThere: row !== undefined && !isExpired(row[2], this.#nowMs),
      value: undefined,
      expiresAt: row?.[2] ?? undefined,
      versionstamp: row?.[0],
      isChanged: false,
    }
    this.entries.set(name, entry)
    return entry
  }

  /** The value that a mutation goes on from; undefined where there is none. */
  #valueOf(entry: PlannedEntry): Pick<StoredValue, 'kind' | 'data'> | undefined {
    if (!entry.isThere) return undefined
    if (entry.value !== undefined) return entry.value
    const row = this.#session
      .statement('select kind, value from kv_entries where namespace = ? and key = ?')
      .get(this.#namespaceId, entry.key) as ValueRow | undefined
    return row && { kind: row[0], data: row[1] }
  }
}

function keptExpiry(entry: PlannedEntry): number | undefined {
  return entry.isThere ? entry.expiresAt : undefined
}
