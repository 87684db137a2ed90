import { messageOf } from '../base/errors.js'
import type { Activator } from './activator.js'
import { type Catalogue, manifestOf } from './catalogue.js'
import type { PluginLoader } from './loader.js'
import type { PluginEntry } from './plugin-entry.js'
import type { PluginLog } from './plugin-log.js'
import type { PluginStore } from './plugin-store.js'
import type { ReadSource } from './source.js'
import { stopPlugin } from './stopping.js'
import type { ChangeOutcome } from './watch/reload-schedule.js'

export interface FolderChangesOptions {
  readonly catalogue: Catalogue
  readonly loader: PluginLoader
  readonly activator: Activator
  readonly store: PluginStore
  readonly log: PluginLog
  quarantine(plugin: string): void
  /** Loads a plugin of files that have been read. */
  reload(entry: PluginEntry, read?: ReadSource): Promise<void>
  /** Does work on a plugin when all orders for it are done; undefined when the host closes. */
  order<T>(plugin: string, work: () => Promise<T>): Promise<T | undefined>
}

/** Brings the host up to date with a plugin folder in which something has changed. */
export class FolderChanges {
  readonly #options: FolderChangesOptions
  /** Fingerprints of folders whose plugin name is taken: they are not inspected again while they stay the same. */
  readonly #ignored = new Map<string, string>()

  constructor(options: FolderChangesOptions) {
    this.#options = options
  }

  /** Loads, adopts or takes out of service what the folder holds, or held. Failures are logged. */
  async apply(folder: string): Promise<ChangeOutcome> {
    const { catalogue, log, order } = this.#options
    let isPresent: boolean
    try {
      isPresent = await catalogue.hasFolder(folder)
    } catch (error) {
      // Nothing can be said of any folder: what serves goes on.
      log.warn({ folder, reason: messageOf(error) }, 'the plugin directory cannot be read')
      return 'gone'
    }
    if (!isPresent) this.#ignored.delete(folder)
    const entry = catalogue.inFolder(folder)
    if (entry === undefined) return isPresent ? this.#appear(folder) : 'gone'
    const outcome = await order(entry.name, async () => {
      // An order before this one may have found the plugin elsewhere, or under another name.
      const current = catalogue.inFolder(folder)
      if (current !== entry) return undefined
      return isPresent ? this.#change(entry) : this.#vanish(entry)
    })
    return outcome ?? 'gone'
  }

  async #change(entry: PluginEntry): Promise<ChangeOutcome> {
    const { loader, log } = this.#options
    if (!entry.isEnabled) return 'unchanged'
    let read: ReadSource
    try {
      read = await loader.read(entry.folder)
    } catch (error) {
      const reason = messageOf(error)
      if (reason !== entry.failedReason) log.error({ plugin: entry.name, reason }, 'plugin failed to load')
      entry.triedHash = ''
      entry.fail(reason)
      return 'failed'
    }
    if (entry.serving !== undefined && read.contentHash === entry.contentHash) {
      // A half-written file was tried in between, or an edit was taken back.
      entry.triedHash = read.contentHash
      entry.failedReason = undefined
    }
    if (read.contentHash === entry.triedHash) return 'unchanged'
    return this.#load(entry, read)
  }

  async #load(entry: PluginEntry, read?: ReadSource): Promise<ChangeOutcome> {
    try {
      await this.#options.reload(entry, read)
      return 'loaded'
    } catch {
      // The reloader has logged why, and the entry shows it.
      return 'failed'
    }
  }

  /** Enters the plugin of a folder that belongs to nobody yet, and starts it. */
  async #appear(folder: string): Promise<ChangeOutcome> {
    const { catalogue, loader, log, order } = this.#options
    const ignored = this.#ignored.get(folder)
    if (ignored !== undefined && (await loader.read(folder)).contentHash === ignored) return 'gone'
    this.#ignored.delete(folder)
    const examined = await catalogue.examine(folder)
    const name = manifestOf(examined)?.name ?? folder
    const read = examined.kind === 'plugin' ? examined.candidate : undefined
    const outcome = await order(name, async (): Promise<ChangeOutcome> => {
      if (catalogue.inFolder(folder) !== undefined) return 'unchanged'
      const namesake = catalogue.get(name)
      if (namesake !== undefined) return this.#move(namesake, folder, read)
      const stored = await this.#options.store.all()
      if (stored.get(name)?.quarantined) this.#options.quarantine(name)
      const entry = catalogue.enter(examined, stored)
      log.info({ plugin: name, folder }, 'found a new plugin folder')
      if (entry === undefined) return 'unchanged'
      await this.#options.activator.hold(entry)
      if (!entry.isEnabled || read === undefined) return 'unchanged'
      return this.#load(entry, read)
    })
    return outcome ?? 'gone'
  }

  /** A folder holds a plugin that is known from another one, which it takes over when that is gone. */
  async #move(entry: PluginEntry, folder: string, read: ReadSource | undefined): Promise<ChangeOutcome> {
    const { catalogue, log } = this.#options
    if (read === undefined) return 'gone'
    if (await catalogue.hasFolder(entry.folder)) {
      log.warn(
        { plugin: entry.name, folder, first: entry.folder },
        'a plugin folder is ignored: another one has this plugin name already, and the host will not start again while both are there',
      )
      this.#ignored.set(folder, read.contentHash)
      return 'gone'
    }
    log.info({ plugin: entry.name, folder, from: entry.folder }, 'plugin folder was renamed')
    entry.folder = folder
    if (!entry.isEnabled) return 'unchanged'
    if (entry.serving !== undefined && read.contentHash === entry.triedHash) return 'unchanged'
    return this.#load(entry, read)
  }

  /** The folder is gone. Approvals stay; the plugin is loaded again when its folder comes back. */
  async #vanish(entry: PluginEntry): Promise<ChangeOutcome> {
    const { catalogue, activator, store, log } = this.#options
    if (await catalogue.hasFolder(entry.folder)) return this.#change(entry)
    const reason = `its folder ${entry.folder} was removed; put it back to load it again`
    if (entry.failedReason === reason) return 'gone'
    const moved = await catalogue.search(entry.name, await store.all())
    if (moved?.kind === 'plugin') return this.#move(entry, moved.folder, moved.candidate)
    if (entry.manifest === undefined) {
      catalogue.forget(entry)
      return 'gone'
    }
    entry.triedHash = ''
    if (!entry.isEnabled) return 'gone'
    await stopPlugin(entry, activator, log, reason)
    log.warn({ plugin: entry.name, reason }, 'plugin was taken out of service')
    return 'gone'
  }
}
