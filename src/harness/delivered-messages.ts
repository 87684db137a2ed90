import { setTimeout as pause } from 'node:timers/promises'
import { testLimits } from '../base/limits/harness.js'
import { retryWhileBusy } from '../database/busy-retry.js'
import { pluginNamespace } from '../kv/namespace.js'
import type { QueueStore } from '../kv/queue-store.js'
import { listenersOf } from '../plugins/kv/listener-index.js'
import type { PluginDirectory, ServedPlugin } from '../plugins/plugin-directory.js'

/** What brings messages to the functions of the plugins of a host. */
export interface DeliveredMessages {
  readonly directory: PluginDirectory
  readonly queues: Pick<QueueStore, 'nextDueAt' | 'queueCounts'>
  /** Milliseconds since 1970 that never go back. */
  readonly now: () => number
}

/** Resolves when no message is due or worked on for a function of any plugin; gives how many are left to one of them. */
export async function messagesIdle(plugin: string, messages: DeliveredMessages): Promise<number> {
  for (;;) {
    const queues = messages.directory.all().flatMap(queuesOf)
    const states = await retryWhileBusy(() => queues.map((queue) => stateOf(queue, messages)))
    if (states.every(({ isIdle }) => isIdle)) {
      return states.reduce((sum, state) => sum + (state.plugin === plugin ? state.left : 0), 0)
    }
    await pause(testLimits.waitPollMs)
  }
}

interface ReadQueue {
  readonly plugin: string
  readonly queue: string
}

function queuesOf({ name, generation, grants }: ServedPlugin): readonly ReadQueue[] {
  const registrations = generation?.inspection.registrations ?? []
  return listenersOf(name, registrations, grants)
    .filter(({ isApproved }) => isApproved)
    .map(({ queue }) => ({ plugin: name, queue }))
}

interface QueueState {
  readonly plugin: string
  readonly left: number
  readonly isIdle: boolean
}

function stateOf({ plugin, queue }: ReadQueue, { queues, now }: DeliveredMessages): QueueState {
  const namespace = pluginNamespace(plugin)
  const nowMs = now()
  const { pending, processing, dead } = queues.queueCounts(namespace, queue, nowMs)
  const dueAt = queues.nextDueAt(namespace, queue)
  return {
    plugin,
    left: pending + processing + dead,
    isIdle: processing === 0 && (dueAt === undefined || dueAt > nowMs),
  }
}
