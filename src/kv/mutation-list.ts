import { kvLimits } from '../base/limits/kv.js'
import { encodeItems, encodeOperand } from './arithmetic.js'
import { kvCommitTooLarge } from './errors.js'
import { encodeKey, type KvKey } from './key.js'
import type { KvEnqueueOptions, KvMutateOptions, KvSetOptions } from './kv.js'
import { checkOptions, readExpiry } from './options.js'
import { encodeMessage, enqueueOptionNames } from './queue-options.js'
import { type Check, type Mutation, mutationBytes } from './store.js'
import { encodeValue } from './stored-value.js'
import type { KvU64, KvValue } from './value.js'

type Operand = number | bigint | KvU64

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
    checkOptions(options, 'enqueue', enqueueOptionNames)
    this.#add({ type: 'enqueue', message: encodeMessage(value, options ?? {}, this.#clock()) })
  }

  #add(mutation: Mutation): void {
    if (this.mutations.length >= kvLimits.mutationsMax) throw tooMany('mutations', kvLimits.mutationsMax)
    this.bytes += mutationBytes(mutation)
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

function tooMany(what: string, max: number): Error {
  return kvCommitTooLarge({ count: max + 1, what, max })
}
