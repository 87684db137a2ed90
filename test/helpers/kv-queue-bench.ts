import assert from 'node:assert/strict'
import { after } from 'node:test'
import type { StoredMessage } from '../../src/kv/queue-store.js'
import { createQueueFile, type QueueDoor } from './kv-queue-fixture.js'

/** Length of the leases that `QueueBench.take` asks for. */
export const leaseMs = 1000

/** Opens queues for the tests of a file, with what they do again and again; closed after them. */
export async function openQueueBench() {
  const file = await createQueueFile()
  after(() => file.close())
  const door = file.open()
  const { queues } = door
  let namespaces = 0

  /** Each test has a namespace of its own. */
  function freshNamespace(): string {
    namespaces += 1
    return `shared:n${namespaces}`
  }

  function take(namespace: string, nowMs: number, queue = 'default', from: QueueDoor = door): StoredMessage {
    const message = from.queues.dequeue(namespace, queue, leaseMs, nowMs)
    assert.ok(message, `nothing is due in ${namespace} at ${nowMs}`)
    return message
  }

  function nothing(namespace: string, nowMs: number, queue = 'default'): void {
    assert.equal(queues.dequeue(namespace, queue, leaseMs, nowMs), undefined)
  }

  function letters(namespace: string, queue?: string) {
    return queues.deadLetters(namespace, { queue, limit: 1000, offset: 0 })
  }

  function balanced(namespace: string, from: QueueDoor = door): void {
    const { counted, held } = from.accounts(namespace)
    assert.deepEqual(counted, held)
  }

  /** Sends a message that dies with its first failure, and lets it die. */
  function bury(namespace: string, value: string, nowMs: number, queue = 'default'): number {
    door.enqueue(namespace, value, { queue, backoffSchedule: [] }, nowMs)
    assert.equal(queues.nack(namespace, take(namespace, nowMs, queue), `error of ${value}`, nowMs), true)
    return letters(namespace)[0]?.id ?? Number.NaN
  }

  return { file, door, queues, freshNamespace, take, nothing, letters, balanced, bury }
}
