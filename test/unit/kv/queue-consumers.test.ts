import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createQueueFile } from '../../helpers/kv-queue-fixture.js'
import type { ConsumerTask, Taken } from '../../helpers/queue-consumer.js'

const file = await createQueueFile()
after(() => file.close())

const entry = new URL('../../helpers/queue-consumer.js', import.meta.url)
const threads = 2

async function consume(namespace: string, dropEvery?: number): Promise<readonly (readonly Taken[])[]> {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const drops = dropEvery === undefined ? {} : { dropEvery }
  const workerData: ConsumerTask = { file: file.file, namespace, gate, threads, ...drops }
  const answers = Array.from({ length: threads }, async () => {
    const worker = new Worker(entry, { workerData })
    const [taken] = await once(worker, 'message')
    return taken as readonly Taken[]
  })
  return Promise.all(answers)
}

function send(namespace: string, count: number): readonly number[] {
  const door = file.open()
  return door.session.write(() => Array.from({ length: count }, (_, at) => door.enqueue(namespace, at)))
}

test('two threads that take from one queue share its messages, each in order', async () => {
  const namespace = 'shared:share'
  const sent = send(namespace, 1000)
  const shares = await consume(namespace)
  for (const share of shares) {
    const ids = share.map(([id]) => id)
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    )
    assert.ok(share.every(([, attempts, isAcknowledged]) => attempts === 1 && isAcknowledged))
  }
  const all = shares.flat().map(([id]) => id)
  assert.deepEqual(
    all.sort((a, b) => a - b),
    sent,
  )
})

test('what a thread drops is taken once more, and each message is acknowledged exactly once', async () => {
  const namespace = 'shared:drop'
  const sent = send(namespace, 500)
  const shares = await consume(namespace, 10)
  const acknowledged = shares.flat().filter(([, , isAcknowledged]) => isAcknowledged)
  assert.deepEqual(
    acknowledged.map(([id]) => id).sort((a, b) => a - b),
    sent,
  )
  const again = acknowledged.filter(([, attempts]) => attempts > 1).map(([id]) => id)
  for (const id of sent.filter((id) => id % 10 === 0)) assert.ok(again.includes(id), `message ${id}`)
  assert.equal(file.open().queues.queueCounts(namespace, undefined, 0).dead, 0)
})
