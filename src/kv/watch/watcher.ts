import { kvLimits } from '../../base/limits/kv.js'
import { decodeKey, type KeyRange } from '../key.js'
import type { KvBatch, KvChange } from '../kv.js'
import type { ChangeReader, StoredChange } from '../sqlite/change-reader.js'
import type { KvStore, StoredEntry } from '../store.js'
import { decodeValue } from '../stored-value.js'
import { showVersionstamp } from '../versionstamp.js'
import type { WatchHub } from './watch-hub.js'
import type { WatchTarget } from './watch-target.js'

/** What a watcher reads from. */
export interface WatcherDoors {
  readonly namespace: string
  readonly store: Pick<KvStore, 'read' | 'list'>
  readonly changes: ChangeReader
  readonly hub: WatchHub
  /** Runs a read, again while the file is locked. */
  readonly run: <T>(read: () => T) => Promise<T>
}

interface ResetPage {
  readonly entries: readonly StoredEntry[]
  readonly rest: KeyRange | undefined
}

const done = { done: true, value: undefined } as const

/**
 * Follows a target at the pace of its reader: it keeps the versionstamp that it has read up to, and reads on only when
 * it is asked for a batch.
 */
export class Watcher implements AsyncIterableIterator<KvBatch> {
  readonly #doors: WatcherDoors
  readonly #target: WatchTarget
  readonly #signal: AbortSignal | undefined
  /** Undefined before the first page of a reset. */
  #position: number | undefined
  /** What is left of a reset. */
  #rest: KeyRange | undefined
  #last: Promise<unknown> = Promise.resolve()
  #hasEnded = false
  #wake: (() => void) | undefined

  /** @param position Versionstamp to go on behind; undefined begins with all that there is. */
  constructor(doors: WatcherDoors, target: WatchTarget, position: number | undefined, signal?: AbortSignal) {
    this.#doors = doors
    this.#target = target
    this.#position = position
    this.#signal = signal
    doors.hub.add(doors.namespace, this)
    signal?.addEventListener('abort', this.#abort, { once: true })
    if (signal?.aborted === true) this.end()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<KvBatch, undefined>> {
    const result = this.#last.then(() => this.#next())
    // Who asks again before the answer waits for it; a failure ends the watcher.
    this.#last = result.catch(() => this.end())
    return result
  }

  async return(): Promise<IteratorResult<KvBatch, undefined>> {
    this.end()
    return done
  }

  /** Ends the watch; who waits for a batch is told that there are no more. */
  end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#doors.hub.remove(this.#doors.namespace, this)
    this.#wake?.()
  }

  readonly #abort = (): void => this.end()

  async #next(): Promise<IteratorResult<KvBatch, undefined>> {
    while (!this.#hasEnded) {
      if (this.#position === undefined || this.#rest !== undefined) {
        return { done: false, value: await this.#readReset() }
      }
      const batch = await this.#readChanges(this.#position)
      if (batch !== undefined && !this.#hasEnded) return { done: false, value: batch }
    }
    return done
  }

  /** Reads on, or waits until there is something to read; undefined when the watcher has to look again. */
  async #readChanges(position: number): Promise<KvBatch | undefined> {
    const { changes, namespace, run } = this.#doors
    const step = await run(() => changes.read(namespace, position, this.#target.wants))
    // Forgotten: everything is read anew.
    this.#position = step?.until
    if (step === undefined) return undefined
    if (step.changes.length > 0) {
      return {
        reset: false,
        isComplete: true,
        changes: step.changes.map(toChange),
        versionstamp: showVersionstamp(step.until),
      }
    }
    if (step.isLast) await this.#waitForCommit(step.until)
    return undefined
  }

  async #waitForCommit(position: number): Promise<void> {
    if (this.#hasEnded) return
    await new Promise<void>((resolve) => {
      const stop = this.#doors.hub.wait(this.#doors.namespace, position, resolve)
      this.#wake = () => {
        stop()
        resolve()
      }
    })
    this.#wake = undefined
  }

  async #readReset(): Promise<KvBatch> {
    const { changes, namespace, run } = this.#doors
    const page = await run(() =>
      changes.snapshot(() => {
        // The changes from here on follow the reset.
        this.#position ??= changes.bounds(namespace).versionstamp
        return this.#readPage()
      }),
    )
    this.#rest = page.rest
    const isComplete = page.rest === undefined
    return {
      reset: true,
      isComplete,
      changes: page.entries.map(toSet),
      // Who stops in the middle has to begin again.
      versionstamp: showVersionstamp(isComplete ? (this.#position ?? 0) : 0),
    }
  }

  #readPage(): ResetPage {
    const { store, namespace } = this.#doors
    const target = this.#target
    if ('keys' in target) {
      const entries = store.read(namespace, target.keys)
      return { entries: entries.filter((entry) => entry !== undefined), rest: undefined }
    }
    const range = this.#rest ?? target.range
    return store.list(namespace, { range, limit: kvLimits.pageEntriesMax, isReverse: false })
  }
}

/** Makes the change that watchers are told of a row of the change log. */
export function toChange({ key, kind, data, versionstamp }: StoredChange): KvChange {
  const shown = { key: decodeKey(key), versionstamp: showVersionstamp(versionstamp) }
  if (kind === null || data === null) return { type: 'delete', value: null, ...shown }
  return { type: 'set', value: decodeValue({ kind, data }), ...shown }
}

/** Makes the change that tells a watcher of an entry that is there. */
export function toSet(entry: StoredEntry): KvChange {
  return {
    type: 'set',
    key: decodeKey(entry.key),
    value: decodeValue(entry),
    versionstamp: showVersionstamp(entry.versionstamp),
  }
}
