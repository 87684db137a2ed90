import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf } from '../../base/errors.js'
import { retryWhileBusy } from '../../database/busy-retry.js'
import { encodePrefix } from '../../kv/key.js'
import { pluginNamespace } from '../../kv/namespace.js'
import type { NewTrigger, TriggerStore } from '../../kv/trigger-store.js'
import type { Registration } from '../../sandbox/host-function.js'
import type { GrantTable } from '../grants/grant-table.js'
import type { PluginLog } from '../plugin-log.js'
import type { ServiceFollower } from '../service-follower.js'
import { type ChangeSource, type ListenerDeclaration, listenersOf } from './listener-index.js'

export interface TriggerFollowerOptions {
  readonly store: TriggerStore
  readonly log: PluginLog
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Is told when other functions may be called than before. */
  changed(): void
}

/** What a plugin's triggers are to be. */
interface Wanted {
  readonly triggers: readonly NewTrigger[]
  /** Queues that are read; undefined when a disabled plugin keeps what waits for it. */
  readonly queues: readonly string[] | undefined
}

/**
 * Keeps the stored triggers of plugins in line with their generations, so that each commit finds for whom it must
 * queue its changes. What could not be stored is stored later.
 */
export class TriggerFollower implements ServiceFollower {
  readonly #options: TriggerFollowerOptions
  readonly #wanted = new Map<string, Wanted>()
  #work: Promise<void> = Promise.resolve()

  constructor(options: TriggerFollowerOptions) {
    this.#options = options
  }

  serves(plugin: string, registrations: readonly Registration[], grants: GrantTable): Promise<void> {
    const changes = listenersOf(plugin, registrations, grants).filter(hasChanges)
    const triggers = changes
      .filter(({ isApproved }) => isApproved)
      .map(({ queue, changes: { namespace, prefix } }) => ({
        namespace,
        queue,
        prefix: encodePrefix(prefix),
      }))
    return this.#want(plugin, { triggers, queues: changes.map(({ queue }) => queue) })
  }

  stopped(plugin: string): Promise<void> {
    return this.#want(plugin, { triggers: [], queues: undefined })
  }

  async present(plugins: readonly string[]): Promise<void> {
    let triggered: readonly string[] = []
    try {
      triggered = await retryWhileBusy(() => this.#options.store.triggeredPlugins())
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'triggers of absent plugins could not be removed')
    }
    const absent = triggered.filter((plugin) => !plugins.includes(plugin))
    await Promise.all(absent.map((plugin) => this.stopped(plugin)))
  }

  /** Stores what could not be stored so far. */
  retry(): Promise<void> {
    return this.#wanted.size === 0 ? Promise.resolve() : this.#store()
  }

  #want(plugin: string, wanted: Wanted): Promise<void> {
    this.#wanted.set(plugin, wanted)
    return this.#store()
  }

  /** One after the other, so that the last word is the last stored. */
  #store(): Promise<void> {
    this.#work = this.#work.then(async () => {
      for (const [plugin, wanted] of [...this.#wanted]) {
        try {
          await this.#apply(plugin, wanted)
          if (this.#wanted.get(plugin) === wanted) this.#wanted.delete(plugin)
        } catch (error) {
          const fields = { plugin, error: messageOf(error) }
          this.#options.log.warn(fields, 'the triggers of a plugin could not be stored yet')
        }
      }
      this.#options.changed()
    })
    return this.#work
  }

  async #apply(plugin: string, { triggers, queues }: Wanted): Promise<void> {
    const { store, now } = this.#options
    await retryWhileBusy(() => store.replaceTriggers(plugin, triggers, now()))
    if (queues === undefined) return
    // Changes that wait for a function which is not registered any more would only take up room.
    let dropped = 0
    for (;;) {
      const count = await retryWhileBusy(() => store.dropUnreadChanges(pluginNamespace(plugin), queues))
      if (count === 0) break
      dropped += count
      await nextTurn()
    }
    if (dropped > 0) {
      this.#options.log.warn(
        { plugin, dropped },
        'changes were dropped: their function is not registered any more',
      )
    }
  }
}

function hasChanges(
  listener: ListenerDeclaration,
): listener is ListenerDeclaration & { readonly changes: ChangeSource } {
  return listener.changes !== undefined
}
