import { migrationLimits } from '../../base/limits/plugins.js'
import type { Registration } from '../../sandbox/host-function.js'
import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { Call, FunctionDefinition } from '../define.js'
import { excerpt, luaTypeName } from './names.js'
import { isObject } from './options.js'

const migrationKind = 'migration'

/** A migration as `db.migration` declares it. */
export interface DeclaredMigration {
  readonly version: number
  readonly description: string
  /** SQL that is run. */
  readonly up: string
  /** SQL that undoes it; undefined when it cannot be undone. */
  readonly down: string | undefined
}

/** Lists the migrations among what a plugin has registered. */
export function declaredMigrations(registrations: readonly Registration[]): readonly DeclaredMigration[] {
  return registrations
    .filter(({ kind }) => kind === migrationKind)
    .map(({ data }) => data as unknown as DeclaredMigration)
}

/** Declares `db.migration`. */
export const migrationFunction: FunctionDefinition = {
  name: 'migration',
  doc: [
    'Declares a change of the tables of this plugin, in SQL. The host runs each one once, in the order of their',
    'versions and before `on_init`, all or nothing. The same can be written as a file',
    '`migrations/<version>_<name>.sql`; both share their versions. Takes the parts one by one or as one table.',
    '',
    'Works only at module scope, when init.lua is loaded. What the SQL may hold is in docs/migrations.md.',
    '',
    `Limits: ${migrationLimits.countMax} migrations, ${migrationLimits.sqlBytesMax} bytes of SQL each,`,
    `${migrationLimits.declaredBytesMax} all together. Raises for a version that was declared before.`,
  ].join('\n'),
  params: [
    {
      name: 'version',
      type: 'any',
      luaType: 'integer|string|db.Migration',
      doc: `Number of at most ${migrationLimits.versionDigitsMax} digits, e.g. \`20260131120000\`; or all parts in a table.`,
    },
    {
      name: 'description',
      type: 'any',
      optional: true,
      luaType: 'string?',
      doc: `What it does, ${migrationLimits.descriptionCharactersMax} characters at most.`,
    },
    {
      name: 'sql',
      type: 'any',
      optional: true,
      luaType: 'db.MigrationSql?',
      doc: 'What is run, and what undoes it.',
    },
  ],
  returns: [],
  phases: ['manifest', 'module'],
  cost: 0,
  mode: 'sync',
  example: [
    'db.migration(20260131120000, "notes have a color", {',
    '  up = "ALTER TABLE plugin_guest_book_notes ADD COLUMN color TEXT",',
    '  down = "ALTER TABLE plugin_guest_book_notes DROP COLUMN color",',
    '})',
  ].join('\n'),
  handler: declare,
}

function declare(call: Call, version: LuaValue, description: LuaValue, sql: LuaValue): undefined {
  const migration = isObject(version) ? readWhole(version) : readParts(version, description, sql)
  const known = declaredMigrations(call.registrations)
  if (known.some((each) => each.version === migration.version)) {
    throw raise(`the version ${migration.version} is declared twice`)
  }
  if (known.length >= migrationLimits.countMax) {
    throw raise(`there are more than ${migrationLimits.countMax} migrations; merge old ones`)
  }
  const bytes = [...known, migration].reduce((sum, each) => sum + sizeOf(each), 0)
  if (bytes > migrationLimits.declaredBytesMax) {
    throw raise(
      `the SQL of all migrations has ${bytes} bytes; the limit is ${migrationLimits.declaredBytesMax}; write files in migrations/`,
    )
  }
  // What is registered has a function; a migration has none to call.
  call.register({ kind: migrationKind, key: String(migration.version), data: { ...migration } }, 0)
}

function sizeOf({ up, down }: DeclaredMigration): number {
  return Buffer.byteLength(up) + Buffer.byteLength(down ?? '')
}

function readWhole(given: Readonly<Record<string, LuaValue>>): DeclaredMigration {
  const { version, description, up, down, ...others } = given
  refuseOthers(others)
  return read(version, description, up, down)
}

function readParts(version: LuaValue, description: LuaValue, sql: LuaValue): DeclaredMigration {
  if (!isObject(sql))
    throw raise(`the SQL must be a table { up = "...", down = "..." }, not ${luaTypeName(sql)}`)
  const { up, down, ...others } = sql
  refuseOthers(others)
  return read(version, description, up, down)
}

function refuseOthers(others: Readonly<Record<string, LuaValue>>): void {
  const [first] = Object.keys(others)
  if (first !== undefined)
    throw raise(`unknown field "${excerpt(first)}"; known are version, description, up, down`)
}

function read(version: LuaValue, description: LuaValue, up: LuaValue, down: LuaValue): DeclaredMigration {
  const number = readVersion(version)
  if (typeof description !== 'string' || description.trim() === '') {
    throw raise(`the description of ${number} must be a text that says what it does`)
  }
  if (description.length > migrationLimits.descriptionCharactersMax) {
    throw raise(
      `the description of ${number} has ${description.length} characters; the limit is ${migrationLimits.descriptionCharactersMax}`,
    )
  }
  const sql = {
    up: readSql(number, 'up', up),
    down: down === undefined ? undefined : readSql(number, 'down', down),
  }
  return { version: number, description, ...sql }
}

function readVersion(version: LuaValue): number {
  const text = typeof version === 'number' ? String(version) : version
  const number = typeof text === 'string' ? parseMigrationVersion(text) : undefined
  if (number !== undefined) return number
  throw raise(
    `the version must be a whole number of 1 to ${migrationLimits.versionDigitsMax} digits, e.g. 20260131120000`,
  )
}

/** Reads the version of a migration; undefined when the text is none. */
export function parseMigrationVersion(text: string): number | undefined {
  if (!/^\d+$/.test(text) || text.length > migrationLimits.versionDigitsMax) return undefined
  const number = Number(text)
  return number === 0 ? undefined : number
}

function readSql(version: number, part: 'up' | 'down', sql: LuaValue): string {
  if (typeof sql !== 'string') {
    throw raise(`${part} of ${version} must be a text of SQL in UTF-8, not ${luaTypeName(sql)}`)
  }
  const bytes = Buffer.byteLength(sql)
  if (bytes <= migrationLimits.sqlBytesMax) return sql
  throw raise(`${part} of ${version} has ${bytes} bytes; the limit is ${migrationLimits.sqlBytesMax}`)
}

function raise(problem: string): LuaRaise {
  return new LuaRaise(`db.migration: ${problem}`)
}
