import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { shellLimits } from '../../../../src/base/limits/gateway.js'
import { HostTable } from '../../../../src/gateway/shell/host-table.js'
import { createShell, type ShellHost } from '../../../../src/gateway/shell/shell.js'
import { createFolder, createLogLines, openDatabase, startShell } from '../../../helpers/shell-world.js'

async function open(test: TestContext, dir: string, hosts: readonly ShellHost[] = []) {
  const database = await openDatabase(test, createFolder(test, {}))
  return createShell({ dir, hosts, envExcludes: '', apiPrefixes: [], database, log: createLogLines() })
}

test('a directory that cannot be served is refused by its name, with what to do', async (t) => {
  const folder = createFolder(t, {
    'empty/readme.txt': '',
    'folder/index.html/x': '',
    file: '',
    'large/index.html': 'x'.repeat(shellLimits.pageBytesMax + 1),
  })
  const problems = {
    absent: 'there is no such directory',
    file: 'there is no such directory',
    empty: 'it has neither dist/index.html nor index.html',
    folder: 'it has neither dist/index.html nor index.html',
    large: `has ${shellLimits.pageBytesMax + 1} bytes, and the limit is`,
  }
  for (const [name, problem] of Object.entries(problems)) {
    const dir = join(folder, name)
    for (const attempt of [() => open(t, dir), () => open(t, '', [{ host: 'a.example', dir }])]) {
      await assert.rejects(attempt, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'SHELL_DIR_INVALID')
        assert.ok(error.message.includes(`"${dir}" cannot be served`), error.message)
        assert.ok(error.message.includes(problem), error.message)
        assert.match(error.message, /Build the shell so that .* has dist\/index.html or index.html/)
        return true
      })
    }
  }
})

test('index.html beside the sources does when there is no build, and the build wins', async (t) => {
  const folder = createFolder(t, {
    'plain/index.html': 'plain',
    'both/index.html': 'sources',
    'both/dist/index.html': 'build',
  })
  const plain = await startShell(t, { dir: join(folder, 'plain') })
  assert.match((await plain.client.send('GET', '/')).text, /plain/)
  const both = await startShell(t, { dir: join(folder, 'both') })
  assert.match((await both.client.send('GET', '/')).text, /build/)
})

const table = new HostTable<string>(
  [
    ['app.example.com', 'exact'],
    ['*.example.com', 'below'],
    ['*.deep.example.com', 'deep'],
    ['*.Upper.Example', 'upper'],
    ['localhost', 'local'],
  ],
  'otherwise',
)
const hosts: readonly (readonly [string | undefined, string])[] = [
  ['app.example.com', 'exact'],
  ['APP.example.COM:8080', 'exact'],
  ['app.example.com.', 'exact'],
  ['other.example.com', 'below'],
  ['a.b.example.com', 'below'],
  ['x.deep.example.com:1', 'deep'],
  ['deep.example.com', 'below'],
  ['a.upper.example', 'upper'],
  ['example.com', 'otherwise'],
  ['.example.com', 'otherwise'],
  ['evilexample.com', 'otherwise'],
  ['app.example.com.evil.com', 'otherwise'],
  ['localhost:3000', 'local'],
  ['[::1]:3000', 'otherwise'],
  ['', 'otherwise'],
  [undefined, 'otherwise'],
]
for (const [header, expected] of hosts) {
  test(`the host ${header} has the shell "${expected}"`, () => {
    assert.equal(table.find(header), expected)
  })
}

test('hosts that are no names, or are there twice, are refused', () => {
  for (const host of [
    '',
    '*',
    '*.',
    'a:80',
    'a b',
    'a..b',
    'a.*.b',
    '*a.b',
    'http://a',
    'ä.example',
    '[::1]',
  ]) {
    assert.throws(() => new HostTable([[host, 1]], undefined), { code: 'SHELL_HOST_INVALID' }, host)
  }
  const twice = [['a.b', 1] as const, ['A.B', 2] as const]
  assert.throws(
    () => new HostTable(twice, undefined),
    /"A.B" of a shell is there twice; write each host once/,
  )
})

test('each host has its own shell; without one of all hosts the others have none', async (t) => {
  const folder = createFolder(t, { 'a/index.html': 'shell a', 'b/index.html': 'shell b', 'b/b.js': 'file b' })
  const { client, shell } = await startShell(t, {
    dir: '',
    hosts: [
      { host: 'a.example', dir: join(folder, 'a') },
      { host: '*.b.example', dir: join(folder, 'b') },
    ],
  })
  const ask = async (host: string, path = '/') => (await client.send('GET', path, { headers: { host } })).text
  assert.match(await ask('a.example'), /shell a/)
  assert.match(await ask('x.b.example:80'), /shell b/)
  assert.equal(await ask('x.b.example', '/b.js'), 'file b')
  assert.equal(await ask('a.example', '/b.js'), 'nothing here')
  assert.equal(await ask('c.example'), 'nothing here')
  assert.equal(shell.view().enabled, true)
  assert.equal(shell.view().dir, null)
  assert.deepEqual(
    shell.view().hosts.map(({ host }) => host),
    ['a.example', '*.b.example'],
  )
})
