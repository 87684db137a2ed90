import type { KvApi } from './api.js'
import { commit } from './atomic.js'
import { toMilliseconds } from './duration.js'
import { MutationList } from './mutations.js'
import { checkOptions, wholeNumber } from './options.js'
import { pause } from './persistence.js'
import { refused } from './refusal.js'
import type {
  KvCommitResult,
  KvEnqueueOptions,
  KvEntry,
  KvMutations,
  KvSetOptions,
  KvTransactionOptions,
  KvTransactionResult,
} from './types.js'
import type { KvKey, KvU64, KvValue } from './value.js'
import { keyText } from './wire.js'

type Operand = number | bigint | KvU64
type ReadEntry = (key: KvKey) => Promise<KvEntry>

/** Longest time before a repetition. */
const pauseMaxMs = 10_000

/** What `Kv.transaction` hands to its function: reads are remembered and checked, writes wait for the end. */
export class KvTransaction implements KvMutations<void> {
  readonly #read: ReadEntry
  readonly #list = new MutationList()
  readonly #reads = new Map<string, Promise<KvEntry>>()
  #hasEnded = false

  constructor(read: ReadEntry) {
    this.#read = read
  }

  /** Reads an entry as it is stored, without what this transaction writes. */
  async get(key: KvKey): Promise<KvEntry> {
    this.#assertOpen()
    const text = keyText(key)
    const known = this.#reads.get(text)
    if (known !== undefined) return await known
    const read = this.#read(key)
    this.#reads.set(text, read)
    return await read
  }

  set(key: KvKey, value: KvValue, options?: KvSetOptions): void {
    this.#open.set(key, value, options)
  }

  delete(key: KvKey): void {
    this.#open.delete(key)
  }

  sum(key: KvKey, value: Operand, options?: KvSetOptions): void {
    this.#open.sum(key, value, options)
  }

  max(key: KvKey, value: Operand, options?: KvSetOptions): void {
    this.#open.max(key, value, options)
  }

  min(key: KvKey, value: Operand, options?: KvSetOptions): void {
    this.#open.min(key, value, options)
  }

  append(key: KvKey, items: readonly KvValue[], options?: KvSetOptions): void {
    this.#open.append(key, items, options)
  }

  prepend(key: KvKey, items: readonly KvValue[], options?: KvSetOptions): void {
    this.#open.prepend(key, items, options)
  }

  enqueue(value: KvValue, options?: KvEnqueueOptions): void {
    this.#open.enqueue(value, options)
  }

  /** Runs the function; whatever it keeps of this transaction cannot be used afterwards. */
  async run<T>(work: (transaction: KvTransaction) => T | Promise<T>): Promise<T> {
    try {
      return await work(this)
    } finally {
      this.#hasEnded = true
    }
  }

  /** Commits what was written, with a check of each key that was read. */
  async commit(api: KvApi): Promise<KvCommitResult> {
    for (const read of this.#reads.values()) this.#list.check(await read)
    return await commit(api, this.#list)
  }

  get #open(): MutationList {
    this.#assertOpen()
    return this.#list
  }

  #assertOpen(): void {
    if (!this.#hasEnded) return
    throw refused('KV_USED_AFTER_END', 'the function of this transaction has ended; await all that it does')
  }
}

/** Runs a function in transactions until one of them meets no conflict. */
export async function runTransaction<T>(
  api: KvApi,
  read: ReadEntry,
  work: (transaction: KvTransaction) => T | Promise<T>,
  options: KvTransactionOptions,
): Promise<KvTransactionResult<T>> {
  checkOptions(options, 'transaction', ['maxRetries', 'retryDelay'])
  const { maxRetries = 0, retryDelay = 10 } = options
  wholeNumber(maxRetries, 'maxRetries', 0)
  const delayMs = toMilliseconds(retryDelay, 'retryDelay')
  for (let attempt = 0; ; attempt += 1) {
    const transaction = new KvTransaction(read)
    const value = await transaction.run(work)
    const result = await transaction.commit(api)
    if (result.ok) return { ok: true, value, versionstamp: result.versionstamp }
    if (attempt >= maxRetries) return { ok: false, error: 'conflict' }
    // Randomness keeps two that met once from meeting again.
    const pauseMs = delayMs * 2 ** attempt + Math.random() * delayMs
    await pause(Math.min(pauseMs, pauseMaxMs), new AbortController().signal)
  }
}
