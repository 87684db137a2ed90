import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isBusy, openSqlite } from '../../../src/database/sqlite.js'

const directory = mkdtempSync(join(tmpdir(), 'modula-sqlite-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const hasCode = (code: string) => (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === code

test('a connection has the settings that the host relies on', () => {
  const database = openSqlite({ file: join(directory, 'settings.db'), busyTimeoutMs: 7 })
  const setting = (name: string) => database.pragma(name, { simple: true })
  assert.equal(setting('journal_mode'), 'wal')
  assert.equal(setting('synchronous'), 1)
  assert.equal(setting('foreign_keys'), 1)
  assert.equal(setting('trusted_schema'), 0)
  assert.equal(setting('automatic_index'), 0)
  assert.equal(setting('cell_size_check'), 1)
  assert.equal(setting('busy_timeout'), 7)
  assert.equal(setting('journal_size_limit'), 64 * 1024 * 1024)
  database.close()
})

test('the schema table cannot be written, even when it is declared writable', () => {
  const database = openSqlite({ file: join(directory, 'defensive.db'), busyTimeoutMs: 0 })
  database.exec('create table t (a)')
  database.pragma('writable_schema = ON')
  assert.throws(() => database.exec("update sqlite_schema set sql = 'x'"), /may not be modified/)
  database.close()
})

test('a new database and its folder can be read by this user only', {
  skip: process.platform === 'win32',
}, () => {
  const folder = join(directory, 'deep', 'er')
  const file = join(folder, 'private.db')
  const database = openSqlite({ file, busyTimeoutMs: 0 })
  database.exec('create table t (a)')
  for (const path of [file, `${file}-wal`, `${file}-shm`])
    assert.equal(statSync(path).mode & 0o777, 0o600, path)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  database.close()
})

test('a second connection of this process is kept out by the lock of the first', () => {
  const file = join(directory, 'locks.db')
  const first = openSqlite({ file, busyTimeoutMs: 0 })
  first.exec('begin immediate')
  const second = openSqlite({ file, busyTimeoutMs: 0 })
  assert.throws(() => second.exec('begin immediate'), isBusy)
  first.exec('rollback')
  second.exec('begin immediate')
  second.close()
  first.close()
})

test('a read-only connection reads what others committed and refuses to write', () => {
  const file = join(directory, 'readonly.db')
  const writer = openSqlite({ file, busyTimeoutMs: 0 })
  writer.exec('create table t (a); insert into t values (1)')
  const reader = openSqlite({ file, busyTimeoutMs: 0, readonly: true })
  assert.deepEqual(reader.prepare('select a from t').all(), [{ a: 1 }])
  assert.throws(() => reader.exec('insert into t values (2)'), hasCode('SQLITE_READONLY'))
  reader.close()
  writer.close()
})

test('an absent file that must exist is not created', () => {
  const file = join(directory, 'absent.db')
  for (const options of [{ mustExist: true }, { readonly: true }]) {
    assert.throws(() => openSqlite({ file, busyTimeoutMs: 0, ...options }), hasCode('DATABASE_OPEN_FAILED'))
  }
  assert.throws(() => statSync(file), hasCode('ENOENT'))
})

test('a file that is no database is refused by name and left as it is', () => {
  const file = join(directory, 'text.db')
  writeFileSync(
    file,
    'this is a text of a user, longer than the header of a database; it must not be touched. '.repeat(20),
  )
  const before = statSync(file)
  assert.throws(
    () => openSqlite({ file, busyTimeoutMs: 0 }),
    (error: unknown) => hasCode('DATABASE_OPEN_FAILED')(error) && String(error).includes(file),
  )
  assert.equal(statSync(file).size, before.size)
  assert.equal(statSync(file).mtimeMs, before.mtimeMs)
})

test('a folder in place of the file, or a file in place of the folder, is refused', () => {
  mkdirSync(join(directory, 'folder.db'))
  writeFileSync(join(directory, 'file'), '')
  for (const file of [join(directory, 'folder.db'), join(directory, 'file', 'x.db')]) {
    assert.throws(() => openSqlite({ file, busyTimeoutMs: 0 }), hasCode('DATABASE_OPEN_FAILED'))
  }
})
