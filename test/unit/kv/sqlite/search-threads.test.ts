import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createSearchFixture } from '../../../helpers/kv-search.js'
import type { WriterTask } from '../../../helpers/kv-search-writer.js'
import { set } from '../../../helpers/kv-store.js'

const writer = new URL('../../../helpers/kv-search-writer.js', import.meta.url)

test('an index is right when one thread takes entries in while another one changes them', async (t) => {
  const search = await createSearchFixture()
  t.after(() => search.close())
  const entries = 3000
  for (let from = 0; from < entries; from += 1000) {
    search.commit(...Array.from({ length: 1000 }, (_, at) => set(['p', from + at], 'stale')))
  }
  search.index(['p'], { fields: [''] })
  const workerData: WriterTask = { file: search.file, namespace: search.namespace, entries }
  const worker = new Worker(writer, { workerData })
  let isDone = false
  const exit = once(worker, 'exit').then(([code]) => {
    isDone = true
    return code as number
  })
  while (!isDone) {
    search.maintenance.step(search.nowMs)
    await nextTurn()
  }
  assert.equal(await exit, 0)
  search.settle()
  assert.deepEqual(search.found(['p'], 'stale'), [])
  const kept = Array.from({ length: entries }, (_, at) => at).filter((at) => at % 3 !== 0)
  assert.deepEqual(search.found(['p'], 'fresh', { limit: 1000 }), kept.slice(0, 1000))
  assert.equal(search.count('kv_documents'), kept.length)
})
