import assert from 'node:assert/strict'
import type { Kv, KvBatch, KvEntry, KvList, KvNamespaces } from '../../src/kv/kv.js'
import type { KvNow, KvU64 } from '../../src/kv/value.js'

/** The classes of values that JSON has not; a client that stands alone has its own. */
export interface KvClasses {
  readonly KvU64: new (value: bigint) => KvU64
  readonly KvNow: new (offsetMs?: number) => KvNow
}

/** A store that the suite works on; each case has a namespace of its own. */
export interface OpenedKv {
  readonly namespaces: KvNamespaces
  readonly classes: KvClasses
  close(): Promise<void>
}

/** Runs a case in a namespace that nobody else uses. */
export type RunCase = (title: string, work: (kv: Kv, opened: OpenedKv) => Promise<void>) => void

/** Asserts that work is refused, at once or when it is waited for, with this code. */
export async function refuses(code: string, work: () => unknown, message?: RegExp): Promise<void> {
  await assert.rejects(
    async () => {
      await work()
    },
    (error: Error & { readonly code?: string }) => {
      assert.equal(error.code, code, error.message)
      if (message !== undefined) assert.match(error.message, message)
      return true
    },
  )
}

export async function collect(list: KvList): Promise<readonly KvEntry[]> {
  const entries: KvEntry[] = []
  for await (const entry of list) entries.push(entry)
  return entries
}

export async function keysOf(list: KvList): Promise<readonly unknown[]> {
  return (await collect(list)).map(({ key }) => key)
}

/** Follows a watch batch by batch. */
export function follow(watch: AsyncIterable<KvBatch>): AsyncIterator<KvBatch> {
  return watch[Symbol.asyncIterator]()
}

/** Reads the next batch of a watch that has not ended. */
export async function nextBatch(watch: AsyncIterator<KvBatch>): Promise<KvBatch> {
  const result = await watch.next()
  assert.equal(result.done ?? false, false, 'the watch has ended')
  return result.value
}
