import { membersOf, numberOf, textOf } from './api.js'
import { optionalMilliseconds, toMilliseconds } from './duration.js'
import { checkOptions, show, wrongOption } from './options.js'
import type { KvDeadLetter, KvEnqueueOptions, KvMessage, KvQueueStats } from './types.js'
import { fromWire, type Wire, wholeKeyToWire } from './wire.js'

/** Writes the options of a message that are given. */
export function enqueueOptionsToWire(options: KvEnqueueOptions): Readonly<Record<string, Wire>> {
  checkOptions(options, 'enqueue', ['queue', 'delay', 'backoffSchedule', 'keysIfUndelivered'])
  const { queue, delay, backoffSchedule, keysIfUndelivered } = options
  checkArray(backoffSchedule, 'backoffSchedule')
  checkArray(keysIfUndelivered, 'keysIfUndelivered')
  return {
    queue,
    delay: optionalMilliseconds(delay, 'delay'),
    backoffSchedule: backoffSchedule?.map((pause) => toMilliseconds(pause, 'backoffSchedule')),
    keysIfUndelivered: keysIfUndelivered?.map(wholeKeyToWire),
  }
}

function checkArray(value: unknown, name: string): void {
  if (value === undefined || Array.isArray(value)) return
  throw wrongOption(`the option "${name}" is ${show(value)}; it must be an array`)
}

/** Reads a message that was given out. */
export function messageFromWire(wire: Wire): KvMessage {
  const { id, queue, value, attempts, lease, leasedUntil } = membersOf(wire)
  return {
    id: textOf(id, 'id'),
    queue: textOf(queue, 'queue'),
    value: fromWire(value ?? null),
    attempts: numberOf(attempts, 'attempts'),
    lease: textOf(lease, 'lease'),
    leasedUntil: numberOf(leasedUntil, 'leasedUntil'),
  }
}

/** Reads a message of which all tries have failed. */
export function deadLetterFromWire(wire: Wire): KvDeadLetter {
  const members = membersOf(wire)
  return {
    id: textOf(members.id, 'id'),
    originalId: textOf(members.originalId, 'originalId'),
    queue: textOf(members.queue, 'queue'),
    value: fromWire(members.value ?? null),
    errorMessage: textOf(members.errorMessage, 'errorMessage'),
    attempts: numberOf(members.attempts, 'attempts'),
    originalCreatedAt: numberOf(members.originalCreatedAt, 'originalCreatedAt'),
    failedAt: numberOf(members.failedAt, 'failedAt'),
  }
}

/** Reads how many messages there are. */
export function statsFromWire(wire: Wire): KvQueueStats {
  const { pending, processing, dlq, total } = membersOf(wire)
  return {
    pending: numberOf(pending, 'pending'),
    processing: numberOf(processing, 'processing'),
    dlq: numberOf(dlq, 'dlq'),
    total: numberOf(total, 'total'),
  }
}
