import { decodeKey, type KvKey } from '../key.js'
import type { KvEntry } from '../kv.js'
import type { StoredEntry } from '../store.js'
import { decodeValue } from '../stored-value.js'
import { showVersionstamp } from '../versionstamp.js'

/** Makes the answer to the question for a key. */
export function toAnswer(key: KvKey, entry: StoredEntry | undefined): KvEntry {
  if (entry === undefined) return { key, value: null, versionstamp: null }
  return { key, value: decodeValue(entry), versionstamp: showVersionstamp(entry.versionstamp) }
}

/** Makes an entry of a list. */
export function toEntry(entry: StoredEntry): KvEntry {
  return toAnswer(decodeKey(entry.key), entry)
}
