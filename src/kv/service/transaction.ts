import { setTimeout as pause } from 'node:timers/promises'
import { kvLimits } from '../../base/limits/kv.js'
import { kvUsedAfterEnd } from '../errors.js'
import { encodeKey, type KvKey } from '../key.js'
import type {
  KvEnqueueOptions,
  KvEntry,
  KvMutateOptions,
  KvSetOptions,
  KvTransaction,
  KvTransactionOptions,
  KvTransactionResult,
} from '../kv.js'
import { MutationList } from '../mutation-list.js'
import { checkOptions, invalid, readInteger, show } from '../options.js'
import type { KvU64, KvValue } from '../value.js'
import { parseVersionstamp, showVersionstamp } from '../versionstamp.js'
import type { Submit } from './atomic.js'

type Operand = number | bigint | KvU64

/** What a transaction acts on. */
export interface TransactionDoors {
  readonly clock: () => number
  readonly read: (key: KvKey) => Promise<KvEntry>
  readonly submit: Submit
}

/**
 * Runs a function, then commits what it wrote with a check of each key that it read; again after a conflict.
 *
 * @throws What the function throws; nothing is written then.
 */
export async function runTransaction<T>(
  doors: TransactionDoors,
  work: (transaction: KvTransaction) => T | Promise<T>,
  options?: KvTransactionOptions,
): Promise<KvTransactionResult<T>> {
  if (typeof work !== 'function') throw invalid(`The work of "transaction" is ${show(work)}, not a function.`)
  checkOptions(options, 'transaction', ['maxRetries', 'retryDelay'])
  const retries = readInteger(
    options?.maxRetries,
    'maxRetries',
    { min: 0, max: kvLimits.transactionRetriesMax },
    0,
  )
  const delayMs = readInteger(
    options?.retryDelay,
    'retryDelay',
    { min: 0, max: kvLimits.transactionPauseMsMax },
    10,
  )
  for (let attempt = 0; ; attempt += 1) {
    const transaction = new BufferedTransaction(doors)
    const value = await transaction.run(work)
    const { ok, versionstamp } = await transaction.commit()
    if (ok) return { ok, value, versionstamp: showVersionstamp(versionstamp) }
    if (attempt >= retries) return { ok, error: 'conflict' }
    // Randomness keeps two that met once from meeting again.
    const pauseMs = delayMs * 2 ** Math.min(attempt, 30) + Math.random() * delayMs
    await pause(Math.min(pauseMs, kvLimits.transactionPauseMsMax))
  }
}

class BufferedTransaction implements KvTransaction {
  readonly #doors: TransactionDoors
  readonly #list: MutationList
  readonly #reads = new Map<string, Promise<KvEntry>>()
  #hasEnded = false

  constructor(doors: TransactionDoors) {
    this.#doors = doors
    this.#list = new MutationList(doors.clock)
  }

  async run<T>(work: (transaction: KvTransaction) => T | Promise<T>): Promise<T> {
    try {
      return await work(this)
    } finally {
      this.#hasEnded = true
    }
  }

  async commit(): ReturnType<TransactionDoors['submit']> {
    // A read that the function did not wait for is checked all the same.
    for (const read of this.#reads.values()) {
      const { key, versionstamp } = await read
      this.#list.check(encodeKey(key), versionstamp === null ? null : parseVersionstamp(versionstamp))
    }
    const { checks, mutations, bytes } = this.#list
    return this.#doors.submit({ checks, mutations }, bytes)
  }

  async get(key: KvKey): Promise<KvEntry> {
    this.#assertOpen()
    const name = encodeKey(key).toString('latin1')
    const known = this.#reads.get(name)
    if (known !== undefined) return known
    if (this.#reads.size >= kvLimits.checksMax) {
      throw invalid(
        `A transaction reads at most ${kvLimits.checksMax} keys. Split it, or read outside of it.`,
      )
    }
    const read = this.#doors.read([...key])
    this.#reads.set(name, read)
    return read
  }

  set(key: KvKey, value: KvValue, options?: KvSetOptions): void {
    this.#open.set(key, value, options)
  }

  delete(key: KvKey): void {
    this.#open.delete(key)
  }

  sum(key: KvKey, value: Operand, options?: KvMutateOptions): void {
    this.#open.combine('sum', key, value, options)
  }

  max(key: KvKey, value: Operand, options?: KvMutateOptions): void {
    this.#open.combine('max', key, value, options)
  }

  min(key: KvKey, value: Operand, options?: KvMutateOptions): void {
    this.#open.combine('min', key, value, options)
  }

  append(key: KvKey, items: readonly KvValue[], options?: KvMutateOptions): void {
    this.#open.extend('append', key, items, options)
  }

  prepend(key: KvKey, items: readonly KvValue[], options?: KvMutateOptions): void {
    this.#open.extend('prepend', key, items, options)
  }

  enqueue(value: KvValue, options?: KvEnqueueOptions): void {
    this.#open.enqueue(value, options)
  }

  get #open(): MutationList {
    this.#assertOpen()
    return this.#list
  }

  #assertOpen(): void {
    if (this.#hasEnded) throw kvUsedAfterEnd({ what: 'transaction' })
  }
}
