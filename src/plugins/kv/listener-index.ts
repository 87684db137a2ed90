import { type ChangeType, changeQueueOf, changesOf, queuesOf } from '../../capabilities/kv/wire.js'
import type { KvKey } from '../../kv/key.js'
import { pluginNamespace, sharedNamespace } from '../../kv/namespace.js'
import type { Generation } from '../../sandbox/generation.js'
import type { Registration } from '../../sandbox/host-function.js'
import { DirectoryView } from '../directory-view.js'
import { kvKey } from '../grants/grant-keys.js'
import type { GrantTable } from '../grants/grant-table.js'
import type { PluginDirectory, ServedPlugin } from '../plugin-directory.js'

/** What a plugin registered a function for. */
export interface ListenerDeclaration {
  /** Key of the registration. */
  readonly key: string
  /** Of the plugin's own namespace, where messages wait for the function. */
  readonly queue: string
  /** Calls at once. */
  readonly concurrency: number
  /** Undefined where the function is for the messages of a queue. */
  readonly changes: ChangeSource | undefined
  /** False for changes of a shared namespace that the plugin may not read. */
  readonly isApproved: boolean
}

/** Where the changes come from that a function is called with. */
export interface ChangeSource {
  /** `plugin:<name>` or `shared:<name>`. */
  readonly namespace: string
  readonly prefix: KvKey
  readonly events: readonly ChangeType[]
}

/** A function of a plugin that runs. */
export interface Listener extends ListenerDeclaration {
  readonly plugin: string
  readonly generation: Generation
  /** The plugin's own. */
  readonly namespace: string
}

/** Picks the functions for messages and changes out of what a generation registered. */
export function listenersOf(
  plugin: string,
  registrations: readonly Registration[],
  grants: GrantTable,
): readonly ListenerDeclaration[] {
  const queues = queuesOf(registrations).map(({ key, queue, concurrency }) => {
    return { key, queue, concurrency, changes: undefined, isApproved: true }
  })
  const changes = changesOf(registrations).map(({ key, concurrency, events, shared, prefix }) => {
    const isApproved = mayFollow(shared, grants)
    const namespace = shared === undefined ? pluginNamespace(plugin) : sharedNamespace(shared)
    return { key, queue: changeQueueOf(key), concurrency, changes: { namespace, prefix, events }, isApproved }
  })
  return [...queues, ...changes]
}

/** Whether a plugin may be told of changes: those of its own namespace it always may. */
function mayFollow(shared: string | undefined, grants: GrantTable): boolean {
  return shared === undefined || grants.isApproved('kv', kvKey(shared, 'read'))
}

/** The functions of all running plugins. */
export class ListenerIndex {
  readonly #directory: PluginDirectory
  readonly #approved: DirectoryView<readonly Listener[]>

  constructor(directory: PluginDirectory) {
    this.#directory = directory
    this.#approved = new DirectoryView(directory, (plugins) =>
      plugins.flatMap(listenersOfPlugin).filter(({ isApproved }) => isApproved),
    )
  }

  /** Those that may be called, by plugin in the order in which plugins were started. */
  approved(): readonly Listener[] {
    return this.#approved.current()
  }

  /** Whether a function is still the one to be called: another generation may have taken its place. */
  isCurrent({ plugin, generation }: Listener): boolean {
    const served = this.#directory.find(plugin)
    return served?.state === 'running' && served.generation === generation
  }
}

function listenersOfPlugin({ name, state, generation, grants }: ServedPlugin): readonly Listener[] {
  if (state !== 'running' || generation === undefined) return []
  const namespace = pluginNamespace(name)
  return listenersOf(name, generation.inspection.registrations, grants).map((declared) => {
    return { ...declared, plugin: name, generation, namespace }
  })
}
