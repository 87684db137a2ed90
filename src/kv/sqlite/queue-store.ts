import { randomBytes } from 'node:crypto'
import { HostError } from '../../base/errors.js'
import { kvLimits } from '../../base/limits/kv.js'
import type {
  DeadLetterQuery,
  QueueCounts,
  QueueStore,
  Receipt,
  StoredDeadLetter,
  StoredMessage,
} from '../queue-store.js'
import type { KvStore, Mutation } from '../store.js'
import {
  countDeadLetters,
  deleteFailedBefore,
  deleteOldest,
  getDeadLetter,
  insertDeadLetter,
  listDeadLetters,
  messageOfDeadLetter,
  removeDeadLetter,
} from './dead-letters.js'
import {
  claimMessages,
  cutError,
  deleteMessage,
  insertMessage,
  type MessageRow,
  messageColumns,
  readMessage,
} from './messages.js'
import type { KvSession } from './session.js'

/**
 * Queues in the tables `kv_messages` and `kv_dead_letters`. Each call asks before it takes the write lock, so that a
 * call that finds nothing to do neither waits for writers nor wakes anybody.
 */
export class SqliteQueueStore implements QueueStore {
  readonly #session: KvSession
  readonly #entries: Pick<KvStore, 'commit'>

  /** @param entries The store of the same session; it sets the keys of messages that die. */
  constructor(session: KvSession, entries: Pick<KvStore, 'commit'>) {
    this.#session = session
    this.#entries = entries
  }

  dequeue(namespace: string, queue: string, leaseMs: number, nowMs: number): StoredMessage | undefined {
    const namespaceId = this.#session.namespaceId(namespace)
    if (namespaceId === undefined || !this.#isDue(namespaceId, queue, nowMs)) return undefined
    return this.#session.write(() => {
      for (let deaths = 0; deaths < kvLimits.deathsMax; deaths += 1) {
        const message = this.#firstDue(namespaceId, queue, nowMs)
        if (message === undefined) return undefined
        if (hasTries(message)) return this.#lease(message, leaseMs, nowMs)
        this.#bury(namespace, namespaceId, message, withoutAnswer(message), nowMs)
      }
      return undefined
    })
  }

  ack(namespace: string, receipt: Receipt, nowMs: number): boolean {
    return this.#withLease(namespace, receipt, nowMs, (namespaceId) => {
      const [bytes] = this.#session
        .statement('select bytes from kv_messages where id = ?')
        .get(receipt.id) as [number]
      deleteMessage(this.#session, namespaceId, receipt.id, bytes)
    })
  }

  nack(namespace: string, receipt: Receipt, error: string, nowMs: number): boolean {
    return this.#withLease(namespace, receipt, nowMs, (namespaceId) => {
      const message = readMessage(
        this.#session.statement(`select ${messageColumns} from kv_messages where id = ?`).get(receipt.id),
      )
      if (!hasTries(message)) {
        this.#bury(namespace, namespaceId, message, error === '' ? withoutReason : error, nowMs)
        return
      }
      const pauseMs = message.backoffMs[message.attempts - 1] ?? 0
      this.#session
        .statement('update kv_messages set due_at = ?, lease = null, error = ? where id = ?')
        .run(nowMs + pauseMs, cutError(error), receipt.id)
    })
  }

  release(namespace: string, receipt: Receipt, nowMs: number): boolean {
    return this.#withLease(namespace, receipt, nowMs, () => {
      this.#session
        .statement(
          'update kv_messages set due_at = created_at, attempts = attempts - 1, lease = null where id = ?',
        )
        .run(receipt.id)
    })
  }

  extend(namespace: string, receipt: Receipt, leaseMs: number, nowMs: number): boolean {
    return this.#withLease(namespace, receipt, nowMs, () => {
      this.#session
        .statement('update kv_messages set due_at = ? where id = ?')
        .run(nowMs + leaseMs, receipt.id)
    })
  }

  nextDueAt(namespace: string, queue: string): number | undefined {
    const namespaceId = this.#session.namespaceId(namespace)
    if (namespaceId === undefined) return undefined
    const row = this.#session
      .statement(
        'select due_at from kv_messages where namespace = ? and queue = ? order by due_at, id limit 1',
      )
      .get(namespaceId, queue) as [number] | undefined
    return row?.[0]
  }

  queueCounts(namespace: string, queue: string | undefined, nowMs: number): QueueCounts {
    const session = this.#session
    return session.snapshot(() => {
      const namespaceId = session.namespaceId(namespace)
      if (namespaceId === undefined) return { pending: 0, processing: 0, dead: 0 }
      const processing = this.#countLeased(namespaceId, queue, nowMs)
      const pending = this.#countMessages(namespaceId, queue) - processing
      return { pending, processing, dead: countDeadLetters(session, namespaceId, queue) }
    })
  }

  deadLetters(namespace: string, query: DeadLetterQuery): readonly StoredDeadLetter[] {
    const namespaceId = this.#session.namespaceId(namespace)
    return namespaceId === undefined ? [] : listDeadLetters(this.#session, namespaceId, query)
  }

  deadLetter(namespace: string, id: number): StoredDeadLetter | undefined {
    const namespaceId = this.#session.namespaceId(namespace)
    return namespaceId === undefined ? undefined : getDeadLetter(this.#session, namespaceId, id)
  }

  requeue(namespace: string, id: number, nowMs: number): number | undefined {
    if (this.deadLetter(namespace, id) === undefined) return undefined
    return this.#session.write(() => {
      const state = this.#session.readNamespace(namespace, nowMs)
      const message = messageOfDeadLetter(this.#session, state.id, id, nowMs)
      if (message === undefined) return undefined
      claimMessages(state, [message])
      const messageId = insertMessage(this.#session, state, message, nowMs)
      this.#session.writeNamespace(state)
      removeDeadLetter(this.#session, state.id, id)
      return messageId
    })
  }

  deleteDeadLetter(namespace: string, id: number): boolean {
    const namespaceId = this.#session.namespaceId(namespace)
    if (namespaceId === undefined || getDeadLetter(this.#session, namespaceId, id) === undefined) return false
    return this.#session.write(() => removeDeadLetter(this.#session, namespaceId, id))
  }

  purgeDeadLetters(namespace: string, queue: string | undefined): number {
    const namespaceId = this.#session.namespaceId(namespace)
    if (namespaceId === undefined || countDeadLetters(this.#session, namespaceId, queue) === 0) return 0
    return this.#session.write(() =>
      deleteOldest(this.#session, namespaceId, queue, kvLimits.deadLettersSliceMax),
    )
  }

  sweepDeadLetters(nowMs: number): number {
    const failedBeforeMs = nowMs - kvLimits.deadLetterMsMax
    const old = this.#session
      .statement('select 1 from kv_dead_letters where failed_at < ? limit 1')
      .get(failedBeforeMs)
    if (old === undefined) return 0
    return this.#session.write(() =>
      deleteFailedBefore(this.#session, failedBeforeMs, kvLimits.deadLettersSliceMax),
    )
  }

  #isDue(namespaceId: number, queue: string, nowMs: number): boolean {
    const row = this.#session
      .statement('select 1 from kv_messages where namespace = ? and queue = ? and due_at <= ? limit 1')
      .get(namespaceId, queue, nowMs)
    return row !== undefined
  }

  #firstDue(namespaceId: number, queue: string, nowMs: number): MessageRow | undefined {
    const row = this.#session
      .statement(
        `select ${messageColumns} from kv_messages where namespace = ? and queue = ? and due_at <= ? order by due_at, id limit 1`,
      )
      .get(namespaceId, queue, nowMs)
    return row === undefined ? undefined : readMessage(row)
  }

  #lease(message: MessageRow, leaseMs: number, nowMs: number): StoredMessage {
    const { id, queue, kind, data, dueAt } = message
    const attempts = message.attempts + 1
    const lease = randomBytes(leaseBytes).toString('base64url')
    const leasedUntil = nowMs + leaseMs
    this.#session
      .statement('update kv_messages set attempts = ?, lease = ?, due_at = ? where id = ?')
      .run(attempts, lease, leasedUntil, id)
    const isLastTry = attempts > message.backoffMs.length
    return { id, queue, kind, data, attempts, lease, leasedUntil, isLastTry, dueAt }
  }

  /** Does something with a message in one transaction, if the lease still lasts. */
  #withLease(
    namespace: string,
    receipt: Receipt,
    nowMs: number,
    work: (namespaceId: number) => void,
  ): boolean {
    const namespaceId = this.#session.namespaceId(namespace)
    if (namespaceId === undefined || !this.#isLeased(namespaceId, receipt, nowMs)) return false
    return this.#session.write(() => {
      // It may have ended, and begun for another, while this connection waited for the lock.
      if (!this.#isLeased(namespaceId, receipt, nowMs)) return false
      work(namespaceId)
      return true
    })
  }

  #isLeased(namespaceId: number, { id, lease }: Receipt, nowMs: number): boolean {
    const row = this.#session
      .statement('select 1 from kv_messages where id = ? and namespace = ? and lease = ? and due_at > ?')
      .get(id, namespaceId, lease, nowMs)
    return row !== undefined
  }

  /** Makes a dead letter of a message whose tries are used up, and sets its keys. */
  #bury(namespace: string, namespaceId: number, message: MessageRow, error: string, nowMs: number): void {
    // The dead letter takes the room of the message, so that none is freed for the keys.
    deleteMessage(this.#session, namespaceId, message.id, 0)
    const refusal = this.#setFallbackKeys(namespace, message)
    const text = refusal === undefined ? error : `Its keys were not set: ${refusal} It failed with: ${error}`
    insertDeadLetter(this.#session, namespaceId, message, cutError(text), nowMs)
  }

  /** @returns Why the store refused; a message must die all the same, or it would block its queue for ever. */
  #setFallbackKeys(namespace: string, message: MessageRow): string | undefined {
    const { kind, data, keysIfUndelivered } = message
    if (keysIfUndelivered.length === 0) return undefined
    const value = { kind, data, bytes: Buffer.byteLength(data) }
    const mutations = keysIfUndelivered.map((key): Mutation => ({ type: 'set', key, value }))
    this.#session.statement('savepoint kv_fallback').run()
    try {
      this.#entries.commit(namespace, { checks: [], mutations })
    } catch (error) {
      // A failure of the database itself undoes the whole transaction.
      if (!(error instanceof HostError)) throw error
      this.#session.statement('rollback to kv_fallback').run()
      this.#session.statement('release kv_fallback').run()
      return error.message
    }
    this.#session.statement('release kv_fallback').run()
    return undefined
  }

  #countMessages(namespaceId: number, queue: string | undefined): number {
    const row =
      queue === undefined
        ? this.#session.statement('select messages from kv_namespaces where id = ?').get(namespaceId)
        : this.#session
            .statement('select count(*) from kv_messages where namespace = ? and queue = ?')
            .get(namespaceId, queue)
    return (row as [number])[0]
  }

  #countLeased(namespaceId: number, queue: string | undefined, nowMs: number): number {
    const row =
      queue === undefined
        ? this.#session
            .statement(
              'select count(*) from kv_messages where namespace = ? and lease is not null and due_at > ?',
            )
            .get(namespaceId, nowMs)
        : this.#session
            .statement(
              'select count(*) from kv_messages where namespace = ? and queue = ? and lease is not null and due_at > ?',
            )
            .get(namespaceId, queue, nowMs)
    return (row as [number])[0]
  }
}

/** Bytes of chance in the token of a lease. */
const leaseBytes = 15

const withoutReason = 'The consumer gave no reason.'

function hasTries({ attempts, backoffMs }: MessageRow): boolean {
  return attempts <= backoffMs.length
}

/** Tells why a message has no tries left although nobody gave it back. */
function withoutAnswer({ attempts, error }: MessageRow): string {
  const text = `The lease of the last of ${attempts} tries ended without an answer: the consumer crashed, hung, or took longer than its lease.`
  return error === '' ? text : `${text} An earlier try failed with: ${error}`
}
