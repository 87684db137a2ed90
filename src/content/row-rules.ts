import { isDeepStrictEqual } from 'node:util'
import { type ColumnRule, columnRules } from './column-rules.js'
import { contentHookResultInvalid, contentInvalid } from './errors.js'
import type { HookRow } from './hook-runner.js'
import { type ContentTable, columnKind } from './table-catalogue.js'

/** Values by column, as a client or a plugin sent them. */
export type RowInput = Readonly<Record<string, unknown>>

/** What an update leaves out: `merge` keeps it as it is, `replace` gives it the value of a new row. */
export type UpdateMode = 'merge' | 'replace'

/**
 * Makes the writable columns of a new row.
 *
 * @throws HostError CONTENT_INVALID that names every problem.
 */
export function newColumns(table: ContentTable, input: RowInput): HookRow {
  return complete(table, input, undefined)
}

/**
 * Makes the writable columns of a row that changes.
 *
 * @throws HostError CONTENT_INVALID that names every problem.
 */
export function changedColumns(
  table: ContentTable,
  old: HookRow,
  input: RowInput,
  mode: UpdateMode,
): HookRow {
  const rules = Object.entries(columnRules[table])
  const changed = rules.filter(([name, rule]) => rule.isFixed && isGiven(input, name))
  const problems = changed
    .filter(([name]) => !isDeepStrictEqual(input[name], old[name]))
    .map(([name]) => `${name} cannot be changed`)
  if (problems.length > 0) throw contentInvalid({ problems: problems.join('; ') })
  const kept = rules.filter(([, rule]) => mode === 'merge' || rule.isFixed)
  const base = Object.fromEntries(kept.map(([name]) => [name, old[name]]))
  return complete(table, { ...base, ...input }, old)
}

/**
 * Takes over what hooks have changed in a row.
 *
 * @param row The row as the hooks got it.
 * @param result The row as they left it; a column that is missing is unchanged.
 * @param locked Columns that are not theirs in this event.
 * @throws HostError CONTENT_HOOK_RESULT_INVALID for a column that does not exist or is the host's, or a bad value.
 */
export function acceptHooked(
  table: ContentTable,
  row: HookRow,
  result: HookRow,
  locked: readonly string[],
): HookRow {
  const rules = columnRules[table]
  const accepted: Record<string, unknown> = { ...row }
  const problems: string[] = []
  for (const [name, value] of Object.entries(result)) {
    // Names that begin with "_" are what the runner tells hooks beside the row.
    if (value === undefined || name.startsWith('_') || isDeepStrictEqual(value, row[name])) continue
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (columnKind(table, name) === undefined) problems.push(`there is no column ${shown(name)}`)
    else if (rule === undefined || rule.isFixed || locked.includes(name)) {
      problems.push(`a hook cannot change ${name}`)
    } else accepted[name] = value
  }
  problems.push(...problemsOf(table, accepted))
  if (problems.length > 0) throw contentHookResultInvalid({ problems: problems.slice(0, 20).join('; ') })
  return accepted
}

function complete(table: ContentTable, input: RowInput, old: HookRow | undefined): HookRow {
  const rules = columnRules[table]
  const problems = Object.keys(input)
    .filter((name) => !Object.hasOwn(rules, name))
    .map((name) => unknownColumn(table, name))
  const row: Record<string, unknown> = {}
  for (const [name, rule] of Object.entries(rules)) {
    const value = isGiven(input, name) ? input[name] : rule.initial?.()
    if (value === undefined) problems.push(`${name} is missing`)
    else row[name] = value
  }
  // A value that is there already has been checked; checking a schema or large fields again costs time.
  const written = Object.keys(row).filter((name) => old === undefined || row[name] !== old[name])
  problems.push(...problemsOf(table, row, written))
  if (problems.length > 0) throw contentInvalid({ problems: problems.slice(0, 20).join('; ') })
  return row
}

function problemsOf(
  table: ContentTable,
  row: RowInput,
  columns: readonly string[] = Object.keys(columnRules[table]),
): readonly string[] {
  return columns.flatMap((name) => {
    const problem = ruleOf(table, name).check(row[name])
    return problem === undefined ? [] : [`${name} ${problem}`]
  })
}

function ruleOf(table: ContentTable, name: string): ColumnRule {
  const rule = columnRules[table][name]
  if (rule === undefined) throw new Error(`${table}.${name} has no rule`)
  return rule
}

function unknownColumn(table: ContentTable, name: string): string {
  if (columnKind(table, name) !== undefined) return `${name} is set by the host`
  return `${table} has no column ${shown(name)}; it takes ${Object.keys(columnRules[table]).join(', ')}`
}

function isGiven(input: RowInput, name: string): boolean {
  return Object.hasOwn(input, name) && input[name] !== undefined
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80))
}
