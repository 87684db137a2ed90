import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { Receipt, StoredMessage } from '../../../src/kv/queue-store.js'
import { createQueueFile, type QueueDoor } from '../../helpers/kv-queue-fixture.js'

const file = await createQueueFile()
after(() => file.close())

/** A message as the description of the queue has it, without any table. */
interface ModelMessage {
  readonly id: number
  readonly queue: string
  readonly value: number
  readonly backoffMs: readonly number[]
  dueAt: number
  attempts: number
  lease: string | undefined
}

interface Model {
  nowMs: number
  messages: ModelMessage[]
  /** Values of dead letters, oldest first. */
  dead: { readonly value: number; readonly queue: string }[]
  /** Values that were acknowledged. */
  readonly done: number[]
  /** Everything that was sent. */
  sent: number
  /** Receipts that were ever given out. */
  readonly receipts: Receipt[]
}

interface Real {
  door: QueueDoor
  other: QueueDoor
  readonly namespace: string
}

type Command = fc.Command<Model, Real>

const names = ['a', 'b']

/** The messages of a queue in the order in which they are given out. */
function ordered(model: Model, queue: string): readonly ModelMessage[] {
  const waiting = model.messages.filter((message) => message.queue === queue)
  return waiting.sort((a, b) => a.dueAt - b.dueAt || a.id - b.id)
}

function isHeld(message: ModelMessage, nowMs: number): boolean {
  return message.lease !== undefined && message.dueAt > nowMs
}

function held(model: Model, { id, lease }: Receipt): ModelMessage | undefined {
  return model.messages.find(
    (message) => message.id === id && message.lease === lease && isHeld(message, model.nowMs),
  )
}

function die(model: Model, message: ModelMessage): void {
  model.messages = model.messages.filter((other) => other !== message)
  model.dead.push({ value: message.value, queue: message.queue })
}

/** Gives out the next message of the model, and buries those before it that have no tries left. */
function modelDequeue(model: Model, queue: string, leaseMs: number): ModelMessage | undefined {
  for (const message of ordered(model, queue)) {
    if (message.dueAt > model.nowMs) return undefined
    if (message.attempts > message.backoffMs.length) {
      die(model, message)
      continue
    }
    assert.equal(isHeld(message, model.nowMs), false)
    message.attempts += 1
    message.dueAt = model.nowMs + leaseMs
    return message
  }
  return undefined
}

/** Everything that the store tells agrees with the model, and no message is lost. */
function agree(model: Model, { door, namespace }: Real): void {
  for (const queue of names) {
    const mine = ordered(model, queue)
    const processing = mine.filter((message) => isHeld(message, model.nowMs)).length
    const dead = model.dead.filter((letter) => letter.queue === queue)
    assert.deepEqual(door.queues.queueCounts(namespace, queue, model.nowMs), {
      pending: mine.length - processing,
      processing,
      dead: dead.length,
    })
    assert.equal(door.queues.nextDueAt(namespace, queue), mine[0]?.dueAt)
    const letters = door.queues.deadLetters(namespace, { queue, limit: 1000, offset: 0 })
    assert.deepEqual(
      letters.map(({ data }) => Number(data)),
      dead.map(({ value }) => value).reverse(),
    )
  }
  const values = [
    ...model.messages.map(({ value }) => value),
    ...model.dead.map(({ value }) => value),
    ...model.done,
  ]
  assert.equal(values.length, model.sent)
  assert.equal(new Set(values).size, model.sent)
  if (door.session.namespaceId(namespace) === undefined) return
  const { counted, held: inTables } = door.accounts(namespace)
  assert.deepEqual(counted, inTables)
  const all = door.queues.queueCounts(namespace, undefined, model.nowMs)
  assert.equal(all.pending + all.processing, model.messages.length)
}

function command(name: string, run: (model: Model, real: Real) => void): Command {
  return {
    check: () => true,
    run(model, real) {
      run(model, real)
      agree(model, real)
    },
    toString: () => name,
  }
}

/** Either of two connections, so that both always see the same. */
function side(real: Real, isOther: boolean): QueueDoor {
  return isOther ? real.other : real.door
}

const queue = fc.constantFrom(...names)
const receipt = fc.nat()

const enqueue = fc
  .tuple(queue, fc.nat(20), fc.array(fc.nat(20), { maxLength: 2 }), fc.boolean())
  .map(([name, delay, backoffSchedule, isOther]) =>
    command(`enqueue(${name}, +${delay}, [${backoffSchedule}])`, (model, real) => {
      const value = model.sent
      const id = side(real, isOther).enqueue(
        real.namespace,
        value,
        { queue: name, delay, backoffSchedule },
        model.nowMs,
      )
      model.sent += 1
      model.messages.push({
        id,
        queue: name,
        value,
        backoffMs: backoffSchedule,
        dueAt: model.nowMs + delay,
        attempts: 0,
        lease: undefined,
      })
    }),
  )

const dequeue = fc
  .tuple(queue, fc.integer({ min: 1, max: 30 }), fc.boolean())
  .map(([name, leaseMs, isOther]) =>
    command(`dequeue(${name}, ${leaseMs})`, (model, real) => {
      const given = side(real, isOther).queues.dequeue(real.namespace, name, leaseMs, model.nowMs)
      const expected = modelDequeue(model, name, leaseMs)
      assert.deepEqual(
        given && [given.id, Number(given.data), given.attempts, given.leasedUntil],
        expected && [expected.id, expected.value, expected.attempts, expected.dueAt],
      )
      if (given === undefined || expected === undefined) return
      assert.equal(
        model.receipts.some(({ lease }) => lease === given.lease),
        false,
      )
      expected.lease = given.lease
      model.receipts.push({ id: given.id, lease: given.lease })
    }),
  )

/** Ack, nack or extend with any receipt that ever was, current or not. */
function answer(
  name: string,
  real: (door: QueueDoor, namespace: string, given: Receipt, nowMs: number) => boolean,
  expected: (model: Model, message: ModelMessage) => void,
): fc.Arbitrary<Command> {
  return fc.tuple(receipt, fc.boolean()).map(([pick, isOther]) =>
    command(`${name}(${pick})`, (model, doors) => {
      const given = model.receipts[model.receipts.length - 1 - (pick % (model.receipts.length || 1))]
      if (given === undefined) return
      const message = held(model, given)
      const done = real(side(doors, isOther), doors.namespace, given, model.nowMs)
      assert.equal(done, message !== undefined)
      if (message !== undefined) expected(model, message)
    }),
  )
}

const ack = answer(
  'ack',
  (door, namespace, given, nowMs) => door.queues.ack(namespace, given, nowMs),
  (model, message) => {
    model.messages = model.messages.filter((other) => other !== message)
    model.done.push(message.value)
  },
)

const nack = answer(
  'nack',
  (door, namespace, given, nowMs) => door.queues.nack(namespace, given, 'failed', nowMs),
  (model, message) => {
    if (message.attempts > message.backoffMs.length) return die(model, message)
    message.lease = undefined
    message.dueAt = model.nowMs + (message.backoffMs[message.attempts - 1] ?? Number.NaN)
  },
)

const extend = fc.integer({ min: 1, max: 30 }).chain((leaseMs) =>
  answer(
    `extend ${leaseMs}`,
    (door, namespace, given, nowMs) => door.queues.extend(namespace, given, leaseMs, nowMs),
    (model, message) => {
      message.dueAt = model.nowMs + leaseMs
    },
  ),
)

const requeue = fc.nat().map((pick) =>
  command(`requeue(${pick})`, (model, { door, namespace }) => {
    const letters = door.queues.deadLetters(namespace, { limit: 1000, offset: 0 })
    const letter = letters[pick % (letters.length || 1)]
    if (letter === undefined) return
    const id = door.queues.requeue(namespace, letter.id, model.nowMs)
    assert.ok(id !== undefined)
    const value = Number(letter.data)
    model.dead = model.dead.filter((dead) => dead.value !== value)
    const [row] = door.session.connection.prepare('select backoff from kv_messages where id = ?').all(id) as [
      { backoff: string },
    ]
    model.messages.push({
      id,
      queue: letter.queue,
      value,
      backoffMs: JSON.parse(row.backoff),
      dueAt: model.nowMs,
      attempts: 0,
      lease: undefined,
    })
  }),
)

const passTime = fc.nat(40).map((ms) =>
  command(`+${ms} ms`, (model) => {
    model.nowMs += ms
  }),
)

const restart = fc.constant(
  command('restart', (_, real) => {
    real.door.close()
    real.other.close()
    real.door = file.open()
    real.other = file.open()
  }),
)

/** The process dies after it has done something and before that is committed. */
const crash = fc.tuple(queue, receipt).map(([name, pick]) =>
  command(`crash in a transaction (${name}, ${pick})`, (model, real) => {
    const { queues, session } = real.door
    session.connection.exec('begin immediate')
    const given: StoredMessage | undefined = queues.dequeue(real.namespace, name, 10, model.nowMs)
    if (given !== undefined && pick % 3 === 0) queues.ack(real.namespace, given, model.nowMs)
    if (given !== undefined && pick % 3 === 1) queues.nack(real.namespace, given, 'lost', model.nowMs)
    real.door.close()
    real.door = file.open()
  }),
)

const commands = fc.commands(
  [enqueue, enqueue, dequeue, dequeue, ack, nack, extend, requeue, passTime, restart, crash],
  {
    maxCommands: 60,
    size: 'max',
  },
)

test('whatever happens, no message is lost, given to two holders or given out of turn', () => {
  let runs = 0
  fc.assert(
    fc.property(commands, (sequence) => {
      runs += 1
      const real: Real = { door: file.open(), other: file.open(), namespace: `shared:run${runs}` }
      const model: Model = { nowMs: 1000, messages: [], dead: [], done: [], sent: 0, receipts: [] }
      try {
        fc.modelRun(() => ({ model, real }), sequence)
      } finally {
        real.door.close()
        real.other.close()
      }
    }),
    { numRuns: 150 },
  )
})
