import { migrationLimits } from '../../base/limits/plugins.js'
import type { Token } from './sql-tokens.js'
import { allowedFunctions, refusedWords, storedFunctions, wordsBeforeParenthesis } from './sql-words.js'
import { checkDepth, isName, isSql, type TokenReader } from './token-reader.js'

/**
 * Where an expression stands: in a statement that runs once, or in a table or index, where it is kept and runs at each
 * write.
 */
export type Place = 'statement' | 'stored'

/** What is known of one pair of parentheses while it is read. */
interface Level {
  /** Inside of a FROM clause, where a comma is followed by a table. */
  inFrom: boolean
  /** The next token is a table, or a parenthesis in its place. */
  expectsTable: boolean
  /** It was opened by CAST. */
  readonly isCast: boolean
}

/** Words that end a FROM clause. */
const endsFrom: ReadonlySet<string> = new Set([
  'where',
  'group',
  'order',
  'having',
  'limit',
  'window',
  'union',
  'except',
  'intersect',
  'select',
  'values',
  'set',
  'do',
])

/**
 * Reads expressions, subqueries included, up to the end of the statement or, where `stops` says so, up to a comma or
 * closing parenthesis outside of all parentheses, which stays. Each table in a FROM clause must be the plugin's, each
 * function one that is allowed.
 */
export function readExpressions(reader: TokenReader, place: Place, stops = false, inFrom = false): void {
  const levels: Level[] = [{ inFrom, expectsTable: inFrom, isCast: false }]
  let previous: Token | undefined
  for (let token = reader.next; token !== undefined; token = reader.next) {
    const level = levels.at(-1) as Level
    const isOutermost = levels.length === 1
    if (isOutermost && stops && (isSql(token, ',') || isSql(token, ')'))) return
    if (level.expectsTable) readTable(reader, levels)
    else {
      refuseWord(reader, token, place)
      if (isSql(token, '(')) open(reader, levels, previous, place)
      else if (isSql(token, ')')) close(reader, levels)
      else follow(reader, level, token, previous, place)
      reader.take()
    }
    previous = token
  }
  if (levels.length > 1) throw reader.refusal('a parenthesis is not closed')
}

function readTable(reader: TokenReader, levels: Level[]): void {
  const level = levels.at(-1) as Level
  level.expectsTable = false
  if (!isSql(reader.next, '(')) {
    refuseWord(reader, reader.next as Token, 'statement')
    reader.takeTable()
    if (isSql(reader.next, '(')) throw reader.refusal('tables are not made by functions here')
    return
  }
  reader.take()
  const isQuery = isSql(reader.next, 'select') || isSql(reader.next, 'values')
  levels.push({ inFrom: !isQuery, expectsTable: !isQuery, isCast: false })
  checkDepth(reader, levels.length)
}

/** Refuses words, and names that only the database itself uses. */
export function refuseWord(reader: TokenReader, token: Token, place: Place): void {
  if (token.kind === 'word' || token.kind === 'name') {
    if (/^(?:sqlite|pragma)_/.test(token.value)) {
      throw reader.refusal(`"${token.value}" belongs to the database itself`)
    }
    if ((token.value === 'main' || token.value === 'temp') && isSql(reader.second, '.')) {
      throw reader.refusal(`"${token.value}." names a database; write the name of the table alone`)
    }
  }
  if (token.kind !== 'word') return
  const reason = refusedWords.get(token.value)
  if (reason !== undefined) {
    const word = token.value.toUpperCase()
    throw reader.refusal(`${word} is not for migrations: ${reason}. A column of that name: "${token.value}"`)
  }
  if (place === 'stored' && (token.value === 'select' || token.value === 'from')) {
    throw reader.refusal('there are no subqueries in tables and indexes')
  }
}

function open(reader: TokenReader, levels: Level[], previous: Token | undefined, place: Place): void {
  if (previous?.kind === 'name') {
    throw reader.refusal(`the function "${previous.value}" is in quotes; write it without`)
  }
  if (previous?.kind === 'word' && !wordsBeforeParenthesis.has(previous.value)) {
    checkFunction(reader, previous.value, place)
  }
  levels.push({ inFrom: false, expectsTable: false, isCast: isSql(previous, 'cast') })
  checkDepth(reader, levels.length)
}

function checkFunction(reader: TokenReader, name: string, place: Place): void {
  const allowed = place === 'stored' ? storedFunctions : allowedFunctions
  if (allowed.has(name)) return
  const where = place === 'stored' ? 'in tables and indexes' : 'in a migration'
  throw reader.refusal(
    `the function ${name}() may not be called ${where}; docs/migrations.md lists those that may`,
  )
}

function close(reader: TokenReader, levels: Level[]): void {
  levels.pop()
  if (levels.length === 0) throw reader.refusal('a parenthesis is closed that was not opened')
}

function follow(
  reader: TokenReader,
  level: Level,
  token: Token,
  previous: Token | undefined,
  place: Place,
): void {
  if (isSql(token, ';')) throw reader.refusal('a statement ends here, but a parenthesis is open')
  if (isSql(token, ',')) level.expectsTable = level.inFrom
  if (token.kind !== 'word') return
  if (token.value === 'from' && !isSql(previous, 'distinct')) {
    level.inFrom = true
    level.expectsTable = true
  } else if (token.value === 'join') {
    level.inFrom = true
    level.expectsTable = true
  } else if (endsFrom.has(token.value)) level.inFrom = false
  else if (token.value === 'in') checkIn(reader)
  else if (token.value === 'like' || token.value === 'glob') checkPattern(reader, token.value)
  else if (token.value === 'as' && place === 'stored' && !level.isCast) {
    throw reader.refusal('generated columns are computed outside of every check; write the value')
  }
}

function checkIn(reader: TokenReader): void {
  if (isSql(reader.second, '(')) return
  throw reader.refusal('IN takes a list or a subquery in parentheses')
}

/** Comparing takes long with patterns that a row may choose, so that patterns are written down. */
function checkPattern(reader: TokenReader, operator: string): void {
  const pattern = reader.second
  const word = operator.toUpperCase()
  if (pattern?.kind !== 'text') throw reader.refusal(`${word} takes a text in single quotes as its pattern`)
  const wildcards = pattern.value.replace(operator === 'like' ? /[^%_]/g : /[^*?[]/g, '').length
  if (wildcards <= migrationLimits.wildcardsMax) return
  throw reader.refusal(
    `the pattern of ${word} has ${wildcards} wildcards; the limit is ${migrationLimits.wildcardsMax}`,
  )
}

/** Takes a list of names in parentheses. */
export function takeColumns(reader: TokenReader): void {
  reader.expect('(')
  do {
    const token = reader.next
    if (token !== undefined && isName(token)) refuseWord(reader, token, 'stored')
    reader.takeName('the name of a column')
  } while (reader.skip(','))
  reader.expect(')')
}
