import { kvLimits } from '../../base/limits/kv.js'
import { changeQueuePrefix } from '../change-queue.js'
import type { NewTrigger, TriggerStore } from '../trigger-store.js'
import { deleteMessage } from './messages.js'
import type { KvSession } from './session.js'

/** Triggers in the table `kv_triggers`. */
export class SqliteTriggerStore implements TriggerStore {
  readonly #session: KvSession

  constructor(session: KvSession) {
    this.#session = session
  }

  replaceTriggers(plugin: string, triggers: readonly NewTrigger[], nowMs: number): void {
    const wanted = new Map(triggers.map((trigger) => [nameOf(trigger), trigger]))
    if (isSame(this.#stored(plugin), wanted)) return
    this.#session.write(() => {
      const stored = this.#stored(plugin)
      for (const [name, trigger] of stored) if (!wanted.has(name)) this.#remove(plugin, trigger)
      for (const [name, trigger] of wanted) if (!stored.has(name)) this.#add(plugin, trigger, nowMs)
    })
  }

  triggeredPlugins(): readonly string[] {
    const rows = this.#session.statement('select distinct plugin from kv_triggers').all() as [string][]
    return rows.map(([plugin]) => plugin)
  }

  dropUnreadChanges(namespace: string, queues: readonly string[]): number {
    const namespaceId = this.#session.namespaceId(namespace)
    if (namespaceId === undefined || this.#unreadQueue(namespaceId, queues) === undefined) return 0
    return this.#session.write(() => {
      const queue = this.#unreadQueue(namespaceId, queues)
      if (queue === undefined) return 0
      const rows = this.#session
        .statement('select id, bytes from kv_messages where namespace = ? and queue = ? limit ?')
        .all(namespaceId, queue, kvLimits.deadLettersSliceMax) as [id: number, bytes: number][]
      for (const [id, bytes] of rows) deleteMessage(this.#session, namespaceId, id, bytes)
      return rows.length
    })
  }

  busyNamespaces(): readonly string[] {
    const rows = this.#session.statement('select name from kv_namespaces where messages > 0').all() as [
      string,
    ][]
    return rows.map(([name]) => name)
  }

  #stored(plugin: string): Map<string, NewTrigger> {
    const rows = this.#session
      .statement(
        'select n.name, t.queue, t.prefix from kv_triggers t join kv_namespaces n on n.id = t.namespace where t.plugin = ?',
      )
      .all(plugin) as [namespace: string, queue: string, prefix: Buffer][]
    const triggers = rows.map(([namespace, queue, prefix]) => ({ namespace, queue, prefix }))
    return new Map(triggers.map((trigger) => [nameOf(trigger), trigger]))
  }

  #add(plugin: string, { namespace, queue, prefix }: NewTrigger, nowMs: number): void {
    const { id } = this.#session.readNamespace(namespace, nowMs)
    this.#session
      .statement('insert into kv_triggers (namespace, plugin, queue, prefix) values (?, ?, ?, ?)')
      .run(id, plugin, queue, prefix)
    this.#tellCaches(id)
  }

  #remove(plugin: string, { namespace, queue }: NewTrigger): void {
    const id = this.#session.namespaceId(namespace)
    this.#session
      .statement('delete from kv_triggers where namespace = ? and plugin = ? and queue = ?')
      .run(id, plugin, queue)
    this.#tellCaches(id)
  }

  /** Every connection keeps the triggers of a namespace for as long as this number stays. */
  #tellCaches(namespaceId: number | undefined): void {
    this.#session
      .statement('update kv_namespaces set observers_version = observers_version + 1 where id = ?')
      .run(namespaceId)
  }

  /** Steps from queue to queue in the index, past their messages. */
  #unreadQueue(namespaceId: number, queues: readonly string[]): string | undefined {
    let last = changeQueuePrefix
    for (;;) {
      const row = this.#session
        .statement('select queue from kv_messages where namespace = ? and queue > ? order by queue limit 1')
        .get(namespaceId, last) as [string] | undefined
      if (row === undefined || !row[0].startsWith(changeQueuePrefix)) return undefined
      if (!queues.includes(row[0])) return row[0]
      last = row[0]
    }
  }
}

function nameOf({ namespace, queue, prefix }: NewTrigger): string {
  return `${namespace} ${queue} ${prefix.toString('base64')}`
}

function isSame(stored: ReadonlyMap<string, NewTrigger>, wanted: ReadonlyMap<string, NewTrigger>): boolean {
  return stored.size === wanted.size && [...wanted.keys()].every((name) => stored.has(name))
}
