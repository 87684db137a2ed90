import { kvHttpLimits } from '../../base/limits/kv.js'
import { streamsExhausted, streamsOfClientExhausted } from './routes-failures.js'

/** Counts the streams that are open, so that neither one client nor all together have more than the host bears. */
export class StreamSlots {
  readonly #byClient = new Map<string, number>()
  #open = 0

  /** Streams that are open. */
  get size(): number {
    return this.#open
  }

  /**
   * Takes a place for a stream.
   *
   * @returns Gives the place back; calls after the first do nothing.
   * @throws `KV_STREAMS_EXHAUSTED`, 429 when the client has too many and 503 when all together have.
   */
  take(client: string): () => void {
    const { streamsMax, streamsPerClientMax, streamsRetrySeconds } = kvHttpLimits
    const options = { retryAfterSeconds: streamsRetrySeconds }
    const own = this.#byClient.get(client) ?? 0
    if (own >= streamsPerClientMax) throw streamsOfClientExhausted({ max: streamsPerClientMax }, options)
    if (this.#open >= streamsMax) throw streamsExhausted({ max: streamsMax }, options)
    this.#byClient.set(client, own + 1)
    this.#open += 1
    let isTaken = true
    return () => {
      if (isTaken) this.#giveBack(client)
      isTaken = false
    }
  }

  #giveBack(client: string): void {
    this.#open -= 1
    const left = (this.#byClient.get(client) ?? 1) - 1
    if (left === 0) this.#byClient.delete(client)
    else this.#byClient.set(client, left)
  }
}
