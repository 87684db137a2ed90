import { ulid } from 'ulid'
import type { CoreDatabase } from '../database/database.js'
import type { StoredPluginStatus } from '../database/tables.js'
import type { Manifest, ManifestCapability } from './manifest.js'

/** What is remembered of a plugin across restarts. */
export interface StoredPlugin {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly author: string
  readonly status: StoredPluginStatus
  readonly quarantined: boolean
  /** SHA-256 of the source that was read last; empty when none was. */
  readonly contentHash: string
  /** What its manifest offered then. */
  readonly capabilities: readonly ManifestCapability[]
}

/** The stored plugins. Admins' decisions in it outlive restarts and the plugin's own folder. */
export class PluginStore {
  readonly #database: CoreDatabase
  readonly #now: () => string

  /** @param now Gives the time as RFC 3339. */
  constructor(database: CoreDatabase, now: () => string) {
    this.#database = database
    this.#now = now
  }

  /** All plugins that this host has ever met, by name. */
  async all(): Promise<ReadonlyMap<string, StoredPlugin>> {
    const rows = await this.#database.withBusyRetry((kysely) =>
      kysely.selectFrom('plugins').selectAll().execute(),
    )
    return new Map(
      rows.map((row) => [
        row.name,
        {
          name: row.name,
          version: row.version,
          description: row.description,
          author: row.author,
          status: row.status,
          quarantined: row.quarantined === 1,
          contentHash: row.manifest_hash,
          capabilities: JSON.parse(row.capabilities),
        },
      ]),
    )
  }

  /**
   * Remembers what the plugin says of itself. A plugin that was not met before is enabled; decisions about one that
   * was stay as they are, and nothing that it asks for is granted.
   */
  async remember(manifest: Manifest, contentHash: string): Promise<void> {
    const now = this.#now()
    const facts = {
      version: manifest.version,
      description: manifest.description,
      author: manifest.author ?? '',
      capabilities: JSON.stringify(manifest.capabilities),
      manifest_hash: contentHash,
      date_modified: now,
    }
    await this.#database.withBusyRetry((kysely) =>
      kysely
        .insertInto('plugins')
        .values({ plugin_id: ulid(), name: manifest.name, date_installed: now, ...facts })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(facts))
        .execute(),
    )
  }

  /** Remembers that an admin enabled or disabled the plugin. */
  async setStatus(name: string, status: StoredPluginStatus): Promise<void> {
    await this.#database.withBusyRetry((kysely) =>
      kysely
        .updateTable('plugins')
        .set({ status, date_modified: this.#now() })
        .where('name', '=', name)
        .execute(),
    )
  }

  /** Remembers whether the plugin must run in an executor of its own. */
  async setQuarantined(name: string, quarantined: boolean): Promise<void> {
    await this.#database.withBusyRetry((kysely) =>
      kysely
        .updateTable('plugins')
        .set({ quarantined: quarantined ? 1 : 0, date_modified: this.#now() })
        .where('name', '=', name)
        .execute(),
    )
  }
}
