import { kvLimits } from '../../base/limits/kv.js'
import type { StoredValue } from '../stored-value.js'
import type { KvSession, NamespaceState } from './session.js'

/** Bytes of a change beside its key and value. */
const rowBytes = 24

/** Old changes are forgotten in strokes of this many bytes, as each stroke has a price of its own. */
const strokeBytes = kvLimits.changesBytesMax / 64

/** Keeps what a commit did to one key, for watchers. Changes the state, which the caller writes back. */
export function logChange(
  session: KvSession,
  state: NamespaceState,
  ordinal: number,
  key: Buffer,
  value: StoredValue | undefined,
): void {
  session
    .statement(
      'insert into kv_changes (namespace, versionstamp, ordinal, key, kind, value) values (?, ?, ?, ?, ?, ?)',
    )
    .run(state.id, state.versionstamp, ordinal, key, value?.kind ?? null, value?.data ?? null)
  state.changesBytes += rowBytes + key.length + (value?.bytes ?? 0)
}

/** Forgets the oldest commits beyond the limit; what a commit logged is forgotten as a whole. */
export function trimChanges(session: KvSession, state: NamespaceState): void {
  if (state.changesBytes < kvLimits.changesBytesMax + strokeBytes) return
  const commits = session
    .statement(
      'select versionstamp, sum(length(key) + coalesce(octet_length(value), 0) + ?) from kv_changes where namespace = ? group by versionstamp order by versionstamp',
    )
    .iterate(rowBytes, state.id) as IterableIterator<[versionstamp: number, bytes: number]>
  for (const [versionstamp, bytes] of commits) {
    // The commit that is being made stays, however large it is.
    if (state.changesBytes <= kvLimits.changesBytesMax || versionstamp >= state.versionstamp) break
    state.changesBytes -= bytes
    state.changesFrom = versionstamp
  }
  session
    .statement('delete from kv_changes where namespace = ? and versionstamp <= ?')
    .run(state.id, state.changesFrom)
}
