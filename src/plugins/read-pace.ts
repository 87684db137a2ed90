import { setTimeout as sleep } from 'node:timers/promises'
import type { HostError } from '../base/errors.js'
import { coreLimits } from '../base/limits/content.js'
import { coreReadTooLate } from './core-errors.js'

/** When the reads of one plugin may go on. */
interface Lane {
  /** Settles when the read before has had its rest. */
  tail: Promise<void>
  /** Reads that wait or run. */
  count: number
}

/**
 * Lets each plugin read what the host has one at a time, and rest after reads that took long, so that none of them takes
 * more than a part of the HTTP thread, however many calls it makes.
 */
export class ReadPace {
  readonly #lanes = new Map<string, Lane>()
  readonly #tooLate: () => HostError

  /** @param tooLate Makes the failure of a read whose turn comes too late; `CORE_READ_TOO_LATE` when missing. */
  constructor(tooLate: () => HostError = () => coreReadTooLate()) {
    this.#tooLate = tooLate
  }

  /**
   * Runs a read when it is its turn.
   *
   * @param waitMsMax How long its caller waits; a read whose turn comes later does not run.
   * @throws HostError of the constructor then, and what the read throws.
   */
  async run<T>(plugin: string, waitMsMax: number, read: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(plugin) ?? { tail: Promise.resolve(), count: 0 }
    this.#lanes.set(plugin, lane)
    lane.count += 1
    const askedMs = performance.now()
    const running = lane.tail.then(() => {
      if (performance.now() - askedMs > waitMsMax) throw this.#tooLate()
      return timed(read)
    })
    lane.tail = running.then(({ tookMs }) => rest(tookMs)).catch(() => undefined)
    void lane.tail.then(() => this.#leave(plugin, lane))
    const { result } = await running
    if ('error' in result) throw result.error
    return result.value
  }

  #leave(plugin: string, lane: Lane): void {
    lane.count -= 1
    if (lane.count === 0) this.#lanes.delete(plugin)
  }
}

type Timed<T> = {
  readonly tookMs: number
  readonly result: { readonly value: T } | { readonly error: unknown }
}

/** A read that fails has taken its time too: a scan that was stopped is the longest of all. */
async function timed<T>(read: () => Promise<T>): Promise<Timed<T>> {
  const startMs = performance.now()
  const result = await read().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  return { tookMs: performance.now() - startMs, result }
}

async function rest(tookMs: number): Promise<void> {
  if (tookMs <= coreLimits.readMsFree) return
  await sleep(Math.min(tookMs * coreLimits.restFactor, coreLimits.restMsMax))
}
