import { kvLimits } from '../../base/limits/kv.js'
import { defaultBackoffMs } from '../backoff.js'
import { encodeChange } from '../change-queue.js'
import { pluginNamespace } from '../namespace.js'
import type { StoredValue } from '../stored-value.js'
import { insertMessage, sizeOf } from './messages.js'
import type { CommitContext, EntryObserver, Observe } from './observers.js'
import type { KvSession } from './session.js'

/** A plugin that wants to know of the changes below a prefix. */
export interface Trigger {
  readonly plugin: string
  /** Where in the plugin's own namespace the changes wait for it. */
  readonly queue: string
  readonly prefix: Buffer
}

/** Why a change was not queued: too many wait already, or functions lead to one another without end. */
export type DropReason = 'full' | 'depth'

/** Told when a change was not queued. */
export type OnDropped = (trigger: Trigger, reason: DropReason) => void

/**
 * Makes the observer that queues changes for plugins, in the transaction of the commit itself: none is lost by a
 * crash, and none is queued of a commit that failed. A plugin that does not keep up loses changes, so that it cannot
 * make the commits of others fail.
 */
export function createTriggerObserver(session: KvSession, onDropped: OnDropped): Observe {
  const triggers = new TriggerCache(session)
  return (context) => {
    const all = triggers.of(context.state.id, context.state.observersVersion)
    return all.length === 0 ? undefined : new TriggerObserver(all, context, onDropped)
  }
}

class TriggerObserver implements EntryObserver {
  readonly #triggers: readonly Trigger[]
  readonly #context: CommitContext
  readonly #onDropped: OnDropped

  constructor(triggers: readonly Trigger[], context: CommitContext, onDropped: OnDropped) {
    this.#triggers = triggers
    this.#context = context
    this.#onDropped = onDropped
  }

  changed(key: Buffer, value: StoredValue | undefined): void {
    const triggers = this.#triggers.filter(({ prefix }) => isBelow(key, prefix))
    if (triggers.length === 0) return
    const { state, depth } = this.#context
    // Once for all of them: the text of a large value is dear, and the commit holds the lock of the file.
    const change = encodeChange(key, value, state.versionstamp, depth)
    for (const trigger of triggers) this.#queue(trigger, change)
  }

  #queue(trigger: Trigger, change: StoredValue): void {
    const { session, state, nowMs, namespaceBytesMax, depth } = this.#context
    if (depth >= kvLimits.changeDepthMax) {
      this.#onDropped(trigger, 'depth')
      return
    }
    const own = this.#context.namespace(pluginNamespace(trigger.plugin))
    const message = {
      queue: trigger.queue,
      value: change,
      dueAt: nowMs,
      backoffMs: defaultBackoffMs,
      keysIfUndelivered: [],
    }
    const bytesMax = own === state ? namespaceBytesMax : namespaceBytesMax * kvLimits.otherChangesShare
    if (own.messages >= kvLimits.triggerMessagesMax || own.bytes + sizeOf(message) > bytesMax) {
      this.#onDropped(trigger, 'full')
      return
    }
    insertMessage(session, own, message, nowMs)
  }
}

function isBelow(key: Buffer, prefix: Buffer): boolean {
  return key.length >= prefix.length && key.compare(prefix, 0, prefix.length, 0, prefix.length) === 0
}

/** The triggers of namespaces, read again when they have changed. */
class TriggerCache {
  readonly #session: KvSession
  readonly #known = new Map<number, { readonly version: number; readonly triggers: readonly Trigger[] }>()

  constructor(session: KvSession) {
    this.#session = session
  }

  of(namespaceId: number, version: number): readonly Trigger[] {
    const known = this.#known.get(namespaceId)
    if (known?.version === version) return known.triggers
    const rows = this.#session
      .statement('select plugin, queue, prefix from kv_triggers where namespace = ?')
      .all(namespaceId) as [plugin: string, queue: string, prefix: Buffer][]
    const triggers = rows.map(([plugin, queue, prefix]) => ({ plugin, queue, prefix }))
    this.#known.set(namespaceId, { version, triggers })
    return triggers
  }
}
