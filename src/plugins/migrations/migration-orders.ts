import { pluginNotFound } from '../errors.js'
import { type Candidate, type PluginLoader, reasonOf } from '../loader.js'
import type { PluginEntry } from '../plugin-entry.js'
import { migrationInUse } from './errors.js'
import type { Migrator } from './migrator.js'
import { listMigrations, type MigrationListing } from './plan.js'

/** The migrations of a plugin as its folder has them at this moment. */
export interface MigrationReport {
  readonly migrations: readonly MigrationListing[]
  /** Why only those are listed that are applied: the folder cannot be used. */
  readonly problem?: string
}

/** What admins can do about the migrations of plugins. */
export interface MigrationAdministration {
  /** @throws HostError PLUGIN_NOT_FOUND. */
  status(plugin: string): Promise<MigrationReport>
  /**
   * Applies what the folder has and the database has not.
   *
   * @param to Last version; all when missing.
   * @returns The versions that were applied.
   */
  up(plugin: string, actor: string, to?: number): Promise<readonly number[]>
  /**
   * Undoes all above a version; the plugin must be disabled.
   *
   * @param to Version that stays the newest; 0 undoes all.
   * @returns The versions that were undone.
   */
  down(plugin: string, actor: string, to: number): Promise<readonly number[]>
  /**
   * Records a migration as applied without running it.
   *
   * @param table Only when there is this table.
   */
  adopt(plugin: string, actor: string, version: number, table?: string): Promise<AdoptResult>
}

/** `unchanged` when it was recorded before; `table_missing` when the table that it depends on is not there. */
export type AdoptResult = 'adopted' | 'unchanged' | 'table_missing'

export interface MigrationOrdersOptions {
  readonly loader: PluginLoader
  readonly migrator: Migrator
  /** Finds a plugin. @throws HostError PLUGIN_NOT_FOUND. */
  find(plugin: string): Promise<PluginEntry>
  /** Carries out an order for a plugin after all earlier ones, loads included. */
  order<Result>(plugin: string, work: (entry: PluginEntry) => Promise<Result>): Promise<Result>
}

/** Carries out what admins order about migrations, in turn with the loads of the same plugin. */
export class MigrationOrders implements MigrationAdministration {
  readonly #options: MigrationOrdersOptions

  constructor(options: MigrationOrdersOptions) {
    this.#options = options
  }

  async status(plugin: string): Promise<MigrationReport> {
    const entry = await this.#options.find(plugin)
    const applied = await this.#options.migrator.applied(plugin)
    try {
      const { migrations: declared } = await this.#read(entry)
      return { migrations: listMigrations({ plugin, declared, applied }) }
    } catch (error) {
      const all = listMigrations({ plugin, declared: [], applied })
      return {
        migrations: all.map((each) => ({ ...each, state: 'applied' as const })),
        problem: reasonOf(error),
      }
    }
  }

  up(plugin: string, actor: string, to?: number): Promise<readonly number[]> {
    return this.#options.order(plugin, async (entry) =>
      this.#options.migrator.up(await this.#read(entry), { actor, to }),
    )
  }

  down(plugin: string, actor: string, to: number): Promise<readonly number[]> {
    return this.#options.order(plugin, async (entry) => {
      // Whoever runs needs the tables as they are, and whoever is loaded again applies the migrations again.
      if (entry.isEnabled || entry.serving !== undefined) throw migrationInUse({ plugin })
      return this.#options.migrator.down(await this.#read(entry), actor, to)
    })
  }

  adopt(plugin: string, actor: string, version: number, table?: string): Promise<AdoptResult> {
    return this.#options.order(plugin, async (entry) => {
      const state = await this.#options.migrator.adopt(await this.#read(entry), actor, version, table)
      if (state === 'done') return 'adopted'
      return state === 'skipped' ? 'unchanged' : state
    })
  }

  /** Reads the folder anew: what is on the disk now is what the next load would run. */
  async #read(entry: PluginEntry): Promise<Candidate> {
    const { loader } = this.#options
    const candidate = await loader.inspect(await loader.read(entry.folder))
    if (candidate.manifest.name !== entry.name) throw pluginNotFound({ plugin: entry.name })
    return candidate
  }
}
