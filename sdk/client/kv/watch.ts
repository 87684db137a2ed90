import { arrayOf, type KvApi, membersOf, type Query, textOf } from './api.js'
import { toMilliseconds } from './duration.js'
import { readEvents, type ServerEvent } from './event-stream.js'
import { checkOptions, isVersionstamp, show, trueOrFalse, wrongOption } from './options.js'
import { Persistence, pause } from './persistence.js'
import { readAhead } from './read-ahead.js'
import { oddAnswer } from './refusal.js'
import { ResetKeeper } from './reset-keeper.js'
import { follow } from './subscription.js'
import type { KvKey } from './value.js'
import type { KvBatch, KvChange, KvWatchOptions, KvWatchTarget } from './watch-types.js'
import { fromWire, keyFromWire, keyText, type Wire, wholeKeyToWire } from './wire.js'

const pollIntervalMs = 1000

/** Of a part of a reset: whoever goes on behind it begins anew. */
const noVersionstamp = '0'.repeat(20)

const optionNames = [
  'initial',
  'since',
  'signal',
  'mode',
  'pollInterval',
  'bufferSize',
  'overflowStrategy',
  'onError',
]

/**
 * Follows a target until the signal: reconnects when the connection is lost, and goes on where it was. Changes that
 * this client makes after the call are not missed.
 */
export function watchBatches(
  api: KvApi,
  target: KvWatchTarget,
  options: KvWatchOptions,
  signal: AbortSignal,
): AsyncGenerator<KvBatch> {
  const watch: Watch = { api, address: addressOf(target), signal, options: checked(options) }
  const begins = options.since ?? (options.initial === false ? readPosition(watch) : undefined)
  // Who iterates is told; until then it is no unhandled rejection.
  if (typeof begins === 'object') begins.catch(() => {})
  const batches = options.mode === 'polling' ? pollBatches(watch, begins) : streamBatches(watch, begins)
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

interface Address {
  readonly path: string
  readonly query: Query
}

interface Watch {
  readonly api: KvApi
  readonly address: Address
  readonly options: KvWatchOptions
  readonly signal: AbortSignal
}

/** Versionstamp to go on behind, now or when the server has told it; undefined begins with all that there is. */
type Beginning = string | undefined | Promise<string>

async function* streamBatches(watch: Watch, begins: Beginning): AsyncGenerator<KvBatch> {
  const { api, address, options, signal } = watch
  const persistence = new Persistence(signal, options.onError)
  const resets = new ResetKeeper()
  let since = await positionOf(watch, begins, persistence)
  while (!signal.aborted) {
    const connection = new AbortController()
    const unlink = follow(signal, connection)
    let failure: unknown
    try {
      const position = since === undefined ? {} : { 'last-event-id': since }
      const stream = await api.stream(address.path, address.query, connection.signal, position)
      for await (const event of readEvents(stream, connection.signal)) {
        persistence.succeeded()
        // Parts of a reset have no id: one that is broken off begins anew.
        if (event.id !== undefined) since = event.id
        const batch = batchOfEvent(event)
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

async function* pollBatches(watch: Watch, begins: Beginning): AsyncGenerator<KvBatch> {
  const { api, address, options, signal } = watch
  const intervalMs = toMilliseconds(options.pollInterval ?? pollIntervalMs, 'pollInterval')
  const persistence = new Persistence(signal, options.onError)
  let since = await positionOf(watch, begins, persistence)
  while (!signal.aborted) {
    let batch: KvBatch
    try {
      batch = await poll(api, address, since, signal)
      persistence.succeeded()
    } catch (thrown) {
      await persistence.pause(thrown)
      continue
    }
    since = batch.versionstamp
    if (batch.reset || batch.changes.length > 0) yield batch
    else await pause(intervalMs, signal)
  }
}

/** Waits for the beginning, and asks for it again while that fails. */
async function positionOf(
  watch: Watch,
  begins: Beginning,
  persistence: Persistence,
): Promise<string | undefined> {
  for (let position = begins; ; position = readPosition(watch)) {
    try {
      return await position
    } catch (thrown) {
      await persistence.pause(thrown)
    }
    if (watch.signal.aborted) return undefined
  }
}

/** Asks where the namespace stands; what this client writes later is behind it. */
async function readPosition({ api, signal }: Watch): Promise<string> {
  // Any key does: the answer has the versionstamp of the namespace.
  const address = addressOfKeys([[0]])
  const { versionstamp } = await api.ahead(() => poll(api, address, undefined, signal))
  return versionstamp
}

function checked(options: KvWatchOptions): KvWatchOptions {
  checkOptions(options, 'watch', optionNames)
  trueOrFalse(options.initial, 'initial')
  checkSince(options.since)
  return options
}

function checkSince(since: unknown): void {
  if (since === undefined || isVersionstamp(since)) return
  throw wrongOption(`the option "since" is ${show(since)}; it is the versionstamp of a batch`)
}

/** Asks once for what has changed behind a versionstamp, or for all that there is. */
export async function readChanges(
  api: KvApi,
  target: KvWatchTarget,
  options: { readonly since?: string },
): Promise<KvBatch> {
  checkOptions(options, 'changes', ['since'])
  checkSince(options.since)
  return await poll(api, addressOf(target), options.since)
}

async function poll(
  api: KvApi,
  { path, query }: Address,
  since: string | undefined,
  signal?: AbortSignal,
): Promise<KvBatch> {
  return batchOfPoll(
    await api.object({ method: 'GET', path: `${path}/poll`, query: { ...query, since }, signal }),
  )
}

function addressOf(target: KvWatchTarget): Address {
  if (isArray(target)) return addressOfKeys(isKeys(target) ? target : [target])
  checkOptions(target, 'watch', ['keys', 'prefix'])
  const { keys, prefix } = target as { readonly keys?: readonly KvKey[]; readonly prefix?: KvKey }
  if ((keys === undefined) === (prefix === undefined)) {
    throw wrongOption('a watch has either "keys" or a "prefix"')
  }
  return keys === undefined
    ? { path: '/watch/prefix', query: { prefix: keyText(prefix ?? []) } }
    : addressOfKeys(keys)
}

function addressOfKeys(keys: readonly KvKey[]): Address {
  if (!Array.isArray(keys) || keys.length === 0)
    throw wrongOption(`the "keys" are ${show(keys)}; name one at least`)
  return { path: '/watch', query: { keys: JSON.stringify(keys.map(wholeKeyToWire)) } }
}

function isArray(target: KvWatchTarget): target is KvKey | readonly KvKey[] {
  return Array.isArray(target)
}

/** Parts of keys are no arrays, so an array of arrays is several keys. */
export function isKeys(keys: KvKey | readonly KvKey[]): keys is readonly KvKey[] {
  return Array.isArray(keys) && Array.isArray(keys[0])
}

function batchOfEvent({ type, data, id: versionstamp = noVersionstamp }: ServerEvent): KvBatch | undefined {
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
