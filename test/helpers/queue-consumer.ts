import { parentPort, workerData } from 'node:worker_threads'
import { openQueueDoor } from './kv-queue-fixture.js'

/** What a consuming thread is told. */
export interface ConsumerTask {
  readonly file: string
  readonly namespace: string
  /** Counts the threads that are ready, so that all begin together. */
  readonly gate: Int32Array
  readonly threads: number
  /** Every so many messages are not answered, as by a consumer that dies, and waited for; none when missing. */
  readonly dropEvery?: number
}

/** What it took: `[id, attempts, wasAcknowledged]` in the order in which it came. */
export type Taken = readonly [id: number, attempts: number, isAcknowledged: boolean]

const leaseMs = 10
const { file, namespace, gate, threads, dropEvery } = workerData as ConsumerTask
const door = openQueueDoor(file, { busyTimeoutMs: 10_000 })
Atomics.add(gate, 0, 1)
Atomics.notify(gate, 0)
for (let ready = Atomics.load(gate, 0); ready < threads; ready = Atomics.load(gate, 0)) {
  Atomics.wait(gate, 0, ready)
}
const taken: Taken[] = []
for (let nowMs = 0; ; ) {
  const message = door.queues.dequeue(namespace, 'default', leaseMs, nowMs)
  if (message === undefined) {
    // The thread's own clock jumps to the end of the next lease, which may be one that the other thread holds.
    const dueAt = dropEvery === undefined ? undefined : door.queues.nextDueAt(namespace, 'default')
    if (dueAt === undefined) break
    nowMs = Math.max(nowMs, dueAt)
    continue
  }
  const isDropped = dropEvery !== undefined && message.attempts === 1 && message.id % dropEvery === 0
  const isAcknowledged = !isDropped && door.queues.ack(namespace, message, nowMs)
  taken.push([message.id, message.attempts, isAcknowledged])
}
door.close()
parentPort?.postMessage(taken)
