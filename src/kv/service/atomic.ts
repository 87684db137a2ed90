import { kvUsedAfterEnd } from '../errors.js'
import { encodeKey, type KvKey } from '../key.js'
import type { KvAtomic, KvCommitResult, KvEnqueueOptions, KvMutateOptions, KvSetOptions } from '../kv.js'
import { MutationList } from '../mutation-list.js'
import { checkOptions, invalid, show } from '../options.js'
import type { Commit, CommitResult } from '../store.js'
import type { KvU64, KvValue } from '../value.js'
import { parseVersionstamp, showVersionstamp } from '../versionstamp.js'

type Operand = number | bigint | KvU64

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
