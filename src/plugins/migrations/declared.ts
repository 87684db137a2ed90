import { createHash } from 'node:crypto'
import { migrationLimits } from '../../base/limits/plugins.js'
import { declaredMigrations, parseMigrationVersion } from '../../capabilities/db/migration-function.js'
import type { Registration } from '../../sandbox/host-function.js'
import { type CheckedStatement, checkSql } from './sql-check.js'
import { SqlRefused } from './sql-refused.js'

/** A change of a plugin's tables that may be run. */
export interface Migration {
  readonly version: number
  readonly description: string
  /** Where it is declared, for messages: a path, or `db.migration in init.lua`. */
  readonly place: string
  /** SHA-256 in hex of the SQL of `up`. */
  readonly checksum: string
  readonly up: readonly CheckedStatement[]
  /** Undefined when it cannot be undone. */
  readonly down: readonly CheckedStatement[] | undefined
}

/** All migrations of a plugin, by version, and what is wrong with them. */
export interface Migrations {
  /** In ascending order; only to be used when there are no problems. */
  readonly list: readonly Migration[]
  /** Sentences for the author, each with its place. */
  readonly problems: readonly string[]
}

/** A plugin's migrations as they were found, before their SQL is looked at. */
interface Found {
  readonly version: number
  readonly description: string
  readonly place: string
  readonly up: string
  readonly down: string | undefined
}

/**
 * Reads the migrations of a plugin from its files and from what init.lua has declared, and checks their SQL.
 *
 * @param files Text of each file by its path `migrations/<name>.sql`.
 */
export function readMigrations(
  plugin: string,
  files: ReadonlyMap<string, string>,
  registrations: readonly Registration[],
): Migrations {
  const problems: string[] = []
  const found: Found[] = declaredMigrations(registrations).map((each) => ({
    ...each,
    place: `db.migration(${each.version}) in init.lua`,
  }))
  for (const [path, text] of files) {
    const read = readFile(path, text)
    if (typeof read === 'string') problems.push(`${path}: ${read}`)
    else found.push(read)
  }
  if (found.length > migrationLimits.countMax) {
    problems.push(`there are ${found.length} migrations; the limit is ${migrationLimits.countMax}`)
  }
  problems.push(...findTwins(found))
  const list = found
    .toSorted((a, b) => a.version - b.version)
    .map((each) => checkMigration(plugin, each, problems))
    .filter((migration) => migration !== undefined)
  return { list, problems }
}

/** Gives a migration, or what is wrong with its file. */
function readFile(path: string, text: string): Found | string {
  const name = path.slice(path.lastIndexOf('/') + 1, -'.sql'.length)
  const [, digits = '', words = ''] = /^(\d+)_([A-Za-z0-9][A-Za-z0-9_-]*)$/.exec(name) ?? []
  const version = parseMigrationVersion(digits)
  if (version === undefined) {
    return `a migration is called <version>_<name>.sql, the version 1 to ${migrationLimits.versionDigitsMax} digits, the name of letters, digits, "_" and "-"`
  }
  const description = words.replaceAll(/[_-]+/g, ' ').trim()
  if (description.length > migrationLimits.descriptionCharactersMax) {
    return `the name is longer than ${migrationLimits.descriptionCharactersMax} characters`
  }
  const parts = splitParts(text.replaceAll('\r\n', '\n'))
  return typeof parts === 'string' ? parts : { version, description, place: path, ...parts }
}

/** Cuts the text of a file at its lines `-- up` and `-- down`; gives what is wrong as a text. */
function splitParts(text: string): Pick<Found, 'up' | 'down'> | string {
  const lines = text.split('\n')
  const places = (mark: string) => lines.flatMap((line, at) => (line.trim() === mark ? [at] : []))
  const [ups, downs] = [places('-- up'), places('-- down')]
  if (ups.length > 1 || downs.length > 1) return 'there may be one line "-- up" and one line "-- down"'
  const [up, down] = [ups[0], downs[0]]
  const before = lines.slice(0, up ?? 0)
  if (before.some((line) => line.trim() !== '' && !line.trim().startsWith('--'))) {
    return 'nothing but comments may stand above the line "-- up"'
  }
  if (down === undefined) return { up: text, down: undefined }
  // Line breaks in the place of the part before keep the numbers of the lines.
  return { up: lines.slice(0, down).join('\n'), down: '\n'.repeat(down) + lines.slice(down).join('\n') }
}

function findTwins(found: readonly Found[]): readonly string[] {
  const first = new Map<number, string>()
  const problems: string[] = []
  for (const { version, place } of found) {
    const known = first.get(version)
    if (known === undefined) first.set(version, place)
    else
      problems.push(`the version ${version} is there twice: ${known} and ${place}; give one another version`)
  }
  return problems
}

function checkMigration(plugin: string, found: Found, problems: string[]): Migration | undefined {
  const { version, description, place } = found
  const check = (part: 'up' | 'down', sql: string): readonly CheckedStatement[] | undefined => {
    try {
      return checkSql(plugin, sql)
    } catch (error) {
      if (!(error instanceof SqlRefused)) throw error
      problems.push(`${place}, ${part}, ${error.message}`)
      return undefined
    }
  }
  const up = check('up', found.up)
  const down = found.down === undefined ? undefined : check('down', found.down)
  if (up === undefined) return undefined
  return { version, description, place, checksum: checksumOf(found.up), up, down }
}

/** Spaces around the SQL, the line `-- up`, and how lines end are none of it. */
function checksumOf(sql: string): string {
  const text = sql
    .replaceAll('\r\n', '\n')
    .replace(/^\s*-- up[ \t]*$/m, '')
    .trim()
  return createHash('sha256').update(text).digest('hex')
}
