import { credentialLimits } from '../base/limits/identity.js'

/** What was used, and when. */
export type LastUse = readonly [id: string, usedAt: number]

/** How uses are noted. */
export interface LastUsesOptions {
  /** Least time between two notes of one id. */
  readonly everyMs: number
  /** Writes notes; a failure is told to `onFailure`, and a later use tries again. */
  readonly write: (uses: readonly LastUse[]) => Promise<void>
  readonly onFailure: (error: unknown) => void
}

/** Notes when credentials were last used: seldom, several together, and beside the requests that use them. */
export class LastUses {
  readonly #options: LastUsesOptions
  readonly #waiting = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(options: LastUsesOptions) {
    this.#options = options
  }

  /**
   * Notes a use.
   *
   * @param notedAt When the use before was; undefined when there is no note of one.
   */
  note(id: string, notedAt: number | undefined, now: number): void {
    if (notedAt !== undefined && now - notedAt < this.#options.everyMs) return
    if (this.#waiting.has(id) || this.#waiting.size >= credentialLimits.lastUseWaitingMax) return
    this.#waiting.set(id, now)
    this.#timer ??= setTimeout(() => void this.flush(), credentialLimits.lastUseDelayMs).unref()
  }

  /** Writes what waits; resolves when it is written, or has failed. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  async #write(): Promise<void> {
    if (this.#waiting.size === 0) return
    const uses = [...this.#waiting]
    try {
      await this.#options.write(uses)
    } catch (error) {
      this.#options.onFailure(error)
    }
    // Kept until now, so that uses in the meantime are not noted twice.
    for (const [id] of uses) this.#waiting.delete(id)
  }
}
