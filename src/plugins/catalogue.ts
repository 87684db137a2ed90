import { lifecycleLimits } from '../base/limits/plugins.js'
import { mapBounded } from './bounded.js'
import type { PluginBreaker } from './breaker.js'
import { discoverFolders } from './discovery.js'
import { orphansUnknown } from './errors.js'
import { type Candidate, type PluginLoader, reasonOf } from './loader.js'
import type { Manifest } from './manifest.js'
import type { ServedPlugin } from './plugin-directory.js'
import { PluginEntry } from './plugin-entry.js'
import type { PluginLog } from './plugin-log.js'
import type { PluginStore, StoredPlugin } from './plugin-store.js'
import type { ReadSource } from './source.js'

/** What a folder turned out to be. */
export type ExaminedFolder =
  | { readonly kind: 'plugin'; readonly folder: string; readonly candidate: Candidate }
  /** A disabled plugin, known by its source: its code has not run. */
  | { readonly kind: 'known'; readonly folder: string; readonly manifest: Manifest }
  | {
      readonly kind: 'broken'
      readonly folder: string
      readonly reason: string
      /** Fingerprint of the code; undefined when it could not be read. */
      readonly contentHash: string | undefined
    }

export interface CatalogueOptions {
  /** The plugin directory. */
  readonly directory: string
  readonly loader: PluginLoader
  readonly store: PluginStore
  readonly log: PluginLog
  createBreaker(plugin: string): PluginBreaker
  /** Says why the configuration takes a plugin out; undefined when it does not. */
  offReason(plugin: string): string | undefined
  /** Is told of each stored plugin that must run in an executor of its own, before its code runs. */
  quarantine(plugin: string): void
}

/** All plugins of this host by name, and the folders that they come from. */
export class Catalogue {
  readonly #options: CatalogueOptions
  readonly #entries = new Map<string, PluginEntry>()
  /** What `served` gave last; undefined since plugins came or went. */
  #served: { readonly entries: readonly PluginEntry[]; readonly list: readonly ServedPlugin[] } | undefined

  constructor(options: CatalogueOptions) {
    this.#options = options
  }

  get(name: string): PluginEntry | undefined {
    return this.#entries.get(name)
  }

  /** All plugins, those that others need before them. */
  inLoadOrder(): readonly PluginEntry[] {
    return this.all().toSorted((a, b) => a.loadNumber - b.loadNumber)
  }

  /** What all plugins serve, in load order: the same array as long as nothing has changed. Asked for each request. */
  served(): readonly ServedPlugin[] {
    const known = this.#served
    if (known?.entries.every(({ served }, at) => served === known.list[at])) return known.list
    // A plugin gets another place only together with something else to serve.
    const entries = this.inLoadOrder()
    const list = entries.map(({ served }) => served)
    this.#served = { entries, list }
    return list
  }

  /** All plugins in alphabetical order. */
  all(): readonly PluginEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Reads and inspects the folders of the plugin directory.
   *
   * @throws HostError PLUGIN_DIRECTORY_UNREADABLE.
   */
  async examineAll(stored: ReadonlyMap<string, StoredPlugin>): Promise<readonly ExaminedFolder[]> {
    const folders = await discoverFolders(this.#options.directory, { create: true })
    return mapBounded(folders, lifecycleLimits.parallelMax, (folder) => this.#examine(folder, stored))
  }

  /**
   * Enters an examined folder; a broken one under the name of its folder, which is all that is known of it.
   *
   * @returns The entry, or undefined when the name is taken: the first keeps it.
   */
  enter(examined: ExaminedFolder, stored: ReadonlyMap<string, StoredPlugin>): PluginEntry | undefined {
    const manifest = manifestOf(examined)
    const name = manifest?.name ?? examined.folder
    if (this.#entries.has(name)) return undefined
    const entry = new PluginEntry(name, examined.folder, this.#options.createBreaker(name))
    entry.manifest = manifest
    this.#decide(entry, stored.get(name))
    entry.triedHash = hashOf(examined)
    if (examined.kind === 'broken' && entry.offReason === undefined) entry.fail(examined.reason)
    else if (!entry.isEnabled) entry.setState('stopped')
    this.#entries.set(name, entry)
    this.#served = undefined
    return entry
  }

  /** Replaces an entry that was known by its folder only, now that its plugin is known. */
  rename(entry: PluginEntry, manifest: Manifest, stored: StoredPlugin | undefined): PluginEntry {
    const renamed = new PluginEntry(manifest.name, entry.folder, this.#options.createBreaker(manifest.name))
    renamed.manifest = manifest
    renamed.triedHash = entry.triedHash
    this.#decide(renamed, stored)
    renamed.setState(renamed.isEnabled ? 'loading' : 'stopped')
    if (stored?.quarantined) this.#options.quarantine(manifest.name)
    this.#entries.delete(entry.name)
    this.#entries.set(renamed.name, renamed)
    this.#served = undefined
    entry.served.breaker.close()
    return renamed
  }

  /** The plugin that was last found in a folder; undefined when the folder belongs to nobody. */
  inFolder(folder: string): PluginEntry | undefined {
    return this.all().find((entry) => entry.folder === folder)
  }

  /** Forgets an entry that was known by its folder only, and the folder is gone. */
  forget(entry: PluginEntry): void {
    this.#entries.delete(entry.name)
    this.#served = undefined
    entry.served.breaker.close()
  }

  /** Names of all folders that are there, or were when their plugin was last loaded. */
  async folders(): Promise<readonly string[]> {
    const present = await discoverFolders(this.#options.directory, { create: false })
    return [...new Set([...present, ...this.all().map(({ folder }) => folder)])]
  }

  /** Reads and inspects one folder. */
  async examine(folder: string): Promise<ExaminedFolder> {
    return this.#examine(folder, await this.#options.store.all())
  }

  /** Whether the folder is there at this moment. */
  async hasFolder(folder: string): Promise<boolean> {
    return (await discoverFolders(this.#options.directory, { create: false })).includes(folder)
  }

  /**
   * Looks for a plugin that is not known, or whose folder is gone, in the folders that belong to nobody.
   *
   * @returns The folder that holds it, or the broken folder of that name; undefined when there is none.
   */
  async search(name: string, stored: ReadonlyMap<string, StoredPlugin>): Promise<ExaminedFolder | undefined> {
    const folders = await this.#strangeFolders()
    // The folder of that name is the likely one, and usually the only one that has to be inspected.
    const likelyFirst = [...folders].sort((a, b) => Number(b === name) - Number(a === name))
    let broken: ExaminedFolder | undefined
    for (const folder of likelyFirst) {
      const examined = await this.#examine(folder, stored)
      if (manifestOf(examined)?.name === name) return examined
      if (examined.kind === 'broken' && folder === name) broken = examined
    }
    return broken
  }

  /** Enters a plugin whose folder has appeared since the start; undefined when there is none. */
  async adopt(name: string): Promise<PluginEntry | undefined> {
    const stored = await this.#options.store.all()
    const examined = await this.search(name, stored)
    if (examined === undefined) return undefined
    if (stored.get(name)?.quarantined) this.#options.quarantine(name)
    const entry = this.enter(examined, stored) ?? this.#entries.get(name)
    this.#options.log.info({ plugin: name, folder: examined.folder }, 'found a new plugin folder')
    return entry
  }

  /**
   * Tells which plugins are there at this moment: those with a folder, and those that run.
   *
   * @returns Their names.
   * @throws HostError PLUGIN_DIRECTORY_UNREADABLE, PLUGIN_ORPHANS_UNKNOWN for folders whose plugin cannot be told.
   */
  async present(): Promise<ReadonlySet<string>> {
    const folders = new Set(await discoverFolders(this.#options.directory, { create: false }))
    const names = new Set<string>()
    const unknown: string[] = []
    for (const entry of this.#entries.values()) {
      const isFound = folders.delete(entry.folder)
      if (entry.manifest === undefined && isFound) folders.add(entry.folder)
      else if (isFound || entry.serving !== undefined) names.add(entry.name)
    }
    const stored = await this.#options.store.all()
    const strangers = await mapBounded([...folders].sort(), lifecycleLimits.parallelMax, (folder) =>
      this.#examine(folder, stored),
    )
    for (const stranger of strangers) {
      const manifest = manifestOf(stranger)
      if (manifest === undefined) unknown.push(stranger.folder)
      else names.add(manifest.name)
    }
    if (unknown.length > 0) throw orphansUnknown({ folders: unknown.join(', ') })
    return names
  }

  /** Whether a plugin is to run at all. */
  #decide(entry: PluginEntry, stored: StoredPlugin | undefined): void {
    entry.offReason = this.#options.offReason(entry.name)
    entry.isEnabled = stored?.status !== 'disabled' && entry.offReason === undefined
  }

  async #strangeFolders(): Promise<readonly string[]> {
    const taken = new Set([...this.#entries.values()].map(({ folder }) => folder))
    const folders = await discoverFolders(this.#options.directory, { create: true })
    return folders.filter((folder) => !taken.has(folder))
  }

  async #examine(folder: string, stored: ReadonlyMap<string, StoredPlugin>): Promise<ExaminedFolder> {
    let contentHash: string | undefined
    try {
      const read = await this.#options.loader.read(folder)
      contentHash = read.contentHash
      const known = findDisabled(read, stored)
      if (known !== undefined) return { kind: 'known', folder, manifest: known }
      return { kind: 'plugin', folder, candidate: await this.#options.loader.inspect(read) }
    } catch (error) {
      const reason = reasonOf(error)
      this.#options.log.warn({ folder, reason }, 'plugin folder cannot be used')
      return { kind: 'broken', folder, reason, contentHash }
    }
  }
}

/** What a folder's plugin says of itself; undefined for a broken folder. */
export function manifestOf(examined: ExaminedFolder): Manifest | undefined {
  if (examined.kind === 'broken') return undefined
  return examined.kind === 'known' ? examined.manifest : examined.candidate.manifest
}

function hashOf(examined: ExaminedFolder): string {
  if (examined.kind === 'plugin') return examined.candidate.contentHash
  return (examined.kind === 'broken' ? examined.contentHash : undefined) ?? ''
}

/** Recognises a disabled plugin by its source, so that what an admin has cut off does not run again at each start. */
function findDisabled(read: ReadSource, stored: ReadonlyMap<string, StoredPlugin>): Manifest | undefined {
  for (const plugin of stored.values()) {
    if (plugin.status === 'disabled' && plugin.contentHash === read.contentHash) return toManifest(plugin)
  }
  return undefined
}

function toManifest(plugin: StoredPlugin): Manifest {
  return {
    name: plugin.name,
    version: plugin.version,
    description: plugin.description,
    author: plugin.author === '' ? undefined : plugin.author,
    license: undefined,
    minCmsVersion: undefined,
    dependencies: [],
    requires: [],
    configSchema: undefined,
    secrets: [],
    capabilities: [],
    coreAccess: new Map(),
    kvAccess: new Map(),
    gatewayAccess: [],
    screens: [],
    interfaces: [],
    ui: undefined,
  }
}
