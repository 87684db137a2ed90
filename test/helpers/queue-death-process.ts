import { writeSync } from 'node:fs'
import { openQueueDoor } from './kv-queue-fixture.js'

// A process that lets the messages of a queue die one after the other, until somebody kills it.
const [, , file = '', namespace = ''] = process.argv
const door = openQueueDoor(file, { busyTimeoutMs: 10_000 })
for (;;) {
  const message = door.queues.dequeue(namespace, 'default', 1000, 0)
  if (message === undefined) break
  door.queues.nack(namespace, message, 'no', 0)
  writeSync(process.stdout.fd, '.')
}
door.close()
