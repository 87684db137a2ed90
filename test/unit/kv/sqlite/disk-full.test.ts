import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createQueueFile } from '../../../helpers/kv-queue-fixture.js'

const namespace = 'plugin:a'

it('a full disk refuses commits and messages whole, says so, and all goes on when there is room again', async (t) => {
  const file = await createQueueFile()
  t.after(() => file.close())
  const door = file.open()
  const { connection } = door.session
  const pages = Number(connection.pragma('page_count', { simple: true }))
  connection.pragma(`max_page_count = ${pages + 20}`)
  const text = 'x'.repeat(3000)
  let sent = 0
  const fill = () => {
    for (;;) {
      door.enqueue(namespace, text)
      sent += 1
    }
  }
  assert.throws(fill, { code: 'SQLITE_FULL', message: /full/ })
  assert.throws(() => door.enqueue(namespace, text), { code: 'SQLITE_FULL' })
  assert.ok(sent > 0)
  const { counted, held } = door.accounts(namespace)
  assert.deepEqual(counted, held)
  assert.equal(counted.messages, sent)
  const message = door.queues.dequeue(namespace, 'default', 1000, 0)
  assert.ok(message, 'what is there can be worked off')
  assert.equal(door.queues.ack(namespace, message, 1), true)
  connection.pragma(`max_page_count = ${pages + 1000}`)
  for (let n = 0; n < 20; n += 1) door.enqueue(namespace, text)
  assert.equal(door.accounts(namespace).counted.messages, sent + 19)
  assert.equal(connection.pragma('integrity_check', { simple: true }), 'ok')
})
