import type { Migration } from './declared.js'
import {
  migrationEdited,
  migrationIrreversible,
  migrationMissing,
  migrationNotFound,
  migrationOutOfOrder,
} from './errors.js'
import type { MigrationStep } from './migration-step.js'

/** A migration that has been applied. */
export interface AppliedMigration {
  readonly version: number
  readonly description: string
  readonly checksum: string
  /** RFC 3339. */
  readonly appliedAt: string
  readonly appliedBy: string
  readonly durationMs: number
  readonly adopted: boolean
}

/** What a plugin declares, and what of it has been applied; both by ascending version. */
export interface Standing {
  readonly plugin: string
  readonly declared: readonly Migration[]
  readonly applied: readonly AppliedMigration[]
}

/** `edited`: applied with another SQL. `missing`: applied, and not declared any more. */
export type MigrationState = 'applied' | 'pending' | 'edited' | 'missing'

/** One migration as operators see it. Field names are those of the admin API. */
export interface MigrationListing {
  readonly version: number
  readonly description: string
  readonly state: MigrationState
  /** Whether it says how it is undone; absent when it is missing. */
  readonly reversible?: boolean
  /** File, or `db.migration(...)`; absent when it is missing. */
  readonly place?: string
  /** RFC 3339; absent while it is pending, as all below. */
  readonly applied_at?: string
  readonly applied_by?: string
  readonly duration_ms?: number
  /** True when it was recorded without being run. */
  readonly adopted?: boolean
}

/** Lists all migrations of a plugin by version. */
export function listMigrations({ declared, applied }: Standing): readonly MigrationListing[] {
  const known = new Map(applied.map((each) => [each.version, each]))
  const versions = new Set(declared.map(({ version }) => version))
  const gone = applied
    .filter(({ version }) => !versions.has(version))
    .map(
      (each): MigrationListing => ({
        ...appliedFacts(each),
        description: each.description,
        state: 'missing',
      }),
    )
  const present = declared.map((migration): MigrationListing => {
    const { version, description, place, down, checksum } = migration
    const row = known.get(version)
    const facts = { version, description, reversible: down !== undefined, place }
    if (row === undefined) return { ...facts, state: 'pending' }
    return { ...appliedFacts(row), ...facts, state: row.checksum === checksum ? 'applied' : 'edited' }
  })
  return [...gone, ...present].sort((a, b) => a.version - b.version)
}

function appliedFacts(row: AppliedMigration) {
  return {
    version: row.version,
    applied_at: row.appliedAt,
    applied_by: row.appliedBy,
    duration_ms: row.durationMs,
    adopted: row.adopted,
  }
}

/** What is to be done to bring a plugin up. */
export interface UpPlan {
  readonly steps: readonly MigrationStep[]
  /** Versions that are older than the newest applied one, which strict hosts refuse. */
  readonly late: readonly number[]
  /** Newest applied version; 0 when there is none. */
  readonly newest: number
}

/**
 * Plans what is still to be applied, in ascending order.
 *
 * @param to Last version to apply; all when missing.
 * @throws HostError PLUGIN_MIGRATION_EDITED, PLUGIN_MIGRATION_MISSING, PLUGIN_MIGRATION_OUT_OF_ORDER when `strict`,
 * PLUGIN_MIGRATION_NOT_FOUND for a version that is not there.
 */
export function planUp(standing: Standing, strict: boolean, to?: number): UpPlan {
  const { plugin, declared } = standing
  assertUnchanged(standing)
  if (to !== undefined) find(standing, to)
  const newest = standing.applied.at(-1)?.version ?? 0
  const pending = pendingOf(standing).filter(({ version }) => to === undefined || version <= to)
  const late = pending.map(({ version }) => version).filter((version) => version < newest)
  if (strict && late.length > 0) {
    throw migrationOutOfOrder({ plugin, versions: late.join(', '), newest })
  }
  const wanted = new Set(pending.map(({ version }) => version))
  const steps = declared
    .filter(({ version }) => wanted.has(version))
    .map((each) => stepOf('up', each, each.up))
  return { steps, late, newest }
}

function pendingOf({ declared, applied }: Standing): readonly Migration[] {
  const known = new Set(applied.map(({ version }) => version))
  return declared.filter(({ version }) => !known.has(version))
}

/** Refuses to go on from what nobody has looked at. */
function assertUnchanged(standing: Standing): void {
  const { plugin, declared, applied } = standing
  const byVersion = new Map(declared.map((each) => [each.version, each]))
  const missing = applied.filter(({ version }) => !byVersion.has(version))
  if (missing.length > 0) {
    throw migrationMissing({ plugin, versions: missing.map(({ version }) => version).join(', ') })
  }
  for (const row of applied) {
    const migration = byVersion.get(row.version)
    if (migration === undefined || migration.checksum === row.checksum) continue
    throw migrationEdited({
      plugin,
      version: row.version,
      place: migration.place,
      applied: row.checksum.slice(0, 12),
      current: migration.checksum.slice(0, 12),
    })
  }
}

/**
 * Plans how all applied migrations above a version are undone, the newest first.
 *
 * @param to Version that stays the newest applied one; 0 undoes all.
 * @throws HostError PLUGIN_MIGRATION_IRREVERSIBLE, PLUGIN_MIGRATION_EDITED, PLUGIN_MIGRATION_MISSING,
 * PLUGIN_MIGRATION_NOT_FOUND for a version that is not there.
 */
export function planDown(standing: Standing, to: number): readonly MigrationStep[] {
  const { plugin, declared, applied } = standing
  assertUnchanged(standing)
  if (to !== 0) find(standing, to)
  const undone = new Set(applied.map(({ version }) => version).filter((version) => version > to))
  const migrations = declared.filter(({ version }) => undone.has(version))
  const final = migrations.filter(({ down }) => down === undefined)
  if (final.length > 0) {
    const versions = final.map(({ version }) => version).join(', ')
    throw migrationIrreversible({ plugin, versions })
  }
  return migrations.map((each) => stepOf('down', each, each.down ?? [])).reverse()
}

/** Plans that a migration is recorded without being run. */
export function planAdopt(standing: Standing, version: number, ifTable?: string): MigrationStep {
  const migration = find(standing, version)
  const step = stepOf('adopt', migration, migration.up)
  return ifTable === undefined ? step : { ...step, ifTable }
}

function find({ plugin, declared }: Standing, version: number): Migration {
  const migration = declared.find((each) => each.version === version)
  if (migration === undefined) throw migrationNotFound({ plugin, version })
  return migration
}

function stepOf(
  action: MigrationStep['action'],
  { version, description, checksum }: Migration,
  statements: MigrationStep['statements'],
): MigrationStep {
  return { action, version, description, checksum, statements }
}
