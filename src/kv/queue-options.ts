import { kvLimits } from '../base/limits/kv.js'
import { defaultBackoffMs } from './backoff.js'
import { kvOptionInvalid, kvQueueInvalid } from './errors.js'
import { encodeKey } from './key.js'
import type { KvEnqueueOptions } from './kv.js'
import type { DeadLetterQuery } from './queue-store.js'
import type { NewMessage } from './store.js'
import { encodeValue } from './stored-value.js'
import type { KvValue } from './value.js'

/** The options of `enqueue`, as TypeScript and JSON write them. */
export const enqueueOptionNames: readonly string[] = [
  'queue',
  'delay',
  'backoffSchedule',
  'keysIfUndelivered',
]

/** The queue that is meant when none is named. */
const defaultQueue = 'default'

const name = `[a-z][a-z0-9_-]{0,${kvLimits.queueCharactersMax - 1}}`
const ownName = new RegExp(`^${name}$`)
const anyName = new RegExp(`^\\$?${name}$`)

/**
 * Checks the name of a queue that somebody sends to or takes from.
 *
 * @returns The name; `defaultQueue` when it is missing.
 * @throws `KV_QUEUE_INVALID`, also for the queues of the host.
 */
export function queueName(queue: string = defaultQueue): string {
  return check(queue, ownName)
}

/**
 * Checks the name of a queue that somebody looks at; those of the host, which begin with `$`, are among them.
 *
 * @throws `KV_QUEUE_INVALID`.
 */
export function anyQueueName(queue: string): string {
  return check(queue, anyName)
}

/**
 * Checks how long a lease lasts.
 *
 * @param leaseMs Milliseconds; `kvLimits.leaseMsDefault` when missing.
 * @throws `KV_OPTION_INVALID`.
 */
export function leaseLength(leaseMs: number = kvLimits.leaseMsDefault): number {
  return milliseconds('lease', leaseMs, 1, kvLimits.leaseMsMax)
}

/**
 * Checks which dead letters somebody asks for.
 *
 * @param options `limit` is `kvLimits.deadLettersPageDefault` when missing, and `offset` 0.
 * @throws `KV_QUEUE_INVALID`, `KV_OPTION_INVALID`.
 */
export function deadLetterQuery(
  options: { readonly queue?: string; readonly limit?: number; readonly offset?: number } = {},
): DeadLetterQuery {
  const { queue, limit = kvLimits.deadLettersPageDefault, offset = 0 } = options
  return {
    queue: queue === undefined ? undefined : anyQueueName(queue),
    limit: integer('limit', limit, '', 1, kvLimits.deadLettersPageMax),
    offset: integer('offset', offset, '', 0, kvLimits.deadLettersMax),
  }
}

/**
 * Encodes a message for a store.
 *
 * @param nowMs Milliseconds since 1970.
 * @throws `KV_QUEUE_INVALID`, `KV_OPTION_INVALID` for an option that is out of its range, `KV_KEY_INVALID` for a key
 *   of `keysIfUndelivered`, `KV_VALUE_INVALID` and `KV_VALUE_TOO_LARGE`.
 */
export function encodeMessage(value: KvValue, options: KvEnqueueOptions, nowMs: number): NewMessage {
  return {
    queue: queueName(options.queue),
    value: encodeValue(value, nowMs),
    dueAt: nowMs + milliseconds('delay', options.delay ?? 0, 0, kvLimits.delayMsMax),
    backoffMs: pauses(options.backoffSchedule ?? defaultBackoffMs),
    keysIfUndelivered: fallbackKeys(options.keysIfUndelivered ?? []),
  }
}

/**
 * Reads the id of a message or of a dead letter, which is a text outside of the store.
 *
 * @returns 0, which no message has, for a text that is no id.
 */
export function messageId(text: string): number {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0
}

function pauses(schedule: readonly number[]): readonly number[] {
  list('backoffSchedule', schedule, kvLimits.backoffPausesMax)
  return schedule.map((pause, at) =>
    milliseconds(`backoffSchedule[${at}]`, pause, 0, kvLimits.backoffPauseMsMax),
  )
}

function fallbackKeys(
  keys: NonNullable<KvEnqueueOptions['keysIfUndelivered']>,
): NewMessage['keysIfUndelivered'] {
  list('keysIfUndelivered', keys, kvLimits.keysIfUndeliveredMax)
  return keys.map(encodeKey)
}

function list(option: string, value: readonly unknown[], lengthMax: number): void {
  if (!Array.isArray(value)) {
    throw kvOptionInvalid({ problem: `"${option}" is ${shown(value)}; it is an array.` })
  }
  if (value.length <= lengthMax) return
  throw kvOptionInvalid({
    problem: `"${option}" has ${value.length} items, and ${lengthMax} are allowed. Leave some out.`,
  })
}

function milliseconds(option: string, value: number, least: number, most: number): number {
  return integer(option, value, ' of milliseconds', least, most)
}

function integer(option: string, value: number, unit: string, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw kvOptionInvalid({
    problem: `"${option}" is ${shown(value)}; it is a whole number${unit} from ${least} to ${most}.`,
  })
}

function check(queue: string, grammar: RegExp): string {
  if (typeof queue === 'string' && grammar.test(queue)) return queue
  throw kvQueueInvalid({ name: shown(queue), charactersMax: kvLimits.queueCharactersMax })
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  const text = typeof value === 'symbol' ? 'a symbol' : String(value)
  return text.length > kvLimits.shownCharacters ? `${text.slice(0, kvLimits.shownCharacters)}…` : text
}
