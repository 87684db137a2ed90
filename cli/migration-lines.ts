import type { Migration } from '../sdk/client/index.js'

/** Describes a migration in one line, e.g. `applied  20260131120000  notes have a color  (load, 2026-01-31T...)`. */
export function describeMigration(migration: Migration): string {
  const { version, description, state, applied_at: at, applied_by: by, adopted, reversible } = migration
  const facts = [
    at !== undefined && `${by}, ${at}`,
    adopted === true && 'adopted',
    reversible === false && 'cannot be undone',
  ].filter((fact) => fact !== false)
  const note = facts.length === 0 ? '' : `  (${facts.join('; ')})`
  return `${state.padEnd(8)} ${String(version).padEnd(15)} ${description}${note}`
}
