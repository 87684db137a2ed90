import { arrayOf, type KvApi, membersOf, type Query, textOf } from './api.js'
import { toMilliseconds } from './duration.js'
import { readEvents, type ServerEvent } from './event-stream.js'
import { Persistence, pause } from './persistence.js'
import { readAhead } from './read-ahead.js'
import { oddAnswer } from './refusal.js'
import { ResetKeeper } from './reset-keeper.js'
import { follow } from './subscription.js'
import type { KvKey } from './value.js'
import type { KvBatch, KvChange, KvWatchOptions, KvWatchTarget } from './watch-types.js'
import { fromWire, keyFromWire, keyText, type Wire, wholeKeyToWire } from './wire.js'

const pollIntervalMs = 1000

/** Follows a target until the signal: reconnects when the connection is lost, and goes on where it was. */
export function watchBatches(
  api: KvApi,
  target: KvWatchTarget,
  options: KvWatchOptions,
  signal: AbortSignal,
): AsyncGenerator<KvBatch> {
  const read = options.mode === 'polling' ? pollBatches : streamBatches
  const batches = read(api, target, options, signal)
  if (options.bufferSize === undefined) return batches
  return readAhead(batches, options.bufferSize, options.overflowStrategy ?? 'drop-oldest')
}

/** A watch as something to iterate over; each iteration watches for itself. */
export function watchIterable(
  api: KvApi,
  target: KvWatchTarget,
  options: KvWatchOptions,
): AsyncIterable<KvBatch> {
  return {
    [Symbol.asyncIterator]: () => {
      const stopping = new AbortController()
      const unlink = follow(options.signal, stopping)
      const batches = watchBatches(api, target, options, stopping.signal)
      const leave = async () => {
        // A generator that waits for the server would not see that its reader has left.
        stopping.abort()
        unlink()
        await batches.return(undefined)
        return { done: true as const, value: undefined }
      }
      return { next: () => batches.next(), return: leave }
    },
  }
}

async function* streamBatches(
  api: KvApi,
  target: KvWatchTarget,
  options: KvWatchOptions,
  signal: AbortSignal,
): AsyncGenerator<KvBatch> {
  const { path, query } = addressOf(target)
  const persistence = new Persistence(signal, options.onError)
  const resets = new ResetKeeper()
  let since = options.since
  while (!signal.aborted) {
    const connection = new AbortController()
    const unlink = follow(signal, connection)
    let failure: unknown
    try {
      const position = since === undefined ? {} : { 'last-event-id': since }
      const initial = { ...query, initial: options.initial ?? true }
      const stream = await api.stream(path, initial, connection.signal, position)
      for await (const event of readEvents(stream)) {
        persistence.succeeded()
        // Parts of a reset have no id: one that is broken off begins anew.
        if (event.id !== undefined) since = event.id
        const batch = batchOfEvent(event, since)
        if (batch !== undefined) yield resets.keep(batch)
      }
    } catch (thrown) {
      failure = thrown
    } finally {
      unlink()
      connection.abort()
    }
    resets.breakOff()
    await persistence.pause(failure)
  }
}

async function* pollBatches(
  api: KvApi,
  target: KvWatchTarget,
  options: KvWatchOptions,
  signal: AbortSignal,
): AsyncGenerator<KvBatch> {
  const intervalMs = toMilliseconds(options.pollInterval ?? pollIntervalMs)
  const persistence = new Persistence(signal, options.onError)
  let since = options.since
  while (!signal.aborted) {
    let batch: KvBatch
    try {
      batch = await readChanges(api, target, since, signal)
      persistence.succeeded()
    } catch (thrown) {
      await persistence.pause(thrown)
      continue
    }
    const isWanted = since !== undefined || (options.initial ?? true)
    since = batch.versionstamp
    if (isWanted && (batch.reset || batch.changes.length > 0)) yield batch
    if (batch.changes.length === 0 || !isWanted) await pause(intervalMs, signal)
  }
}

/** Asks once for what has changed behind a versionstamp, or for all that there is. */
export async function readChanges(
  api: KvApi,
  target: KvWatchTarget,
  since?: string,
  signal?: AbortSignal,
): Promise<KvBatch> {
  const { path, query } = addressOf(target)
  const request = { method: 'GET', path: `${path}/poll`, query: { ...query, since }, signal } as const
  return batchOfPoll(await api.object(request))
}

function addressOf(target: KvWatchTarget): { readonly path: string; readonly query: Query } {
  if (isArray(target)) return addressOfKeys(isKeys(target) ? target : [target])
  if ('keys' in target) return addressOfKeys(target.keys)
  return { path: '/watch/prefix', query: { prefix: keyText(target.prefix) } }
}

function addressOfKeys(keys: readonly KvKey[]): { readonly path: string; readonly query: Query } {
  return { path: '/watch', query: { keys: JSON.stringify(keys.map(wholeKeyToWire)) } }
}

function isArray(target: KvWatchTarget): target is KvKey | readonly KvKey[] {
  return Array.isArray(target)
}

/** Parts of keys are no arrays, so an array of arrays is several keys. */
export function isKeys(keys: KvKey | readonly KvKey[]): keys is readonly KvKey[] {
  return Array.isArray(keys) && Array.isArray(keys[0])
}

function batchOfEvent({ type, data }: ServerEvent, versionstamp = ''): KvBatch | undefined {
  if (type !== 'change' && type !== 'reset') return undefined
  const wire = parse(data)
  if (type === 'change') {
    return { reset: false, isComplete: true, changes: changesOf(wire), versionstamp }
  }
  const { complete, entries } = membersOf(wire)
  return { reset: true, isComplete: complete === true, changes: changesOf(entries), versionstamp }
}

function batchOfPoll({ entries, versionstamp, reset }: Readonly<Record<string, Wire>>): KvBatch {
  return {
    reset: reset === true,
    isComplete: true,
    changes: changesOf(entries),
    versionstamp: textOf(versionstamp, 'versionstamp'),
  }
}

function changesOf(wire: Wire): readonly KvChange[] {
  return arrayOf(wire, 'entries').map((item) => {
    const { key, value, versionstamp, type } = membersOf(item)
    return {
      type: type === 'delete' ? 'delete' : 'set',
      key: keyFromWire(key),
      value: fromWire(value ?? null),
      versionstamp: textOf(versionstamp, 'versionstamp'),
    }
  })
}

function parse(data: string): Wire {
  try {
    return JSON.parse(data) as Wire
  } catch {
    throw oddAnswer('has an event that is not JSON')
  }
}
