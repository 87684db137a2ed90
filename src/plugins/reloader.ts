import type { Generation } from '../sandbox/generation.js'
import type { Activator } from './activator.js'
import type { Catalogue } from './catalogue.js'
import { pluginDisabled, pluginLoadFailed } from './errors.js'
import type { Candidate, PluginLoader } from './loader.js'
import type { Migrator } from './migrations/migrator.js'
import type { PluginEntry } from './plugin-entry.js'
import type { PluginLog } from './plugin-log.js'
import type { PluginStore } from './plugin-store.js'
import type { ReadSource } from './source.js'
import { assertDependenciesRun } from './startup.js'

export interface ReloaderOptions {
  readonly catalogue: Catalogue
  readonly loader: PluginLoader
  readonly migrator: Migrator
  readonly activator: Activator
  readonly store: PluginStore
  readonly log: PluginLog
  /** Is told how each reload ended. */
  reloaded(plugin: string, status: 'success' | 'error'): void
}

/** Builds the next generation of a plugin beside the one that serves, and swaps them when it has proved itself. */
export class Reloader {
  readonly #options: ReloaderOptions

  constructor(options: ReloaderOptions) {
    this.#options = options
  }

  /**
   * Loads the files of a plugin again. A generation that serves goes on serving until the swap, and on when there
   * is none. Two generations of a plugin exist at most: the next reload waits until the last one is disposed of.
   *
   * @param read The files, when they have been read already.
   * @throws HostError PLUGIN_LOAD_FAILED with the reason, which `entry.failedReason` shows as well.
   */
  async reload(entry: PluginEntry, read?: ReadSource): Promise<void> {
    await entry.retiring
    const startedMs = performance.now()
    const served = entry.serving
    let target = entry
    try {
      if (served === undefined) entry.setState('loading')
      const candidate = await this.#read(entry, read)
      target = await this.#identify(entry, candidate)
      if (!target.isEnabled) throw pluginDisabled({ plugin: target.name })
      if (served === undefined) await this.#options.activator.hold(target)
      assertDependenciesRun(this.#options.catalogue, candidate)
      await this.#options.store.remember(candidate.manifest, candidate.contentHash)
      await this.#start(target, candidate)
      this.#options.log.info(
        {
          plugin: target.name,
          folder: target.folder,
          version: candidate.manifest.version,
          generation: target.serving?.id,
          ms: Math.round(performance.now() - startedMs),
        },
        'plugin loaded',
      )
      this.#options.reloaded(target.name, 'success')
    } catch (error) {
      if (!target.isEnabled) throw error
      const reason = this.#options.loader.explain(error)
      target.fail(reason)
      this.#options.reloaded(target.name, 'error')
      const outlook = served === undefined ? '' : ' (the previous version keeps serving)'
      this.#options.log.error(
        { plugin: target.name, folder: target.folder, reason },
        `plugin failed to load${outlook}`,
      )
      throw pluginLoadFailed({ plugin: target.name, reason: `${reason}${outlook}` }, { cause: error })
    }
  }

  /** Reads the plugin's folder, or the one that it has been moved to. */
  async #read(entry: PluginEntry, given: ReadSource | undefined): Promise<Candidate> {
    const { loader, catalogue, store } = this.#options
    try {
      const read = given ?? (await loader.read(entry.folder))
      entry.triedHash = read.contentHash
      return await loader.inspect(read)
    } catch (error) {
      if (await catalogue.hasFolder(entry.folder)) throw error
      const moved = await catalogue.search(entry.name, await store.all())
      if (moved?.kind !== 'plugin') throw error
      entry.folder = moved.folder
      entry.triedHash = moved.candidate.contentHash
      return moved.candidate
    }
  }

  /** Makes sure that the folder still holds the same plugin; a folder that was broken so far may hold any. */
  async #identify(entry: PluginEntry, candidate: Candidate): Promise<PluginEntry> {
    const { name } = candidate.manifest
    if (name === entry.name) {
      entry.manifest ??= candidate.manifest
      return entry
    }
    if (entry.manifest !== undefined) {
      throw new Error(
        `plugin_info.name "${name}" does not match plugin name "${entry.name}"; change it back, or restart the host to load it as another plugin`,
      )
    }
    const stored = await this.#options.store.all()
    if (this.#options.catalogue.get(name) !== undefined) {
      throw new Error(`another folder has the plugin name "${name}" already; rename one of them`)
    }
    return this.#options.catalogue.rename(entry, candidate.manifest, stored.get(name))
  }

  async #start(entry: PluginEntry, candidate: Candidate): Promise<void> {
    const { loader, migrator, activator } = this.#options
    const generation: Generation = await loader.build(candidate)
    try {
      await migrator.up(candidate)
      await activator.admit(entry, candidate, generation)
      await loader.initialize(generation)
      await activator.activate(entry, candidate, generation)
    } catch (error) {
      await generation.close()
      entry.dismiss(generation)
      throw error
    }
  }
}
