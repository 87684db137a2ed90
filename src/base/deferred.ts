/** A promise that is settled from outside. A rejection that nobody waits for is not an unhandled one. */
export class Deferred<T> {
  readonly promise: Promise<T>
  #resolve: (value: T) => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(() => undefined)
  }

  /** Settles the promise; later calls have no effect. */
  resolve(value: T): void {
    this.#resolve(value)
  }

  /** Settles the promise with an error; later calls have no effect. */
  reject(error: Error): void {
    this.#reject(error)
  }
}
