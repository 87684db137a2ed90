import { Readable } from 'node:stream'

/** Where a body comes from. */
export interface BodySource {
  pause(): void
  resume(): void
  /** Nobody wants the rest. */
  abort(reason: Error): void
}

/** Bytes that are taken in before somebody reads. */
const earlyBytesMax = 64 * 1024

/**
 * A body that comes from elsewhere, no faster than it is read. Stages see a stream, however fast it comes; what is
 * here as a whole when they are through is sent as bytes, as a stream costs more than all stages together.
 */
export class ArrivingBody extends Readable {
  readonly #source: BodySource
  /** What came while nobody has read; undefined once somebody does. */
  #early: Buffer[] | undefined = []
  #earlyBytes = 0
  #isComplete = false

  constructor(source: BodySource) {
    super({ highWaterMark: earlyBytesMax })
    this.#source = source
  }

  /** Takes in what has come. */
  add(chunk: Buffer): void {
    if (this.#early === undefined) {
      if (!this.push(chunk)) this.#source.pause()
      return
    }
    this.#early.push(chunk)
    this.#earlyBytes += chunk.byteLength
    if (this.#earlyBytes >= earlyBytesMax) this.#source.pause()
  }

  /** Nothing more comes: the body is whole. */
  complete(): void {
    this.#isComplete = true
    if (this.#early === undefined) this.push(null)
  }

  /** Nothing more comes, and the body is not whole. */
  fail(error: Error): void {
    this.#isComplete = true
    // It may fail before anybody listens; who reads it later learns of it then.
    this.on('error', ignore).destroy(error)
  }

  /** The bytes, null when there are none, or the stream itself when they are not all here or somebody reads them. */
  whole(): Buffer | null | this {
    const chunks = this.#early
    if (chunks === undefined || !this.#isComplete || this.destroyed) return this
    const [first] = chunks
    if (first === undefined) return null
    return chunks.length === 1 ? first : Buffer.concat(chunks)
  }

  override _read(): void {
    const early = this.#early
    if (early !== undefined) {
      this.#early = undefined
      for (const chunk of early) this.push(chunk)
      if (this.#isComplete) this.push(null)
    }
    if (!this.#isComplete) this.#source.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#early = undefined
    if (!this.#isComplete) {
      this.#isComplete = true
      this.#source.abort(error ?? new Error('nobody wants the rest of the body'))
    }
    done(error)
  }
}

function ignore(): void {
  // Whoever reads it has been told.
}
