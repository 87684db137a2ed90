import { isColumnName } from '../../capabilities/db/names.js'
import { readExpressions, refuseWord, takeColumns } from './sql-expressions.js'
import { isSql, type TokenReader } from './token-reader.js'

/** Words that begin a constraint of a table. */
const tableConstraints: readonly string[] = ['constraint', 'primary', 'unique', 'check', 'foreign']

/** Words that begin a constraint of a column. */
const columnConstraints: readonly string[] = [
  'constraint',
  'primary',
  'not',
  'null',
  'unique',
  'check',
  'default',
  'collate',
  'references',
]

/** Reads what stands in the parentheses of CREATE TABLE, and what follows. */
export function readTableBody(reader: TokenReader): void {
  reader.expect('(')
  do {
    if (tableConstraints.some((word) => isSql(reader.next, word))) readConstraints(reader)
    else readColumn(reader)
  } while (reader.skip(','))
  reader.expect(')')
  if (isSql(reader.next, 'without')) {
    throw reader.refusal('each table needs its row numbers; leave WITHOUT ROWID out')
  }
  reader.skip('strict')
}

/** Reads the definition of a column: its name, its type, its constraints. */
export function readColumn(reader: TokenReader): void {
  if (reader.next !== undefined) refuseWord(reader, reader.next, 'stored')
  const name = reader.takeName('the name of a column')
  if (!isColumnName(name)) {
    throw reader.refusal(`"${name}" cannot be the name of a column: db.* would not take it`)
  }
  while (reader.next?.kind === 'word' && !columnConstraints.some((word) => isSql(reader.next, word))) {
    refuseWord(reader, reader.next, 'stored')
    if (isSql(reader.next, 'as'))
      throw reader.refusal('generated columns are computed outside of every check')
    reader.take()
  }
  if (isSql(reader.next, '(')) readSize(reader)
  readConstraints(reader)
}

/** The numbers behind a type, which SQLite ignores: `varchar(255)`. */
function readSize(reader: TokenReader): void {
  reader.expect('(')
  do {
    reader.skip('-')
    if (reader.next?.kind !== 'number') throw reader.refusal(`a number is expected here, not ${reader.shown}`)
    reader.take()
  } while (reader.skip(','))
  reader.expect(')')
}

/** Reads constraints, of a column or a table, up to the next comma or the end. */
function readConstraints(reader: TokenReader): void {
  while (!(reader.isAtEnd || isSql(reader.next, ',') || isSql(reader.next, ')'))) readConstraint(reader)
}

function readConstraint(reader: TokenReader): void {
  const token = reader.take()
  if (token.kind !== 'word') throw reader.refusal(`a constraint is expected, not ${token.sql.slice(0, 40)}`)
  switch (token.value) {
    case 'constraint':
      reader.takeName('the name of a constraint')
      return
    case 'primary':
      reader.expect('key')
      readKey(reader)
      return
    case 'unique':
      readKey(reader)
      return
    case 'not':
      reader.expect('null')
      readConflict(reader)
      return
    case 'null':
      return
    case 'check':
      readParenthesis(reader)
      return
    case 'default':
      readDefault(reader)
      return
    case 'collate':
      readCollation(reader)
      return
    case 'foreign':
      reader.expect('key')
      takeColumns(reader)
      reader.expect('references')
      readReference(reader)
      return
    case 'references':
      readReference(reader)
      return
    default:
      throw reader.refusal(`${token.value.toUpperCase()} is no constraint that a migration can use`)
  }
}

function readKey(reader: TokenReader): void {
  if (!reader.skip('asc')) reader.skip('desc')
  if (isSql(reader.next, '(')) readParenthesis(reader)
  if (isSql(reader.next, 'autoincrement')) throw reader.refusal('ids are ULIDs, which grow by themselves')
  readConflict(reader)
}

function readConflict(reader: TokenReader): void {
  if (!isSql(reader.next, 'on') || !isSql(reader.second, 'conflict')) return
  reader.expect('on', 'conflict')
  if (['abort', 'fail', 'ignore', 'replace'].some((word) => reader.skip(word))) return
  throw reader.refusal('ON CONFLICT takes ABORT, FAIL, IGNORE or REPLACE')
}

function readParenthesis(reader: TokenReader): void {
  reader.expect('(')
  do readExpressions(reader, 'stored', true)
  while (reader.skip(','))
  reader.expect(')')
}

function readDefault(reader: TokenReader): void {
  if (isSql(reader.next, '(')) {
    readParenthesis(reader)
    return
  }
  if (!reader.skip('-')) reader.skip('+')
  const token = reader.take()
  const isConstant =
    token.kind === 'text' ||
    token.kind === 'number' ||
    token.kind === 'blob' ||
    ['null', 'true', 'false', 'current_timestamp', 'current_date', 'current_time'].includes(token.value)
  if (!isConstant) throw reader.refusal('DEFAULT takes a constant, or an expression in parentheses')
}

function readCollation(reader: TokenReader): void {
  if (['binary', 'nocase', 'rtrim'].some((name) => reader.skip(name))) return
  throw reader.refusal('COLLATE takes BINARY, NOCASE or RTRIM')
}

function readReference(reader: TokenReader): void {
  reader.takeTable()
  if (isSql(reader.next, '(')) takeColumns(reader)
  while (reader.skip('on')) {
    if (isSql(reader.next, 'update')) throw reader.refusal('ids never change: leave ON UPDATE out')
    reader.expect('delete')
    if (reader.skip('cascade') || reader.skip('restrict')) continue
    if (isSql(reader.next, 'set') && isSql(reader.second, 'null')) reader.expect('set', 'null')
    else throw reader.refusal('ON DELETE takes CASCADE, SET NULL or RESTRICT')
  }
}
