import { kvLimits } from '../../base/limits/kv.js'
import { retryWhileBusy } from '../../database/busy-retry.js'
import { type KeyRange, keyRange } from '../key.js'
import type { KvSession } from '../sqlite/session.js'
import type { KvStore, StoredEntry, StoredPage } from '../store.js'
import type { Matches } from './reader.js'
import type { Turn } from './turn.js'

/** What deleting acts on. */
export interface DeletingDoors {
  readonly namespace: string
  readonly session: KvSession
  readonly store: Pick<KvStore, 'read' | 'list' | 'commit'>
  readonly turn: Turn
  /** Number of the last commit of the namespace. */
  readonly lastVersionstamp: () => number
  /** Throws `KV_CLOSED` once the store is closed. */
  readonly assertOpen: () => void
}

/**
 * Deletes the entries of a range that are there when it begins: what is written meanwhile stays. Each step is one
 * commit of at most `kvLimits.deleteStepEntries` entries, in which they are read and deleted, so that the count is exact;
 * several steps are not one commit, and a reader may see some entries gone and others still there.
 *
 * @param matches Only entries for which it is true; all when undefined.
 * @returns How many entries were deleted.
 */
export async function deleteRange(
  doors: DeletingDoors,
  range: KeyRange,
  matches: Matches | undefined,
): Promise<number> {
  const writtenUntil = await retryWhileBusy(() => {
    doors.assertOpen()
    return doors.lastVersionstamp()
  })
  let deleted = 0
  let rest: KeyRange | undefined = range
  while (rest !== undefined) {
    const step = await deleteStep(doors, rest, writtenUntil, matches)
    deleted += step.deleted
    rest = step.page.rest
    if (rest !== undefined) await doors.turn.next()
  }
  return deleted
}

/** Deletes one entry if it matches. */
export async function deleteMatching(doors: DeletingDoors, key: Buffer, matches: Matches): Promise<number> {
  const step = await deleteStep(doors, keyRange(key), Number.MAX_SAFE_INTEGER, matches)
  return step.deleted
}

/**
 * Deletes entries in one commit.
 *
 * @param keys At most `kvLimits.keysMax`.
 * @param matches Only entries for which it is true; all when undefined.
 * @returns How many entries were deleted.
 */
export function deleteKeys(
  { namespace, session, store, assertOpen }: DeletingDoors,
  keys: readonly Buffer[],
  matches: Matches | undefined,
): Promise<number> {
  return retryWhileBusy(() => {
    assertOpen()
    return session.write(() => {
      const entries = store.read(namespace, keys)
      const found = entries.filter((entry) => entry !== undefined && (matches?.(entry) ?? true))
      if (found.length === 0) return 0
      const mutations = found.map((entry) => ({ type: 'delete', key: (entry as StoredEntry).key }) as const)
      return store.commit(namespace, { checks: [], mutations }).deleted
    })
  })
}

interface DeletedStep {
  readonly page: StoredPage
  readonly deleted: number
}

function deleteStep(
  { namespace, session, store, assertOpen }: DeletingDoors,
  range: KeyRange,
  writtenUntil: number,
  matches: Matches | undefined,
): Promise<DeletedStep> {
  const query = {
    range,
    limit: kvLimits.deleteStepEntries,
    lookedMax: kvLimits.filterStepEntries,
    isReverse: false,
    writtenUntil,
    ...(matches && { matches }),
  }
  return retryWhileBusy(() => {
    assertOpen()
    // A look without the write lock, which a range with nothing to delete does not need.
    const seen = store.list(namespace, query)
    if (seen.entries.length === 0) return { page: seen, deleted: 0 }
    return session.write(() => {
      const page = store.list(namespace, query)
      if (page.entries.length === 0) return { page, deleted: 0 }
      const mutations = page.entries.map(({ key }) => ({ type: 'delete', key }) as const)
      const { deleted } = store.commit(namespace, { checks: [], mutations })
      return { page, deleted }
    })
  })
}
