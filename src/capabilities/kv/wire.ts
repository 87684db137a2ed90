import { createHash } from 'node:crypto'
import { changeQueuePrefix } from '../../kv/change-queue.js'
import type { KvKey } from '../../kv/key.js'
import type { KvChange, KvMessage } from '../../kv/kv.js'
import { keyFromWire, keyToWire, toWire, type Wire } from '../../kv/wire.js'
import type { Registration } from '../../sandbox/host-function.js'

/** Kind of the registrations of `kv.on_change`. */
export const changeRegistration = 'kv_change'

/** Kind of the registrations of `kv.listen`. */
export const queueRegistration = 'kv_queue'

/** What can happen to an entry. */
export const changeTypes = ['set', 'delete'] as const

export type ChangeType = (typeof changeTypes)[number]

/** A function that a plugin wants to be called with changes below a prefix. */
export interface ChangeDeclaration {
  /** Names the registration within its plugin: equal at each load for an equal namespace and prefix. */
  readonly key: string
  /** Name of a shared namespace, without `shared:`; undefined for the plugin's own. */
  readonly shared: string | undefined
  /** The prefix itself is meant too; no parts at all mean every key. */
  readonly prefix: KvKey
  /** Changes of other types are passed over. */
  readonly events: readonly ChangeType[]
  /** Calls at once; with 1, changes come in their order. */
  readonly concurrency: number
}

/** A function that a plugin wants to be called with the messages of a queue in its own namespace. */
export interface QueueDeclaration {
  /** Names the registration within its plugin: the name of the queue. */
  readonly key: string
  readonly queue: string
  /** Calls at once. */
  readonly concurrency: number
}

/** Makes the registration of `kv.on_change`. */
export function changeToRegistration(declared: Omit<ChangeDeclaration, 'key'>): Registration {
  const { shared, prefix, events, concurrency } = declared
  const wire = keyToWire(prefix)
  const data = { ...(shared === undefined ? {} : { shared }), prefix: wire, events: [...events], concurrency }
  return { kind: changeRegistration, key: `${shared ?? ''} ${JSON.stringify(wire)}`, data }
}

/** Makes the registration of `kv.listen`. */
export function queueToRegistration({ queue, concurrency }: Omit<QueueDeclaration, 'key'>): Registration {
  return { kind: queueRegistration, key: queue, data: { queue, concurrency } }
}

/** Picks the functions for changes out of what a plugin registered, in the order of registration. */
export function changesOf(registrations: readonly Registration[]): readonly ChangeDeclaration[] {
  const found: ChangeDeclaration[] = []
  for (const { kind, key, data } of registrations) {
    if (kind !== changeRegistration) continue
    const { shared, prefix, events, concurrency } = data
    if (shared !== undefined && typeof shared !== 'string') continue
    if (!Array.isArray(prefix) || !Array.isArray(events) || typeof concurrency !== 'number') continue
    const known = changeTypes.filter((type) => events.includes(type))
    found.push({ key, shared, prefix: keyFromWire(prefix), events: known, concurrency })
  }
  return found
}

/** Picks the functions for queues out of what a plugin registered, in the order of registration. */
export function queuesOf(registrations: readonly Registration[]): readonly QueueDeclaration[] {
  const found: QueueDeclaration[] = []
  for (const { kind, key, data } of registrations) {
    if (kind !== queueRegistration) continue
    const { queue, concurrency } = data
    if (typeof queue === 'string' && typeof concurrency === 'number') found.push({ key, queue, concurrency })
  }
  return found
}

/**
 * The queue in the plugin's own namespace in which the changes for one function wait. Its name is none that a plugin
 * can give to a queue.
 *
 * @param key Key of the registration.
 */
export function changeQueueOf(key: string): string {
  return `${changeQueuePrefix}${createHash('sha256').update(key).digest('hex').slice(0, 32)}`
}

/** What a registered function is called with. */
export interface KvCall {
  readonly registration: typeof changeRegistration | typeof queueRegistration
  /** Key of the registration. */
  readonly key: string
  /** The table that the function gets, as JSON with the tags of `kv/wire.ts`. */
  readonly json: string
}

/** Makes the payload of a call with a message. */
export function encodeMessageCall(
  key: string,
  { id, queue, value, attempts }: Pick<KvMessage, 'id' | 'queue' | 'value' | 'attempts'>,
): string {
  return encode(queueRegistration, key, { id, queue, value: toWire(value), attempts })
}

/** Makes the payload of a call with a change. */
export function encodeChangeCall(key: string, { type, key: changed, value, versionstamp }: KvChange): string {
  return encode(changeRegistration, key, {
    type,
    key: keyToWire(changed),
    value: toWire(value),
    versionstamp,
  })
}

const separator = '\n'

function encode(registration: string, key: string, table: Readonly<Record<string, Wire>>): string {
  // Neither names of queues nor JSON have line feeds.
  return `${registration}${separator}${key}${separator}${JSON.stringify(table)}`
}

/** Reads what `encodeMessageCall` or `encodeChangeCall` made. */
export function decodeKvCall(text: string): KvCall {
  const first = text.indexOf(separator)
  const second = text.indexOf(separator, first + 1)
  const registration = text.slice(0, first)
  if (registration !== changeRegistration && registration !== queueRegistration) {
    throw new Error('the payload is no call of a function for changes or messages')
  }
  return { registration, key: text.slice(first + 1, second), json: text.slice(second + 1) }
}

/** Flattens how a function ended: undefined when it has done its work, else why it gives the message back. */
export function encodeKvResult(problem: string | undefined): unknown[] {
  return problem === undefined ? [] : [problem]
}

/** Reads what `encodeKvResult` made. */
export function decodeKvResult(result: readonly unknown[]): string | undefined {
  return typeof result[0] === 'string' ? result[0] : undefined
}
