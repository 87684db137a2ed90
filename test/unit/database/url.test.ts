import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HostError } from '../../../src/base/errors.js'
import { parseDatabaseUrl } from '../../../src/database/url.js'

const accepted = [
  ['sqlite:./data/modula.db', '/base/data/modula.db'],
  ['sqlite:data/modula.db', '/base/data/modula.db'],
  ['SQLite:../modula.db', '/modula.db'],
  ['sqlite:/var/lib/modula.db', '/var/lib/modula.db'],
  ['sqlite:///var/lib/modula.db', '/var/lib/modula.db'],
  ['sqlite:file:x.db', '/base/file:x.db'],
  ['sqlite:my data/100%25.db', '/base/my data/100%25.db'],
] as const

for (const [url, file] of accepted) {
  test(`${url} is the file ${file}`, () => {
    assert.deepEqual(parseDatabaseUrl(url, '/base'), { dialect: 'sqlite', file })
  })
}

const refused: readonly (readonly [string, RegExp])[] = [
  ['', /does not start with "sqlite:"/],
  ['./data/modula.db', /does not start with "sqlite:"/],
  ['mysql://u:hunter2@h/db', /does not start with "sqlite:"/],
  ['sqlite:', /no file path/],
  ['sqlite:   ', /no file path/],
  ['sqlite::memory:', /memory database/],
  ['sqlite:file::memory:', /memory database/],
  ['sqlite://host/modula.db', /machine name/],
  ['sqlite:./a.db?mode=ro', /options/],
  ['sqlite:./a.db#x', /options/],
  ['sqlite:./a\0.db', /zero byte/],
  ['sqlite:./data/', /a folder/],
  ['sqlite:.', /a folder/],
  ['sqlite:./data/..', /a folder/],
  ['postgres://u:hunter2@h/db', /PostgreSQL is not yet supported/],
  ['postgresql://u:hunter2@h/db', /PostgreSQL is not yet supported/],
]

for (const [url, reason] of refused) {
  test(`${JSON.stringify(url)} is refused with the reason and without the URL`, () => {
    assert.throws(
      () => parseDatabaseUrl(url),
      (error: unknown) => {
        assert.ok(error instanceof HostError)
        assert.equal(error.code, 'DATABASE_URL_INVALID')
        assert.match(error.message, reason)
        assert.match(error.message, /sqlite:\.\/data\/modula\.db/)
        assert.doesNotMatch(error.message, /hunter2/)
        return true
      },
    )
  })
}
