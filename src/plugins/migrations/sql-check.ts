import { migrationLimits } from '../../base/limits/plugins.js'
import { readExpressions, takeColumns } from './sql-expressions.js'
import { SqlRefused } from './sql-refused.js'
import { readColumn, readTableBody } from './sql-tables.js'
import { type Token, tokenize, writeSql } from './sql-tokens.js'
import { refusedWords } from './sql-words.js'
import { isSql, TokenReader } from './token-reader.js'

/** What a statement does: to a table, to an index, or to rows. */
export type StatementKind =
  | 'create table'
  | 'alter table'
  | 'rename table'
  | 'drop table'
  | 'create index'
  | 'drop index'
  | 'write'

/** A statement that a migration may run. Names are in lower case. */
export interface CheckedStatement {
  readonly kind: StatementKind
  /** Written anew from the tokens; without a semicolon. */
  readonly sql: string
  readonly line: number
  /** The table that is created, changed, dropped or written to; undefined for DROP INDEX. */
  readonly target?: string
  /** Name of the table after RENAME TO. */
  readonly renamed?: string
  /** Of CREATE INDEX and DROP INDEX. */
  readonly index?: string
  /** All tables that it names. */
  readonly tables: readonly string[]
}

type Read = Pick<CheckedStatement, 'kind' | 'target' | 'renamed' | 'index'>

/**
 * Reads the SQL of one part of a migration. Every statement is known, each table and index that it names begins with
 * the prefix of the plugin, and each function that it calls is on a list.
 *
 * @throws SqlRefused with the line, for the author.
 */
export function checkSql(plugin: string, sql: string): readonly CheckedStatement[] {
  const bytes = Buffer.byteLength(sql)
  if (bytes > migrationLimits.sqlBytesMax) {
    throw new SqlRefused(`the SQL has ${bytes} bytes; the limit is ${migrationLimits.sqlBytesMax}`, 1)
  }
  const all = split(tokenize(sql))
  if (all.length === 0) throw new SqlRefused('there is no statement', 1)
  if (all.length > migrationLimits.statementsMax) {
    const reason = `there are ${all.length} statements; the limit is ${migrationLimits.statementsMax}`
    throw new SqlRefused(reason, 1)
  }
  return all.map((tokens) => checkStatement(plugin, tokens))
}

function split(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const statements: Token[][] = [[]]
  for (const token of tokens) {
    if (isSql(token, ';')) statements.push([])
    else statements.at(-1)?.push(token)
  }
  return statements.filter((statement) => statement.length > 0)
}

function checkStatement(plugin: string, tokens: readonly Token[]): CheckedStatement {
  const reader = new TokenReader(plugin, tokens)
  const read = readStatement(reader)
  if (!reader.isAtEnd) throw reader.refusal(`the statement should end before ${reader.shown}`)
  const line = tokens[0]?.line ?? 1
  return { ...read, sql: writeSql(tokens), line, tables: [...reader.tables] }
}

function readStatement(reader: TokenReader): Read {
  const { value, kind } = reader.next as Token
  if (kind === 'word') {
    switch (value) {
      case 'create':
        return readCreate(reader)
      case 'alter':
        return readAlter(reader)
      case 'drop':
        return readDrop(reader)
      case 'insert':
      case 'replace':
        return readInsert(reader)
      case 'update':
        return readUpdate(reader)
      case 'delete':
        return readDelete(reader)
    }
  }
  const reason =
    (kind === 'word' && refusedWords.get(value)) || 'a migration changes tables, indexes and rows'
  throw reader.refusal(
    `${reader.shown.toUpperCase()} is not for migrations: ${reason}. There are CREATE TABLE, ALTER TABLE, DROP TABLE, CREATE INDEX, DROP INDEX, INSERT, UPDATE and DELETE`,
  )
}

function readCreate(reader: TokenReader): Read {
  reader.expect('create')
  const isUnique = reader.skip('unique')
  if (isUnique || isSql(reader.next, 'index')) return readCreateIndex(reader)
  if (!isSql(reader.next, 'table')) throw refuseObject(reader)
  reader.expect('table')
  if (reader.skip('if')) reader.expect('not', 'exists')
  const target = reader.takeTable()
  if (isSql(reader.next, 'as'))
    throw reader.refusal('name the columns of the table; AS SELECT loses their types')
  readTableBody(reader)
  return { kind: 'create table', target }
}

function refuseObject(reader: TokenReader): SqlRefused {
  const word = reader.next?.value ?? ''
  const reason = refusedWords.get(word) ?? 'there are tables and indexes'
  return reader.refusal(`${reader.shown.toUpperCase()} is not for migrations: ${reason}`)
}

function readCreateIndex(reader: TokenReader): Read {
  reader.expect('index')
  if (reader.skip('if')) reader.expect('not', 'exists')
  const index = reader.takeIndex()
  reader.expect('on')
  const target = reader.takeTable()
  reader.expect('(')
  do readExpressions(reader, 'stored', true)
  while (reader.skip(','))
  reader.expect(')')
  if (reader.skip('where')) readExpressions(reader, 'stored')
  return { kind: 'create index', target, index }
}

function readAlter(reader: TokenReader): Read {
  reader.expect('alter', 'table')
  const target = reader.takeTable()
  if (reader.skip('rename')) {
    if (reader.skip('to')) return { kind: 'rename table', target, renamed: reader.takeTable() }
    reader.skip('column')
    reader.takeName('the name of a column')
    reader.expect('to')
    reader.takeName('the name of a column')
  } else if (reader.skip('add')) {
    if (isSql(reader.next, 'constraint') || isSql(reader.next, 'check')) throw refuseAlter(reader)
    reader.skip('column')
    readColumn(reader)
  } else if (reader.skip('drop')) {
    if (isSql(reader.next, 'constraint')) throw refuseAlter(reader)
    reader.skip('column')
    reader.takeName('the name of a column')
  } else throw refuseAlter(reader)
  return { kind: 'alter table', target }
}

function refuseAlter(reader: TokenReader): SqlRefused {
  return reader.refusal('ALTER TABLE takes RENAME TO, RENAME COLUMN, ADD COLUMN and DROP COLUMN')
}

function readDrop(reader: TokenReader): Read {
  reader.expect('drop')
  const isTable = reader.skip('table')
  if (!isTable && !reader.skip('index')) throw refuseObject(reader)
  if (reader.skip('if')) reader.expect('exists')
  if (isTable) return { kind: 'drop table', target: reader.takeTable() }
  return { kind: 'drop index', index: reader.takeIndex() }
}

function readInsert(reader: TokenReader): Read {
  if (reader.take().value === 'insert') readOr(reader)
  reader.expect('into')
  const target = reader.takeTable()
  if (reader.skip('as')) reader.takeName('an alias')
  if (isSql(reader.next, '(')) takeColumns(reader)
  if (!['values', 'select', 'default'].some((word) => isSql(reader.next, word))) {
    throw reader.refusal(`VALUES or SELECT is expected here, not ${reader.shown}`)
  }
  readExpressions(reader, 'statement')
  return { kind: 'write', target }
}

function readOr(reader: TokenReader): void {
  if (!reader.skip('or')) return
  if (['abort', 'fail', 'ignore', 'replace'].some((word) => reader.skip(word))) return
  throw reader.refusal(`${reader.shown.toUpperCase()} is not for migrations: it would end the transaction`)
}

function readUpdate(reader: TokenReader): Read {
  reader.expect('update')
  readOr(reader)
  const target = reader.takeTable()
  if (reader.skip('as')) reader.takeName('an alias')
  if (!isSql(reader.next, 'set')) throw reader.refusal(`SET is expected here, not ${reader.shown}`)
  readExpressions(reader, 'statement')
  return { kind: 'write', target }
}

function readDelete(reader: TokenReader): Read {
  reader.expect('delete', 'from')
  const target = reader.takeTable()
  if (reader.skip('as')) reader.takeName('an alias')
  if (!(reader.isAtEnd || ['where', 'order', 'limit'].some((word) => isSql(reader.next, word)))) {
    throw reader.refusal(`WHERE or the end is expected here, not ${reader.shown}`)
  }
  readExpressions(reader, 'statement')
  return { kind: 'write', target }
}
