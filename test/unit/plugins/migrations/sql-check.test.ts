import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSql } from '../../../../src/plugins/migrations/sql-check.js'
import { ownColumns } from '../../../helpers/migration-world.js'

/** SQL that a plugin `a` may not run, and what it is told. */
const refused: Readonly<Record<string, readonly [sql: string, reason: RegExp]>> = {
  'a core table is dropped': ['DROP TABLE plugins', /"plugins" is none of this plugin/],
  'a core table is read': [
    'INSERT INTO plugin_a_t (id) SELECT name FROM plugins',
    /"plugins" is none of this plugin/,
  ],
  'a core table is joined by a comma': [
    'DELETE FROM plugin_a_t WHERE id IN (SELECT u.id FROM plugin_a_t AS u, users)',
    /"users" is none/,
  ],
  'a core table is joined in parentheses': [
    'DELETE FROM plugin_a_t WHERE id IN (SELECT u.id FROM (plugin_a_t u JOIN users))',
    /"users" is none/,
  ],
  'a core table is updated from': ['UPDATE plugin_a_t SET id = 1 FROM plugin_a_u, users', /"users" is none/],
  'a core table is altered': ['ALTER TABLE content_data ADD COLUMN x', /"content_data" is none/],
  'a table is renamed out of the prefix': ['ALTER TABLE plugin_a_t RENAME TO plugins', /"plugins" is none/],
  'a table of another plugin': ['DROP TABLE plugin_b_t', /"plugin_b_t" is none/],
  'a table whose prefix is no whole name': ['DROP TABLE plugin_ab', /none of this plugin/],
  'the prefix alone': ['DROP TABLE plugin_a_', /none of this plugin/],
  'a foreign key to a core table': [
    `CREATE TABLE plugin_a_t (${ownColumns}, u TEXT REFERENCES users (id))`,
    /"users" is none/,
  ],
  'a foreign key of the table to a core table': [
    `CREATE TABLE plugin_a_t (${ownColumns}, u TEXT, FOREIGN KEY (u) REFERENCES users)`,
    /"users" is none/,
  ],
  'an index on a core table': ['CREATE INDEX plugin_a_i ON users (id)', /"users" is none/],
  'an index with a strange name': ['CREATE INDEX evil ON plugin_a_t (id)', /"evil" is none/],
  'an index of another': ['DROP INDEX idx_plugin_b_t_id', /none of this plugin/],
  'a schema before the table': ['DROP TABLE main.plugin_a_t', /names a database/],
  'a quoted schema before the table': ['DELETE FROM "main"."plugin_a_t"', /names a database/],
  'a temporary schema': ['INSERT INTO temp.plugin_a_t VALUES (1)', /database|TEMP/],
  'a column of a schema': ['UPDATE plugin_a_t SET id = main.users.id', /names a database/],
  'the schema itself': ['INSERT INTO sqlite_schema VALUES (1)', /none of this plugin/],
  'the old name of the schema': [
    'DELETE FROM plugin_a_t WHERE id IN (SELECT sql FROM "sqlite_master")',
    /none of this plugin|belongs to the database/,
  ],
  'a table by IN': ['DELETE FROM plugin_a_t WHERE id IN users', /IN takes a list/],
  "a table by IN 'x'": ["DELETE FROM plugin_a_t WHERE id IN 'users'", /IN takes a list/],
  ATTACH: ["ATTACH DATABASE '/tmp/x' AS x", /ATTACH is not for migrations: other database files/],
  DETACH: ['DETACH main', /DETACH is not/],
  PRAGMA: ['PRAGMA writable_schema = ON', /PRAGMA is not/],
  'a pragma as a table': [
    'DELETE FROM plugin_a_t WHERE id IN (SELECT name FROM pragma_table_list)',
    /belongs to the database itself/,
  ],
  'a pragma as a function': [
    "DELETE FROM plugin_a_t WHERE id IN (SELECT name FROM pragma_table_info('users'))",
    /belongs to the database itself/,
  ],
  VACUUM: ["VACUUM INTO '/tmp/x'", /VACUUM is not/],
  REINDEX: ['REINDEX', /REINDEX is not/],
  ANALYZE: ['ANALYZE', /ANALYZE is not/],
  BEGIN: ['BEGIN', /BEGIN is not/],
  COMMIT: ['DELETE FROM plugin_a_t; COMMIT', /COMMIT is not/],
  END: ['END', /END is not/],
  ROLLBACK: ['ROLLBACK', /ROLLBACK is not/],
  SAVEPOINT: ['SAVEPOINT s', /SAVEPOINT is not/],
  RELEASE: ['RELEASE s', /RELEASE is not/],
  'INSERT OR ROLLBACK': ["INSERT OR ROLLBACK INTO plugin_a_t VALUES ('x')", /ROLLBACK.*transaction/],
  'UPDATE OR ROLLBACK': ['UPDATE OR ROLLBACK plugin_a_t SET id = 1', /ROLLBACK.*transaction/],
  'a constraint that rolls back': [
    'CREATE TABLE plugin_a_t (id TEXT PRIMARY KEY ON CONFLICT ROLLBACK NOT NULL)',
    /ON CONFLICT takes/,
  ],
  EXPLAIN: ['EXPLAIN DELETE FROM plugin_a_t', /EXPLAIN is not/],
  SELECT: ['SELECT 1', /SELECT is not/],
  'a CTE': ['WITH x AS (SELECT 1) INSERT INTO plugin_a_t SELECT * FROM x', /WITH is not/],
  'a recursive CTE': [
    'INSERT INTO plugin_a_t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n',
    /VALUES or SELECT is expected/,
  ],
  'a CTE inside': [
    'INSERT INTO plugin_a_t SELECT * FROM (WITH n AS (SELECT 1 FROM n) SELECT * FROM n)',
    /table is expected|WITH is not/,
  ],
  'a trigger': [
    'CREATE TRIGGER plugin_a_x AFTER INSERT ON plugin_a_t BEGIN DELETE FROM users; END',
    /TRIGGER is not/,
  ],
  'a trigger on a core table': [
    'CREATE TRIGGER plugin_a_x AFTER INSERT ON users BEGIN SELECT 1; END',
    /TRIGGER is not/,
  ],
  'a trigger is dropped': ['DROP TRIGGER plugin_a_t__stored_insert', /TRIGGER is not/],
  'a view': ['CREATE VIEW plugin_a_v AS SELECT * FROM users', /VIEW is not/],
  'a temporary table': ['CREATE TEMP TABLE plugin_a_t (id)', /TEMP is not/],
  'a virtual table': ['CREATE VIRTUAL TABLE plugin_a_t USING fts5(x)', /VIRTUAL is not/],
  load_extension: ["UPDATE plugin_a_t SET id = load_extension('/tmp/x')", /load_extension\(\) may not/],
  'a quoted function': [`UPDATE plugin_a_t SET id = "load_extension"('/tmp/x')`, /is in quotes/],
  readfile: ["INSERT INTO plugin_a_t VALUES (readfile('/etc/passwd'))", /readfile\(\) may not/],
  'a large blob': ['INSERT INTO plugin_a_t VALUES (zeroblob(1000000000))', /zeroblob\(\) may not/],
  'the clock of statements': ['UPDATE plugin_a_t SET id = plugin_tick(1)', /plugin_tick\(\) may not/],
  'a function with a comment in it': [
    "UPDATE plugin_a_t SET id = load_extension/**/('/tmp/x')",
    /load_extension\(\) may not/,
  ],
  'a doubled quote in a name': ['DELETE FROM "plugin_a""t"', /double quotes may hold/],
  'a bracketed name': ['DELETE FROM [users]', /not quoted with \[/],
  'a name in backticks': ['DELETE FROM `users`', /not quoted with `/],
  'a text as a name': ["DELETE FROM 'users'", /name of a table is expected/],
  'a text as a table in FROM': [
    "INSERT INTO plugin_a_t SELECT id FROM 'users'",
    /name of a table is expected/,
  ],
  'a text as a table to create': ["CREATE TABLE 'plugin_a_t' (id)", /name of a table is expected/],
  'a comment between the words': ['DELETE/**/FROM/**/users', /"users" is none/],
  'a comment that hides a line break': ['DELETE FROM --\nusers', /"users" is none/],
  'a comment without an end': ['DELETE FROM plugin_a_t /* ; DROP TABLE users', /has no end/],
  'a nested comment': ['DELETE FROM /* /* */ users */ plugin_a_t', /"users" is none/],
  'a NUL': ['DELETE FROM plugin_a_t\0; DROP TABLE users', /U\+0000/],
  'a NUL in a text': ["UPDATE plugin_a_t SET id = 'a\0b'", /control character/],
  'a homoglyph': ['DELETE FROM plugin_\u0430_t', /U\+0430/],
  'a letter that folds to ASCII': ['DELETE FROM plugin_a_\u212aelvin', /U\+212A/],
  'a space that is none': ['DELETE\u00a0FROM\u00a0plugin_a_t', /U\+00A0/],
  'a form feed': ['DELETE\fFROM plugin_a_t', /U\+000C/],
  'a parameter': ['UPDATE plugin_a_t SET id = ?', /no parameters/],
  'a named parameter': ['UPDATE plugin_a_t SET id = :x', /no parameters/],
  'a text without an end': ["UPDATE plugin_a_t SET id = 'x", /no end/],
  'two texts side by side': [`UPDATE plugin_a_t SET id = 'x'"y"`, /side by side/],
  'a number glued to a name': ['UPDATE plugin_a_t SET id = 1users', /neither a number nor a name/],
  'a pattern out of a row': ['DELETE FROM plugin_a_t WHERE id LIKE note', /takes a text/],
  'a pattern of many wildcards': [
    `DELETE FROM plugin_a_t WHERE id LIKE '${'%a'.repeat(17)}'`,
    /17 wildcards; the limit is 16/,
  ],
  REGEXP: ["DELETE FROM plugin_a_t WHERE id REGEXP 'x'", /REGEXP is not/],
  'a table from a query': ['CREATE TABLE plugin_a_t AS SELECT * FROM users', /name the columns/],
  'a table without row numbers': [`CREATE TABLE plugin_a_t (${ownColumns}) WITHOUT ROWID`, /row numbers/],
  AUTOINCREMENT: ['CREATE TABLE plugin_a_t (n INTEGER PRIMARY KEY AUTOINCREMENT)', /ULIDs/],
  'a generated column': [
    `CREATE TABLE plugin_a_t (${ownColumns}, x TEXT GENERATED ALWAYS AS (id))`,
    /GENERATED is not/,
  ],
  'a generated column in short': [`CREATE TABLE plugin_a_t (${ownColumns}, x TEXT AS (id))`, /generated/],
  'a costly function in a CHECK': [
    `CREATE TABLE plugin_a_t (${ownColumns}, CHECK (length(replace(id, 'a', 'b')) > 0))`,
    /replace\(\) may not be called in tables/,
  ],
  'a subquery in a CHECK': [
    `CREATE TABLE plugin_a_t (${ownColumns}, CHECK (id IN (SELECT id FROM plugin_a_u)))`,
    /no subqueries/,
  ],
  'a column that hides the row number': [
    `CREATE TABLE plugin_a_t (${ownColumns}, _rowid_ TEXT)`,
    /cannot be the name of a column/,
  ],
  RETURNING: ["INSERT INTO plugin_a_t VALUES ('x') RETURNING *", /RETURNING is not/],
  'a chosen index': ['DELETE FROM plugin_a_t INDEXED BY x', /WHERE or the end/],
  'ON UPDATE': [
    `CREATE TABLE plugin_a_t (${ownColumns}, u TEXT REFERENCES plugin_a_u ON UPDATE CASCADE)`,
    /leave ON UPDATE out/,
  ],
  'a deep expression': [
    `UPDATE plugin_a_t SET id = ${'('.repeat(60)}1${')'.repeat(60)}`,
    /nested deeper than 50/,
  ],
  'a parenthesis too many': ['UPDATE plugin_a_t SET id = (1))', /closed that was not opened/],
  nothing: [' -- nothing\n ;; ', /there is no statement/],
}

for (const [name, [sql, reason]] of Object.entries(refused)) {
  test(`refused: ${name}`, () => {
    assert.throws(() => checkSql('a', sql), { name: 'SqlRefused', message: reason })
  })
}

/** What a plugin `a` may run. */
const allowed: readonly string[] = [
  `CREATE TABLE plugin_a_t (${ownColumns})`,
  `create table if not exists "plugin_a_t" (${ownColumns}, "kind" integer default 0, n varchar(20) not null default 'x') strict;`,
  `CREATE TABLE plugin_a_t (${ownColumns}, u TEXT REFERENCES plugin_a_u (id) ON DELETE SET NULL,
     price DECIMAL(10, 2) DEFAULT -1.5 CHECK (price >= 0), made TEXT DEFAULT (datetime('now')),
     hash TEXT CHECK (length(hash) = 64 AND hash NOT GLOB '*[^0-9a-f]*'), flag BOOLEAN NOT NULL DEFAULT FALSE,
     name TEXT COLLATE NOCASE, CONSTRAINT one UNIQUE (u, price) ON CONFLICT IGNORE, CHECK (CAST(price AS TEXT) <> ''),
     FOREIGN KEY (u) REFERENCES plugin_a_u (id) ON DELETE CASCADE)`,
  'ALTER TABLE plugin_a_t ADD COLUMN note TEXT DEFAULT NULL',
  'ALTER TABLE plugin_a_t RENAME COLUMN note TO remark',
  'ALTER TABLE plugin_a_t RENAME TO plugin_a_u',
  'ALTER TABLE plugin_a_t DROP COLUMN note',
  'CREATE UNIQUE INDEX plugin_a_i ON plugin_a_t (lower(name), id DESC) WHERE revoked IS NULL',
  'DROP INDEX IF EXISTS idx_plugin_a_t_name',
  'DROP TABLE IF EXISTS plugin_a_t',
  "INSERT INTO plugin_a_t (id, \"kind\") VALUES ('it''s -- no comment', 1), ('/* neither */', x'00ff')",
  `INSERT OR IGNORE INTO plugin_a_t SELECT lower(hex(randomblob(16))), u.x FROM plugin_a_u AS u
     LEFT JOIN plugin_a_v v USING (id) WHERE u.x IS NOT DISTINCT FROM v.x GROUP BY 1 ORDER BY u.x LIMIT 10`,
  'INSERT INTO plugin_a_t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET n = n + 1 WHERE excluded.id > 0',
  'INSERT INTO plugin_a_t DEFAULT VALUES',
  "UPDATE plugin_a_t SET x = (SELECT max(y) FROM plugin_a_u WHERE a = b), y = json_extract(y, '$.a') ->> 'b'",
  'UPDATE plugin_a_t AS t SET x = u.x FROM plugin_a_u u WHERE u.id = t.id',
  "DELETE FROM plugin_a_t WHERE x IN (1, 2) AND name LIKE 'a%' OR EXISTS (SELECT 1 FROM plugin_a_u)",
  'DELETE FROM plugin_a_t',
  'REPLACE INTO plugin_a_t (id) VALUES (row_number())',
]

test('what plugins need is allowed', () => {
  for (const sql of allowed) assert.equal(checkSql('a', sql).length, 1, sql)
})

test('a plugin whose name begins like another cannot be told apart by names alone', () => {
  // The table of `a_b` has the prefix of `a`: who owns it is for the registry to say, when the migration runs.
  assert.deepEqual(checkSql('a', 'DELETE FROM plugin_a_b_t')[0]?.tables, ['plugin_a_b_t'])
  assert.throws(() => checkSql('a_b', 'DELETE FROM plugin_a_t'), /none of this plugin/)
})

test('what SQLite gets is written anew', () => {
  const [first, second] = checkSql(
    'a',
    "-- c\nDELETE  FROM\tplugin_a_t/* x */WHERE a='b--c'\n;\nDROP TABLE PLUGIN_A_T",
  )
  assert.equal(first?.sql, "DELETE FROM plugin_a_t WHERE a = 'b--c'")
  assert.deepEqual([first?.line, second?.line, second?.target], [2, 4, 'plugin_a_t'])
})

test('errors name the line', () => {
  assert.throws(() => checkSql('a', 'DELETE FROM plugin_a_t;\n\nDELETE FROM users'), /^SqlRefused: line 3: /)
})

test('size and number of statements are bounded', () => {
  const many = 'DELETE FROM plugin_a_t;'.repeat(201)
  assert.throws(() => checkSql('a', many), /201 statements; the limit is 200/)
  assert.throws(() => checkSql('a', `-- ${'x'.repeat(300_000)}`), /bytes; the limit is 262144/)
})
