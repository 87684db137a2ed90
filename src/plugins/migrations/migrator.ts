import type { CoreDatabase } from '../../database/database.js'
import type { Candidate } from '../loader.js'
import type { PluginLog } from '../plugin-log.js'
import { migrationFailed, migrationTableInvalid } from './errors.js'
import type { MigrationStep, StepResult } from './migration-step.js'
import { type AppliedMigration, planAdopt, planDown, planUp, type Standing } from './plan.js'
import type { MigrationRunner } from './runner.js'
import { StepFailed } from './step-failed.js'
import { isOwnTable } from './token-reader.js'

export interface MigratorOptions {
  readonly database: CoreDatabase
  readonly runner: MigrationRunner
  readonly log: PluginLog
  /** Refuses migrations that are older than the newest applied one. */
  readonly strict: boolean
  /** Bytes that each plugin may store. */
  readonly quotaBytes: number
  /** Does the work; calls that wait for the lock meanwhile, or for a VM that does, are given the time. */
  whileHeld<Result>(work: () => Promise<Result>): Promise<Result>
}

/** How migrations are applied. */
export interface UpOptions {
  /** Name of who ordered it; `load` when missing. */
  readonly actor?: string
  /** Last version to apply; all when missing. */
  readonly to?: number | undefined
  /** True while the host starts and serves nobody; false when missing. */
  readonly isStarting?: boolean
}

interface Order {
  readonly plugin: string
  readonly actor: string
  readonly steps: readonly MigrationStep[]
  readonly isStarting?: boolean
}

/** Brings the tables of plugins to what their migrations say, and back. */
export class Migrator {
  readonly #options: MigratorOptions

  constructor(options: MigratorOptions) {
    this.#options = options
  }

  /** What has been applied of a plugin, by ascending version. */
  async applied(plugin: string): Promise<readonly AppliedMigration[]> {
    const rows = await this.#options.database.withBusyRetry((kysely) =>
      kysely
        .selectFrom('plugin_migrations')
        .selectAll()
        .where('plugin_name', '=', plugin)
        .orderBy('version')
        .execute(),
    )
    return rows.map((row) => ({
      version: row.version,
      description: row.description,
      checksum: row.checksum,
      appliedAt: row.applied_at,
      appliedBy: row.applied_by,
      durationMs: row.duration_ms,
      adopted: row.adopted === 1,
    }))
  }

  /**
   * Applies what is pending, in ascending order, each in a transaction of its own. Those before one that fails stay.
   *
   * @returns The versions that were applied.
   * @throws HostError PLUGIN_MIGRATION_FAILED and those of `planUp`.
   */
  async up(
    candidate: Candidate,
    { actor = 'load', to, isStarting = false }: UpOptions = {},
  ): Promise<readonly number[]> {
    const standing = await this.#standing(candidate)
    const { steps, late, newest } = planUp(standing, this.#options.strict, to)
    if (late.length > 0) {
      this.#options.log.warn(
        { plugin: standing.plugin, versions: late, newest },
        'migrations are older than the newest that is applied',
      )
    }
    return versionsOf(await this.#run({ plugin: standing.plugin, actor, steps, isStarting }))
  }

  /**
   * Undoes all applied migrations above a version, the newest first. Whether each says how is known before the first
   * is touched.
   *
   * @returns The versions that were undone.
   * @throws HostError PLUGIN_MIGRATION_FAILED and those of `planDown`.
   */
  async down(candidate: Candidate, actor: string, to: number): Promise<readonly number[]> {
    const standing = await this.#standing(candidate)
    return versionsOf(await this.#run({ plugin: standing.plugin, actor, steps: planDown(standing, to) }))
  }

  /**
   * Records a migration as applied without running it, and takes over the tables that it would have made.
   *
   * @param table Only when the database has this table of the plugin, by its short or its full name.
   * @returns How it ended; `skipped` when it was recorded before.
   * @throws HostError PLUGIN_MIGRATION_FAILED, PLUGIN_MIGRATION_NOT_FOUND, PLUGIN_MIGRATION_TABLE_INVALID.
   */
  async adopt(
    candidate: Candidate,
    actor: string,
    version: number,
    table?: string,
  ): Promise<StepResult['state']> {
    const standing = await this.#standing(candidate)
    const { plugin } = standing
    const ifTable = table === undefined ? undefined : fullName(plugin, table)
    const [result] = await this.#run({ plugin, actor, steps: [planAdopt(standing, version, ifTable)] })
    return result?.state ?? 'skipped'
  }

  async #standing({ manifest, migrations }: Candidate): Promise<Standing> {
    const plugin = manifest.name
    return { plugin, declared: migrations, applied: await this.applied(plugin) }
  }

  async #run({ plugin, actor, steps, isStarting = false }: Order): Promise<readonly StepResult[]> {
    if (steps.length === 0) return []
    const { runner, log, quotaBytes, whileHeld } = this.#options
    const results: StepResult[] = []
    const done = (result: StepResult): void => {
      results.push(result)
      const { version, state, durationMs: ms } = result
      const action = steps.find((step) => step.version === version)?.action
      log.info({ plugin, version, action, actor, state, ms }, 'migration carried out')
    }
    try {
      await whileHeld(() => runner.run({ terms: { plugin, quotaBytes, actor }, steps, isStarting }, done))
      return results
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error
      const { version, message: reason } = error
      throw migrationFailed({ plugin, version, reason }, { cause: error })
    }
  }
}

function versionsOf(results: readonly StepResult[]): readonly number[] {
  return results.filter(({ state }) => state === 'done').map(({ version }) => version)
}

function fullName(plugin: string, table: string): string {
  const name = table.toLowerCase()
  for (const full of [name, `plugin_${plugin}_${name}`]) if (isOwnTable(plugin, full)) return full
  throw migrationTableInvalid({ plugin, table })
}
