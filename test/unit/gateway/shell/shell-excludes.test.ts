import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { shellLimits } from '../../../../src/base/limits/gateway.js'
import { createDatabase } from '../../../../src/database/database.js'
import { basenameOf, isExcludedByCookie, readBasenames } from '../../../../src/gateway/shell/basenames.js'
import { createShell } from '../../../../src/gateway/shell/shell.js'
import {
  createFolder,
  createLogLines,
  openDatabase,
  shellFiles,
  startShell,
} from '../../../helpers/shell-world.js'

const routes = '/gateway/api/shell/excludes'
const document = { headers: { 'sec-fetch-dest': 'document' } }

test('basenames are the first segment that is not empty', () => {
  const paths = { '/': '', '': '', '/a': 'a', '/a/b': 'a', '//a//b': 'a', '/a.js': 'a.js', '///': '' }
  for (const [path, basename] of Object.entries(paths)) assert.equal(basenameOf(path), basename, path)
})

test('lists of basenames are trimmed, each entry once, invalid ones told apart', () => {
  assert.deepEqual(readBasenames(' a, b ,,a,c.d, e/f ,g h,A_-9'), {
    basenames: ['a', 'b', 'A_-9'],
    invalid: ['c.d', 'e/f', 'g h'],
  })
  assert.deepEqual(readBasenames(['a', 'b,c', '']), { basenames: ['a', 'b', 'c'], invalid: [] })
  const long = 'a'.repeat(shellLimits.basenameLengthMax)
  assert.deepEqual(readBasenames([long, `${long}a`]), { basenames: [long], invalid: [`${long}a`] })
})

const many = Array.from({ length: shellLimits.cookieExcludesMax }, (_, index) => `n${index}`)
const cookies: readonly (readonly [string, string | undefined, boolean])[] = [
  ['no cookie', undefined, false],
  ['another cookie', 'a=app', false],
  ['the cookie', 'gateway_shell_excludes=app', true],
  ['one of several', 'x=1; gateway_shell_excludes=other,app; y=2', true],
  ['the name in upper case', 'GATEWAY_SHELL_EXCLUDES=app', true],
  ['lower case wins', 'GATEWAY_SHELL_EXCLUDES=app; gateway_shell_excludes=other', false],
  ['an empty one does not win', 'gateway_shell_excludes=; GATEWAY_SHELL_EXCLUDES=app', true],
  ['mixed case is another cookie', 'Gateway_Shell_Excludes=app', false],
  ['the end of another name', 'xgateway_shell_excludes=app', false],
  ['percent signs', 'gateway_shell_excludes=other%2Capp%20', true],
  ['quotes', 'gateway_shell_excludes="app"', true],
  ['what cannot be decoded', 'gateway_shell_excludes=app,%ff', false],
  ['a longer name', 'gateway_shell_excludes=apple', false],
  ['another case', 'gateway_shell_excludes=APP', false],
  ['the last that counts', `gateway_shell_excludes=${[...many.slice(1), 'app'].join(',')}`, true],
  ['the first that does not count', `gateway_shell_excludes=${[...many, 'app'].join(',')}`, false],
  ['too long', `gateway_shell_excludes=app,${'x'.repeat(shellLimits.cookieLengthMax)}`, false],
]
for (const [name, header, expected] of cookies) {
  test(`by cookie: ${name} ${expected ? 'excludes' : 'does not exclude'}`, () => {
    assert.equal(isExcludedByCookie(header, 'app'), expected)
  })
}

test('no cookie raises, and none excludes the root', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      assert.equal(isExcludedByCookie(`gateway_shell_excludes=${value}`, ''), false)
      isExcludedByCookie(`gateway_shell_excludes=${value}`, 'app')
      isExcludedByCookie(value, 'app')
    }),
  )
})

test('the sources are united for requests, and the browser of a cookie is alone with it', async (t) => {
  const { client, shell } = await startShell(t, { envExcludes: ['one'] })
  await shell.exclude('two', 'ada')
  const statusOf = async (path: string, cookie?: string) => {
    const headers = { 'sec-fetch-dest': 'document', ...(cookie === undefined ? {} : { cookie }) }
    return (await client.send('GET', path, { headers })).status
  }
  const cookie = 'gateway_shell_excludes=three'
  assert.deepEqual(
    [await statusOf('/one/x'), await statusOf('/two'), await statusOf('/three')],
    [404, 404, 200],
  )
  assert.deepEqual(
    [await statusOf('/one/x', cookie), await statusOf('/two', cookie), await statusOf('/three', cookie)],
    [404, 404, 404],
  )
  assert.equal(await statusOf('/', 'gateway_shell_excludes=,'), 200)
})

test('invalid entries of the environment are logged and left out', async (t) => {
  const { shell, log } = await startShell(t, { envExcludes: 'cpanel, a/b' })
  assert.deepEqual(shell.view().envExcludes, ['cpanel'])
  const warnings = log.lines.filter((line) => line.startsWith('warn'))
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /a\/b/)
})

test('excludes are added, listed with the time of their adding, in force at once, and removed', async (t) => {
  const { client } = await startShell(t, { envExcludes: 'cpanel' })
  const before = Date.now()
  assert.equal((await client.send('GET', '/apps', document)).status, 200)
  const added = await client.send('POST', routes, { json: { basename: 'apps' } })
  assert.equal(added.status, 200)
  assert.deepEqual(added.json(), { added: true, basename: 'apps', source: 'database' })
  const after = Date.now()
  assert.equal((await client.send('GET', '/apps', document)).status, 404)
  const again = await client.send('POST', routes, { json: { basename: 'apps' } })
  assert.deepEqual(again.json(), { added: false, basename: 'apps', source: 'database' })
  type Listed = { basename: string; source: string; addedAt?: number }[]
  const [first, second, ...rest] = (await client.send('GET', routes)).json<Listed>()
  assert.deepEqual(first, { basename: 'cpanel', source: 'env' })
  assert.deepEqual([second?.basename, second?.source, rest.length], ['apps', 'database', 0])
  const addedAt = second?.addedAt ?? 0
  assert.ok(addedAt >= before && addedAt <= after, `${before} ${addedAt} ${after}`)
  const removed = await client.send('DELETE', `${routes}/apps`)
  assert.deepEqual([removed.status, removed.json()], [200, { removed: true, basename: 'apps' }])
  const gone = await client.send('DELETE', `${routes}/apps`)
  assert.deepEqual([gone.status, gone.json()], [200, { removed: false, basename: 'apps' }])
  assert.equal((await client.send('GET', '/apps', document)).status, 200)
})

test('refusals have their text and code', async (t) => {
  const { client, shell } = await startShell(t, { envExcludes: 'cpanel' })
  const required = { error: 'basename is required', code: 'SHELL_BASENAME_REQUIRED' }
  const invalid = { error: 'Invalid basename format', code: 'SHELL_BASENAME_INVALID' }
  for (const json of [
    {},
    { basename: '' },
    { basename: 7 },
    { basename: null },
    { basename: ['a'] },
    [],
    'a',
    7,
  ]) {
    const { status, text } = await client.send('POST', routes, { json })
    assert.deepEqual([status, JSON.parse(text)], [400, required], JSON.stringify(json))
  }
  assert.deepEqual((await client.send('POST', routes)).json(), required)
  for (const basename of [
    'a.b',
    'a/b',
    ' a',
    'a,b',
    '../x',
    'ä',
    'a\n',
    'a'.repeat(shellLimits.basenameLengthMax + 1),
  ]) {
    const { status, text } = await client.send('POST', routes, { json: { basename } })
    assert.deepEqual([status, JSON.parse(text)], [400, invalid], JSON.stringify(basename))
  }
  const known = await client.send('POST', routes, { json: { basename: 'cpanel' } })
  assert.deepEqual(
    [known.status, known.json()],
    [400, { error: 'Already excluded via environment', code: 'SHELL_BASENAME_IN_ENVIRONMENT' }],
  )
  const kept = await client.send('DELETE', `${routes}/cpanel`)
  assert.deepEqual(
    [kept.status, kept.json()],
    [400, { error: 'Cannot remove environment-based exclude', code: 'SHELL_BASENAME_NOT_REMOVABLE' }],
  )
  assert.deepEqual(shell.view().excludes, [{ basename: 'cpanel', source: 'env' }])
})

test('without a shell nothing is listed or changed', async (t) => {
  const { client, shell } = await startShell(t, { dir: '' })
  for (const [method, path] of [
    ['GET', routes],
    ['POST', routes],
    ['DELETE', `${routes}/a`],
  ] as const) {
    const sending = method === 'POST' ? { json: { basename: 'a' } } : {}
    const { status, text } = await client.send(method, path, sending)
    const expected = { error: 'Shell not configured', code: 'SHELL_NOT_CONFIGURED' }
    assert.deepEqual([status, JSON.parse(text)], [400, expected], method)
  }
  assert.deepEqual(shell.view().excludes, [])
})

test('excludes outlast a restart with their time; what the environment takes over is listed once', async (t) => {
  const folder = createFolder(t, shellFiles)
  const start = async (envExcludes: string) => {
    const database = await createDatabase({ file: join(folder, 'kept.db') })
    const options = { dir: join(folder, 'shell'), hosts: [], envExcludes, apiPrefixes: [], database }
    const shell = await createShell({ ...options, log: createLogLines() })
    return { shell, database }
  }
  const first = await start('')
  await first.shell.exclude('apps', 'ada')
  await first.shell.exclude('tools', 'plugin:x')
  const { excludes } = first.shell.view()
  const rows = await first.database.kysely
    .selectFrom('gateway_shell_excludes')
    .selectAll()
    .orderBy('basename')
    .execute()
  assert.deepEqual(
    rows.map(({ basename, added_by }) => [basename, added_by]),
    [
      ['apps', 'ada'],
      ['tools', 'plugin:x'],
    ],
  )
  await first.database.close()
  const second = await start('')
  assert.deepEqual(second.shell.view().excludes, excludes)
  await second.database.close()
  const third = await start('apps')
  assert.deepEqual(third.shell.view().excludes, [{ basename: 'apps', source: 'env' }, excludes[1]])
  await assert.rejects(third.shell.remove('apps'), { code: 'SHELL_BASENAME_NOT_REMOVABLE' })
  await third.database.close()
})

test('changes at once come one after another, and memory agrees with the database', async (t) => {
  const folder = createFolder(t, shellFiles)
  const database = await openDatabase(t, folder)
  const options = { dir: join(folder, 'shell'), hosts: [], envExcludes: '', apiPrefixes: [], database }
  const shell = await createShell({ ...options, log: createLogLines() })
  const added = await Promise.all(Array.from({ length: 20 }, () => shell.exclude('apps', 'ada')))
  assert.equal(added.filter(Boolean).length, 1)
  const mixed = Array.from({ length: 40 }, (_, index) =>
    index % 3 === 0 ? shell.remove('apps') : shell.exclude('apps', 'ada'),
  )
  await Promise.all(mixed)
  const rows = await database.kysely.selectFrom('gateway_shell_excludes').select('basename').execute()
  assert.deepEqual(
    rows.map(({ basename }) => basename),
    shell.view().excludes.map(({ basename }) => basename),
  )
})

test('no more excludes are kept than the limit, and a refusal changes nothing', async (t) => {
  const folder = createFolder(t, shellFiles)
  const database = await openDatabase(t, folder)
  const max = shellLimits.excludesMax
  const rows = Array.from({ length: max - 1 }, (_, index) => ({
    basename: `n${index}`,
    added_at: index,
    added_by: '',
  }))
  for (let at = 0; at < rows.length; at += 500) {
    await database.kysely
      .insertInto('gateway_shell_excludes')
      .values(rows.slice(at, at + 500))
      .execute()
  }
  const options = { dir: join(folder, 'shell'), hosts: [], envExcludes: '', apiPrefixes: [], database }
  const shell = await createShell({ ...options, log: createLogLines() })
  const outcomes = await Promise.allSettled(['x', 'y', 'z'].map((basename) => shell.exclude(basename, 'ada')))
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  )
  await assert.rejects(shell.exclude('y', 'ada'), { code: 'SHELL_EXCLUDES_EXHAUSTED', status: 409 })
  assert.equal(await shell.exclude('x', 'ada'), false)
  assert.equal(shell.view().excludes.length, max)
  await shell.remove('n0')
  assert.equal(await shell.exclude('y', 'ada'), true)
})

test('a failed write changes nothing in memory, and the next one works on', async (t) => {
  const folder = createFolder(t, shellFiles)
  const database = await createDatabase({ file: join(folder, 'closed.db') })
  const options = { dir: join(folder, 'shell'), hosts: [], envExcludes: '', apiPrefixes: [], database }
  const shell = await createShell({ ...options, log: createLogLines() })
  await shell.exclude('apps', 'ada')
  await database.close()
  await assert.rejects(shell.exclude('tools', 'ada'), { code: 'DATABASE_CLOSED' })
  await assert.rejects(shell.remove('apps'), { code: 'DATABASE_CLOSED' })
  assert.deepEqual(
    shell.view().excludes.map(({ basename }) => basename),
    ['apps'],
  )
})
