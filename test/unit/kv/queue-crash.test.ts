import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createQueueFile } from '../../helpers/kv-queue-fixture.js'

const file = await createQueueFile()
after(() => file.close())

const entry = fileURLToPath(new URL('../../helpers/queue-death-process.js', import.meta.url))
const messages = 3000

/** Runs the process until it has buried a number of messages, and kills it wherever it is then. */
async function killAfter(namespace: string, deaths: number): Promise<void> {
  const child = spawn(process.execPath, [entry, file.file, namespace], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let seen = 0
  child.stdout.on('data', (dots: Buffer) => {
    seen += dots.length
    if (seen >= deaths) child.kill('SIGKILL')
  })
  const [, signal] = await ended
  assert.equal(signal, 'SIGKILL', 'the process was done before it was killed')
}

test('a killed process leaves each message whole: waiting, or dead with its key set', async () => {
  const namespace = 'shared:crash'
  const door = file.open({ busyTimeoutMs: 10_000 })
  door.session.write(() => {
    for (let at = 0; at < messages; at += 1) {
      door.enqueue(namespace, at, { backoffSchedule: [], keysIfUndelivered: [['lost', at]] })
    }
  })
  for (const deaths of [1, 40, 150]) {
    await killAfter(namespace, deaths)
    const dead = new Set<number>()
    for (let offset = 0; ; offset = dead.size) {
      const page = door.queues.deadLetters(namespace, { limit: 1000, offset })
      if (page.length === 0) break
      for (const { data } of page) dead.add(Number(data))
    }
    const counts = door.queues.queueCounts(namespace, undefined, 0)
    assert.equal(counts.dead, dead.size)
    assert.equal(counts.pending + counts.processing + counts.dead, messages)
    // The process may have died with one message in its hands.
    assert.ok(counts.processing <= 3, `${counts.processing} messages are held`)
    for (let at = 0; at < messages; at += 1) {
      assert.equal(door.entry(namespace, ['lost', at]), dead.has(at) ? at : undefined)
    }
    const { counted, held } = door.accounts(namespace)
    assert.deepEqual(counted, held)
  }
})
