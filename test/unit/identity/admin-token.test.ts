import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { identityLimits } from '../../../src/base/limits/identity.js'
import { loadAdminToken } from '../../../src/identity/admin-token.js'

const directory = mkdtempSync(join(tmpdir(), 'modula-token-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const posix = { skip: process.platform === 'win32' }
let count = 0

function freshDirectory(): string {
  const path = join(directory, String(count++))
  mkdirSync(path)
  return path
}

test('the first start makes a random token that only this user can read', () => {
  const dataDirectory = join(directory, 'made', 'here')
  const { token, source, file, created } = loadAdminToken({ dataDirectory })
  assert.match(token, /^[A-Za-z0-9_-]{43}$/)
  assert.equal(Buffer.from(token, 'base64url').length, 32)
  assert.deepEqual([source, file, created], ['file', join(dataDirectory, 'admin-token'), true])
  assert.equal(readFileSync(join(dataDirectory, 'admin-token'), 'utf8').trim(), token)
  if (process.platform !== 'win32') {
    assert.equal(statSync(join(dataDirectory, 'admin-token')).mode & 0o777, 0o600)
    assert.equal(statSync(dataDirectory).mode & 0o777, 0o700)
  }
  assert.deepEqual(readdirSync(dataDirectory), ['admin-token'], 'no draft is left behind')
  assert.notEqual(loadAdminToken({ dataDirectory: freshDirectory() }).token, token)
})

test('a later start keeps the token', () => {
  const dataDirectory = freshDirectory()
  const first = loadAdminToken({ dataDirectory })
  assert.deepEqual(loadAdminToken({ dataDirectory }), { ...first, created: false })
})

test('a token file that others can read is made private', posix, () => {
  const dataDirectory = freshDirectory()
  const { token, file = '' } = loadAdminToken({ dataDirectory })
  chmodSync(file, 0o644)
  assert.equal(loadAdminToken({ dataDirectory }).token, token)
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

const shapes = [
  '',
  '\n',
  'short',
  `${'a'.repeat(43)} `,
  `${'a'.repeat(44)}`,
  `${'a'.repeat(42)}/`,
  `${'a'.repeat(43)}\n\n`,
]
for (const content of shapes) {
  test(`a token file with ${JSON.stringify(content)} is refused, not replaced and not shown`, () => {
    const dataDirectory = freshDirectory()
    const file = join(dataDirectory, 'admin-token')
    writeFileSync(file, content)
    assert.throws(
      () => loadAdminToken({ dataDirectory }),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error)
        assert.equal(error.code, 'ADMIN_TOKEN_FILE_REFUSED')
        assert.match(error.message, /43 base64url/)
        if (content.length > 4) assert.ok(!error.message.includes(content.trim()))
        return true
      },
    )
    assert.equal(readFileSync(file, 'utf8'), content)
  })
}

test('a symbolic link is refused, also a dangling one, and its target is not made', posix, () => {
  const other = freshDirectory()
  const { file = '' } = loadAdminToken({ dataDirectory: other })
  for (const target of [file, join(other, 'absent')]) {
    const dataDirectory = freshDirectory()
    symlinkSync(target, join(dataDirectory, 'admin-token'))
    assert.throws(() => loadAdminToken({ dataDirectory }), {
      code: 'ADMIN_TOKEN_FILE_REFUSED',
      message: /symbolic link/,
    })
  }
  assert.equal(existsSync(join(other, 'absent')), false)
})

test('a folder or a named pipe is refused without waiting for it', posix, () => {
  const withFolder = freshDirectory()
  mkdirSync(join(withFolder, 'admin-token'))
  const withPipe = freshDirectory()
  execFileSync('mkfifo', [join(withPipe, 'admin-token')])
  for (const dataDirectory of [withFolder, withPipe]) {
    assert.throws(() => loadAdminToken({ dataDirectory }), {
      code: 'ADMIN_TOKEN_FILE_REFUSED',
      message: /not a regular file/,
    })
  }
})

test('a data directory that cannot be made is an error with the reason', () => {
  const file = join(freshDirectory(), 'file')
  writeFileSync(file, '')
  assert.throws(() => loadAdminToken({ dataDirectory: join(file, 'data') }), {
    code: 'ADMIN_TOKEN_FILE_FAILED',
  })
})

test('a token from the environment wins and leaves the data directory alone', () => {
  const dataDirectory = join(directory, 'untouched')
  for (const length of [identityLimits.adminTokenLengthMin, identityLimits.bearerTokenLengthMax]) {
    const environmentToken = 'x'.repeat(length)
    assert.deepEqual(loadAdminToken({ dataDirectory, environmentToken }), {
      token: environmentToken,
      source: 'environment',
      file: undefined,
      created: false,
    })
  }
  assert.equal(existsSync(dataDirectory), false)
})

const unfit: readonly (readonly [string, RegExp])[] = [
  ['', /has 0 characters/],
  ['s'.repeat(15), /has 15 characters; it takes 16 to 512/],
  ['s'.repeat(513), /has 513 characters/],
  ['correct horse battery', /header cannot carry/],
  ['ssssssssssssssss\n', /header cannot carry/],
  ['sssssssssssssssé', /header cannot carry/],
]
for (const [environmentToken, message] of unfit) {
  test(`an environment token of ${environmentToken.length} characters is refused: ${message.source}`, () => {
    assert.throws(
      () => loadAdminToken({ dataDirectory: directory, environmentToken }),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error)
        assert.equal(error.code, 'ADMIN_TOKEN_INVALID')
        assert.match(error.message, message)
        if (environmentToken !== '') assert.ok(!error.message.includes(environmentToken))
        return true
      },
    )
  })
}
