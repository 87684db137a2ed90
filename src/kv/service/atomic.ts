import { kvLimits } from '../../base/limits.js'
import { encodeItems, encodeOperand } from '../arithmetic.js'
import { kvCommitTooLarge, kvUsedAfterEnd } from '../errors.js'
import { encodeKey, type KvKey } from '../key.js'
import type { KvAtomic, KvCommitResult, KvEnqueueOptions, KvMutateOptions, KvSetOptions } from '../kv.js'
import { encodeMessage } from '../queue-options.js'
import type { Check, Commit, CommitResult, Mutation } from '../store.js'
import { encodeValue } from '../stored-value.js'
import type { KvU64, KvValue } from '../value.js'
import { parseVersionstamp, showVersionstamp } from '../versionstamp.js'
import { checkOptions, invalid, readExpiry, show } from './options.js'

type Operand = number | bigint | KvU64

/** The options of `enqueue`. */
export const enqueueOptions = ['queue', 'delay', 'backoffSchedule', 'keysIfUndelivered']

/** Collects the checks and mutations of one commit. Keys and values are encoded, and refused, where they are given. */
export class MutationList {
  readonly checks: Check[] = []
  readonly mutations: Mutation[] = []
  /** Of all keys and values. */
  bytes = 0
  readonly #clock: () => number

  constructor(clock: () => number) {
    this.#clock = clock
  }

  check(key: Buffer, versionstamp: number | null): void {
    if (this.checks.length >= kvLimits.checksMax) throw tooMany('checks', kvLimits.checksMax)
    this.checks.push({ key, versionstamp })
  }

  set(key: KvKey, value: KvValue, options: KvSetOptions | undefined): void {
    const nowMs = this.#clock()
    const expiresAt = readExpiry(options, 'set', nowMs)
    this.#add({ type: 'set', key: encodeKey(key), value: encodeValue(value, nowMs), expiresAt })
  }

  delete(key: KvKey): void {
    this.#add({ type: 'delete', key: encodeKey(key) })
  }

  combine(
    type: 'sum' | 'min' | 'max',
    key: KvKey,
    value: Operand,
    options: KvMutateOptions | undefined,
  ): void {
    const expiresAt = readExpiry(options, type, this.#clock())
    this.#add({ type, key: encodeKey(key), value: encodeOperand(type, value), expiresAt })
  }

  extend(
    type: 'append' | 'prepend',
    key: KvKey,
    items: readonly KvValue[],
    options: KvMutateOptions | undefined,
  ): void {
    const nowMs = this.#clock()
    const expiresAt = readExpiry(options, type, nowMs)
    this.#add({ type, key: encodeKey(key), value: encodeItems(type, items, nowMs), expiresAt })
  }

  enqueue(value: KvValue, options: KvEnqueueOptions | undefined): void {
    checkOptions(options, 'enqueue', enqueueOptions)
    this.#add({ type: 'enqueue', message: encodeMessage(value, options ?? {}, this.#clock()) })
  }

  #add(mutation: Mutation): void {
    if (this.mutations.length >= kvLimits.mutationsMax) throw tooMany('mutations', kvLimits.mutationsMax)
    this.bytes += bytesOf(mutation)
    if (this.bytes > kvLimits.commitBytesMax) {
      throw kvCommitTooLarge({
        count: this.bytes,
        what: 'bytes of keys and values',
        max: kvLimits.commitBytesMax,
      })
    }
    this.mutations.push(mutation)
  }
}

/** Gives a commit to the store. */
export type Submit = (commit: Commit, bytes: number) => Promise<CommitResult>

/** The builder of `Kv.atomic`. */
export class AtomicCommit implements KvAtomic {
  readonly #list: MutationList
  readonly #submit: Submit
  #isDone = false

  constructor(clock: () => number, submit: Submit) {
    this.#list = new MutationList(clock)
    this.#submit = submit
  }

  check(...checks: readonly { readonly key: KvKey; readonly versionstamp: string | null }[]): this {
    for (const check of checks) {
      if (typeof check !== 'object' || check === null) {
        throw invalid(`A check is ${show(check)}; it is an object with a key and a versionstamp.`)
      }
      const { key, versionstamp } = check
      this.#open.check(encodeKey(key), versionstamp === null ? null : parseVersionstamp(versionstamp))
    }
    return this
  }

  set(key: KvKey, value: KvValue, options?: KvSetOptions): this {
    this.#open.set(key, value, options)
    return this
  }

  delete(key: KvKey, ...others: unknown[]): this {
    checkOptions(others[0], 'delete of an atomic commit', [])
    this.#open.delete(key)
    return this
  }

  sum(key: KvKey, value: Operand, options?: KvMutateOptions): this {
    this.#open.combine('sum', key, value, options)
    return this
  }

  max(key: KvKey, value: Operand, options?: KvMutateOptions): this {
    this.#open.combine('max', key, value, options)
    return this
  }

  min(key: KvKey, value: Operand, options?: KvMutateOptions): this {
    this.#open.combine('min', key, value, options)
    return this
  }

  append(key: KvKey, items: readonly KvValue[], options?: KvMutateOptions): this {
    this.#open.extend('append', key, items, options)
    return this
  }

  prepend(key: KvKey, items: readonly KvValue[], options?: KvMutateOptions): this {
    this.#open.extend('prepend', key, items, options)
    return this
  }

  enqueue(value: KvValue, options?: KvEnqueueOptions): this {
    this.#open.enqueue(value, options)
    return this
  }

  async commit(): Promise<KvCommitResult> {
    const { checks, mutations, bytes } = this.#open
    this.#isDone = true
    const { ok, versionstamp } = await this.#submit({ checks, mutations }, bytes)
    return ok ? { ok: true, versionstamp: showVersionstamp(versionstamp) } : { ok: false }
  }

  get #open(): MutationList {
    if (this.#isDone) throw kvUsedAfterEnd({ what: 'atomic commit' })
    return this.#list
  }
}

function bytesOf(mutation: Mutation): number {
  if (mutation.type === 'enqueue') return mutation.message.value.bytes
  return mutation.key.length + (mutation.type === 'delete' ? 0 : mutation.value.bytes)
}

function tooMany(what: string, max: number): Error {
  return kvCommitTooLarge({ count: max + 1, what, max })
}
