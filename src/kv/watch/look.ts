import { kvLimits } from '../../base/limits/kv.js'
import { kvResetTooLarge } from '../errors.js'
import type { KeyRange } from '../key.js'
import type { KvBatch } from '../kv.js'
import type { StoredEntry } from '../store.js'
import { showVersionstamp } from '../versionstamp.js'
import type { WatchTarget } from './watch-target.js'
import { toChange, toSet, type WatcherDoors } from './watcher.js'

/** What a look reads from. */
export type LookDoors = Omit<WatcherDoors, 'hub'>

/**
 * Looks once for what has changed of a target.
 *
 * @param position Versionstamp to go on behind; undefined for all that there is.
 * @throws `KV_RESET_TOO_LARGE` where all that there is has to be told but is too much at once.
 */
export async function lookForChanges(
  doors: LookDoors,
  target: WatchTarget,
  position: number | undefined,
): Promise<KvBatch> {
  const changes = position === undefined ? undefined : await readChanges(doors, target, position)
  return changes ?? readAll(doors, target)
}

/** Undefined when they have been forgotten. */
async function readChanges(
  { changes, namespace, run }: LookDoors,
  { wants }: WatchTarget,
  position: number,
): Promise<KvBatch | undefined> {
  let step = await run(() => changes.read(namespace, position, wants))
  // Passes over commits that have nothing of the target.
  while (step !== undefined && step.changes.length === 0 && !step.isLast) {
    const { until } = step
    step = await run(() => changes.read(namespace, until, wants))
  }
  if (step === undefined) return undefined
  const { until } = step
  return {
    reset: false,
    isComplete: true,
    changes: step.changes.map(toChange),
    versionstamp: showVersionstamp(until),
  }
}

async function readAll(doors: LookDoors, target: WatchTarget): Promise<KvBatch> {
  const { changes, namespace, run } = doors
  // What is written while the pages are read is told again by the next look.
  const { versionstamp } = await run(() => changes.bounds(namespace))
  const entries: StoredEntry[] = []
  let bytes = 0
  for await (const entry of readEntries(doors, target)) {
    bytes += entry.key.length + entry.data.length + kvLimits.entryBytes
    if (bytes > kvLimits.resetBytesMax) throw kvResetTooLarge({ bytesMax: kvLimits.resetBytesMax })
    entries.push(entry)
  }
  return {
    reset: true,
    isComplete: true,
    changes: entries.map(toSet),
    versionstamp: showVersionstamp(versionstamp),
  }
}

async function* readEntries(
  { store, namespace, run }: LookDoors,
  target: WatchTarget,
): AsyncGenerator<StoredEntry, void> {
  if ('keys' in target) {
    for (const entry of await run(() => store.read(namespace, target.keys))) {
      if (entry !== undefined) yield entry
    }
    return
  }
  let rest: KeyRange | undefined = target.range
  while (rest !== undefined) {
    const range: KeyRange = rest
    const page = await run(() =>
      store.list(namespace, { range, limit: kvLimits.pageEntriesMax, isReverse: false }),
    )
    yield* page.entries
    rest = page.rest
  }
}
