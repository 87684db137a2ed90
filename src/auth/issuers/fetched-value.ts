/** What an issuer has to be asked for cannot be had at the moment. The message is for the log. */
export class IssuerUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'IssuerUnavailable'
  }
}

export interface FetchedValueOptions<T> {
  /** Fetches the value; whatever it throws counts as `IssuerUnavailable`. */
  load(): Promise<T>
  /** Age in milliseconds at which the value is fetched anew. */
  readonly ageMs: number
  /** Time in milliseconds after a failure in which nothing is fetched. */
  readonly retryMs: number
  /** Milliseconds that never go back; `performance.now` when missing. */
  readonly clock?: () => number
}

/**
 * A value that is fetched when it is needed first, and again when it is old. However many ask for it, there is one fetch
 * at a time, and a pause after one that failed.
 */
export class FetchedValue<T> {
  readonly #options: FetchedValueOptions<T>
  readonly #clock: () => number
  #loading: Promise<T> | undefined
  #loaded: { readonly value: T; readonly at: number } | undefined
  #failed: { readonly error: IssuerUnavailable; readonly at: number } | undefined

  constructor(options: FetchedValueOptions<T>) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
  }

  /**
   * Gives the value.
   *
   * @param ageMs Milliseconds; a value as old as this is fetched anew. That of the options when missing.
   * @throws IssuerUnavailable
   */
  async get(ageMs: number = this.#options.ageMs): Promise<T> {
    const now = this.#clock()
    if (this.#loaded !== undefined && now - this.#loaded.at < ageMs) return this.#loaded.value
    if (this.#loading === undefined) {
      if (this.#failed !== undefined && now - this.#failed.at < this.#options.retryMs)
        throw this.#failed.error
      this.#loading = this.#load()
    }
    return this.#loading
  }

  async #load(): Promise<T> {
    try {
      const value = await this.#options.load()
      this.#loaded = { value, at: this.#clock() }
      this.#failed = undefined
      return value
    } catch (error) {
      const unavailable =
        error instanceof IssuerUnavailable
          ? error
          : new IssuerUnavailable(error instanceof Error ? error.message : String(error), error)
      this.#failed = { error: unavailable, at: this.#clock() }
      throw unavailable
    } finally {
      this.#loading = undefined
    }
  }
}
