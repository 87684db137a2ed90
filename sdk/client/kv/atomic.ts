import { type KvApi, textOf } from './api.js'
import { MutationList } from './mutations.js'
import { refused } from './refusal.js'
import type { KvCheck, KvCommitResult, KvEnqueueOptions, KvMutations, KvSetOptions } from './types.js'
import type { KvKey, KvU64, KvValue } from './value.js'

type Operand = number | bigint | KvU64

/** Checks and mutations that are applied together or not at all; later mutations see earlier ones. */
export class KvAtomic implements KvMutations<KvAtomic> {
  readonly #api: KvApi
  readonly #list = new MutationList()
  #isDone = false

  constructor(api: KvApi) {
    this.#api = api
  }

  /** Commits only if each of these entries has the versionstamp, or with null, does not exist. */
  check(...checks: readonly KvCheck[]): this {
    for (const check of checks) this.#open.check(check)
    return this
  }

  set(key: KvKey, value: KvValue, options?: KvSetOptions): this {
    this.#open.set(key, value, options)
    return this
  }

  delete(key: KvKey): this {
    this.#open.delete(key)
    return this
  }

  sum(key: KvKey, value: Operand, options?: KvSetOptions): this {
    this.#open.sum(key, value, options)
    return this
  }

  max(key: KvKey, value: Operand, options?: KvSetOptions): this {
    this.#open.max(key, value, options)
    return this
  }

  min(key: KvKey, value: Operand, options?: KvSetOptions): this {
    this.#open.min(key, value, options)
    return this
  }

  append(key: KvKey, items: readonly KvValue[], options?: KvSetOptions): this {
    this.#open.append(key, items, options)
    return this
  }

  prepend(key: KvKey, items: readonly KvValue[], options?: KvSetOptions): this {
    this.#open.prepend(key, items, options)
    return this
  }

  enqueue(value: KvValue, options?: KvEnqueueOptions): this {
    this.#open.enqueue(value, options)
    return this
  }

  /** @returns `ok` is false when a check failed; nothing was written then. */
  async commit(): Promise<KvCommitResult> {
    const list = this.#open
    this.#isDone = true
    return await commit(this.#api, list)
  }

  get #open(): MutationList {
    if (!this.#isDone) return this.#list
    throw refused(
      'KV_USED_AFTER_END',
      'this atomic commit was committed before; make another one with atomic()',
    )
  }
}

/** Sends a commit. */
export async function commit(api: KvApi, { checks, mutations }: MutationList): Promise<KvCommitResult> {
  const answer = await api.object({ method: 'POST', path: '/atomic', body: { checks, mutations } })
  if (answer.ok !== true) return { ok: false }
  return { ok: true, versionstamp: textOf(answer.versionstamp, 'versionstamp') }
}
