import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { it } from 'node:test'
import { kvLimits } from '../../src/base/limits/kv.js'
import { startHost } from '../helpers/create-host.js'
import { openStream, type ReceivedStream } from '../helpers/event-stream.js'
import { type KvAnswer, kvCall } from '../helpers/kv-calls.js'

const commits = 50
const changesPerCommit = 1000
/** A commit tells one change for each key, so that as many are told as are made. */
const keys = 1000

/** What a watcher knows after the events that it has got. */
class Picture {
  readonly values = new Map<string, number>()
  resets = 0
  changes = 0
  #isResetting = false

  take(event: string, data: KvAnswer): void {
    if (event === 'change') {
      for (const change of data) this.#apply(change)
      this.changes += data.length
      return
    }
    if (!this.#isResetting) {
      this.values.clear()
      this.resets += 1
    }
    for (const entry of data.entries) this.#apply(entry)
    this.#isResetting = !data.complete
  }

  #apply({ type, key, value }: KvAnswer): void {
    const name = JSON.stringify(key)
    if (type === 'delete') this.values.delete(name)
    else this.values.set(name, value.n)
  }
}

/** Follows a stream until the last change of all is known. */
async function follow(stream: ReceivedStream, picture: Picture): Promise<void> {
  const last = commits * changesPerCommit - 1
  while (picture.values.get(JSON.stringify(['slow', last % keys])) !== last) {
    const event = await stream.next('change', 'reset')
    assert.ok(event?.data !== undefined, 'the stream has ended')
    picture.take(event.event, JSON.parse(event.data))
  }
}

it('a client that does not read takes no memory and holds nobody up, and knows all in the end', async (test) => {
  const host = await startHost(test, { plugins: {} })
  const sockets = new Set<Socket>()
  host.host.app.server.on('connection', (socket) => sockets.add(socket))
  const path = `${host.url}/keyval/api/watch/prefix?prefix=slow`
  const stuck = await openStream(path, host.credentials, { isPaused: true })
  const reading = await openStream(path, host.credentials)
  test.after(() => {
    stuck.close()
    reading.close()
  })
  const expected = new Map<string, number>()
  const seenByReader = new Picture()
  const readerIsDone = follow(reading, seenByReader)
  let waitingMax = 0
  for (let commit = 0; commit < commits; commit += 1) {
    const mutations = Array.from({ length: changesPerCommit }, (_, at) => {
      const n = commit * changesPerCommit + at
      const key = ['slow', n % keys]
      expected.set(JSON.stringify(key), n)
      return { type: 'set', key, value: { n, pad: 'x'.repeat(600) } }
    })
    assert.equal((await kvCall(host, 'POST', '/atomic', { mutations })).ok, true)
    for (const { writableLength } of sockets) waitingMax = Math.max(waitingMax, writableLength)
  }
  // The reader has all while the other one still reads nothing.
  await readerIsDone
  assert.deepEqual(seenByReader.values, expected)
  for (const { writableLength } of sockets) waitingMax = Math.max(waitingMax, writableLength)
  assert.equal(stuck.bytes, 0)
  assert.ok(waitingMax > 0, 'the client that does not read was never waited for')
  assert.ok(
    waitingMax <= 4 * kvLimits.watchStepBytes,
    `${waitingMax} bytes waited for a client that does not read`,
  )
  stuck.resume()
  const seenInTheEnd = new Picture()
  await follow(stuck, seenInTheEnd)
  assert.deepEqual(seenInTheEnd.values, expected)
  // Either it has got every change, or it was told to begin anew.
  assert.ok(seenInTheEnd.resets > 1 || seenInTheEnd.changes === commits * changesPerCommit)
})
