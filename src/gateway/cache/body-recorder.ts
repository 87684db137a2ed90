import { Transform, type TransformCallback } from 'node:stream'
import { cacheLimits } from '../../base/limits/gateway.js'

/** Memory for bodies that are collected while they pass. */
export class RecordingBudget {
  readonly #bytesMax: number
  #taken = 0

  constructor(bytesMax: number = cacheLimits.recordingBytesMax) {
    this.#bytesMax = bytesMax
  }

  /** @returns False when there is not so much left; nothing is taken then. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.#bytesMax) return false
    this.#taken += bytes
    return true
  }

  give(bytes: number): void {
    this.#taken -= bytes
  }
}

/**
 * Collects a body while it passes. It takes the body in as fast as it comes, however slowly the client reads: who
 * waits for it does not wait for a slow client.
 */
export class BodyRecorder extends Transform {
  readonly #sizeMax: number
  readonly #expected: number | undefined
  readonly #onWhole: (body: Uint8Array) => void
  readonly #onNone: () => void
  #chunks: Uint8Array[] | undefined = []
  #size = 0

  /**
   * @param expected The length that the head of the answer says.
   * @param onWhole Is given the body once it has come to its end in its full length.
   * @param onNone Is called when it has become too large or has broken off.
   */
  constructor(
    sizeMax: number,
    expected: number | undefined,
    onWhole: (body: Uint8Array) => void,
    onNone: () => void,
  ) {
    super({ readableHighWaterMark: sizeMax })
    this.#sizeMax = sizeMax
    this.#expected = expected
    this.#onWhole = onWhole
    this.#onNone = onNone
    this.once('close', () => this.#giveUp())
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#size += chunk.byteLength
    if (this.#size > this.#sizeMax) this.#giveUp()
    else this.#chunks?.push(chunk)
    done(null, chunk)
  }

  override _flush(done: TransformCallback): void {
    const chunks = this.#chunks
    const isWhole = this.#expected === undefined || this.#expected === this.#size
    if (chunks !== undefined && isWhole) {
      this.#chunks = undefined
      this.#onWhole(Buffer.concat(chunks))
    } else this.#giveUp()
    done()
  }

  #giveUp(): void {
    if (this.#chunks === undefined) return
    this.#chunks = undefined
    this.#onNone()
  }
}
