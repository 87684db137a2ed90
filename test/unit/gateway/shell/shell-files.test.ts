import assert from 'node:assert/strict'
import { renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { shellLimits } from '../../../../src/base/limits/gateway.js'
import { findFile } from '../../../../src/gateway/shell/shell-files.js'
import { createFolder, shellFiles, startShell, writeFiles } from '../../../helpers/shell-world.js'

const nothing = 'nothing here'
const document = { headers: { 'sec-fetch-dest': 'document' } }

test('nothing outside of the build is served, and nothing hidden', async (t) => {
  const { client, folder } = await startShell(t, {
    files: {
      ...shellFiles,
      'secret.txt': 'secret',
      'shell/secret.txt': 'secret',
      'shell/dist-2/a.txt': 'secret',
    },
  })
  const dist = join(folder, 'shell/dist')
  symlinkSync(join(folder, 'secret.txt'), join(dist, 'link.txt'))
  symlinkSync('../secret.txt', join(dist, 'relative.txt'))
  symlinkSync(folder, join(dist, 'linked'))
  symlinkSync('../dist-2/a.txt', join(dist, 'neighbour.txt'))
  symlinkSync('.env', join(dist, 'env.txt'))
  symlinkSync('nowhere', join(dist, 'broken.txt'))
  symlinkSync('loop.txt', join(dist, 'loop.txt'))
  for (const path of [
    '/.env',
    '/%2eenv',
    '/.git/config',
    '/assets/../../secret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/..%2f..%2fsecret.txt',
    '/%2e%2e%2fsecret.txt',
    '/assets%2fmain.js',
    '/assets%5cmain.js',
    '/..%5csecret.txt',
    '/%252e%252e%252fsecret.txt',
    '/chunk-abc.js%00',
    '/chunk-abc.js/',
    '//chunk-abc.js',
    '/assets//main.js',
    '/assets/',
    '/link.txt',
    '/relative.txt',
    '/neighbour.txt',
    '/env.txt',
    '/broken.txt',
    '/loop.txt',
    '/linked/secret.txt',
    '/linked/shell/dist/chunk-abc.js/../../../secret.txt',
    '/package.json',
    `/${'a'.repeat(300)}`,
    '/%ff',
    '/%',
  ]) {
    const { status, text } = await client.send('GET', path)
    assert.ok(status === 404 || status === 400, `${path} ${status}`)
    assert.doesNotMatch(text, /secret|SECRET|of the shell/, path)
  }
})

test('links inside of the build are followed, and so is a directory that is a link', async (t) => {
  const folder = createFolder(t, shellFiles)
  symlinkSync(join(folder, 'shell'), join(folder, 'current'))
  symlinkSync('assets/main.js', join(folder, 'shell/dist/alias.js'))
  const { client } = await startShell(t, { dir: join(folder, 'current') })
  assert.match((await client.send('GET', '/alias.js')).text, /of the shell/)
  assert.match((await client.send('GET', '/assets/main.js')).text, /of the shell/)
  // The next version is put in place by changing the link.
  writeFiles(folder, { 'next/dist/index.html': '<head></head>next', 'next/dist/assets/main.js': 'next' })
  symlinkSync(join(folder, 'next'), join(folder, 'new-link'))
  renameSync(join(folder, 'new-link'), join(folder, 'current'))
  assert.equal((await client.send('GET', '/assets/main.js')).text, 'next')
  assert.equal((await client.send('GET', '/x', document)).text, '<head><base href="/"></head>next')
  assert.equal((await client.send('GET', '/chunk-abc.js')).text, nothing)
})

test('no path leads out of the folder', async (t) => {
  const folder = createFolder(t, { 'root/a/b.txt': 'b', 'root/.hidden': 'h', 'outside.txt': 'o' })
  const pieces = fc.constantFrom(
    'a',
    'b.txt',
    '..',
    '.',
    '/',
    '\\',
    '%2e',
    '%2f',
    '%5c',
    '%00',
    '.hidden',
    'outside.txt',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 8 }), async (parts) => {
      const place = await findFile(join(folder, 'root'), `/${parts.join('')}`)
      if (place !== undefined) assert.deepEqual(place, ['a', 'b.txt'])
    }),
    { numRuns: 500 },
  )
  assert.deepEqual(await findFile(join(folder, 'root'), '/a/b.txt'), ['a', 'b.txt'])
})

test('files have the type of their name, and are nothing else', async (t) => {
  const names = [
    'a.js',
    'a.mjs',
    'a.css',
    'a.svg',
    'a.json',
    'a.wasm',
    'a.woff2',
    'a.html',
    'ä b?.txt',
    'a',
    'a.unknown',
  ]
  const files = Object.fromEntries(names.map((name) => [`shell/dist/files/${name}`, 'x']))
  const { client } = await startShell(t, { files: { ...shellFiles, ...files } })
  const types: (string | undefined)[] = []
  for (const name of names) {
    const { headers, text } = await client.send('GET', `/files/${encodeURIComponent(name)}`)
    assert.equal(text, 'x', name)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    types.push(headers['content-type'])
  }
  assert.deepEqual(types, [
    'application/javascript; charset=utf-8',
    'application/javascript; charset=utf-8',
    'text/css; charset=utf-8',
    'image/svg+xml',
    'application/json; charset=utf-8',
    'application/wasm',
    'font/woff2',
    'text/html; charset=utf-8',
    'text/plain; charset=utf-8',
    'application/octet-stream',
    'application/octet-stream',
  ])
})

test('a file is sent again only when it has changed, and in parts', async (t) => {
  const { client } = await startShell(t, {
    files: { ...shellFiles, 'shell/dist/digits.txt': '0123456789', 'shell/dist/empty.txt': '' },
  })
  const ask = (headers: Record<string, string>, method = 'GET') =>
    client.send(method, '/digits.txt', { headers })
  const { headers } = await ask({})
  assert.equal(headers['accept-ranges'], 'bytes')
  const etag = String(headers.etag)
  const fresh = await ask({ 'if-none-match': etag })
  assert.equal(fresh.status, 304)
  assert.equal(fresh.text, '')
  assert.equal(fresh.headers.etag, etag)
  assert.equal((await ask({ 'if-none-match': etag }, 'HEAD')).status, 304)
  assert.equal((await ask({ 'if-none-match': '"other"' })).status, 200)
  assert.equal((await ask({ 'if-modified-since': String(headers['last-modified']) })).status, 304)
  const part = await ask({ range: 'bytes=2-4' })
  assert.deepEqual([part.status, part.text, part.headers['content-range']], [206, '234', 'bytes 2-4/10'])
  const outside = await ask({ range: 'bytes=20-30' })
  assert.deepEqual([outside.status, outside.headers['content-range']], [416, 'bytes */10'])
  assert.equal(outside.json().code, 'SHELL_RANGE_NOT_SATISFIABLE')
  const changed = await ask({ 'if-match': '"other"' })
  assert.deepEqual([changed.status, changed.json().code], [412, 'SHELL_PRECONDITION_FAILED'])
  const empty = await client.send('GET', '/empty.txt')
  assert.deepEqual([empty.status, empty.text, empty.headers['content-length']], [200, '', '0'])
})

test('the page follows its file, keeps its version while it stands, and stays while the file is away', async (t) => {
  const { client, folder, log } = await startShell(t)
  const file = join(folder, 'shell/dist/index.html')
  const ask = (headers: Record<string, string> = {}) =>
    client.send('GET', '/x', { headers: { 'sec-fetch-dest': 'document', ...headers } })
  const first = await ask()
  const etag = String(first.headers.etag)
  const known = await ask({ 'if-none-match': `"x", W/${etag}` })
  assert.deepEqual([known.status, known.text, known.headers['cache-control']], [304, '', 'no-cache'])
  writeFileSync(file, '<head></head>second')
  assert.equal((await ask({ 'if-none-match': etag })).text, '<head><base href="/"></head>second')
  // As long, but later.
  writeFileSync(file, '<head></head>third!')
  utimesSync(file, new Date(), new Date(Date.now() + 5000))
  assert.equal((await ask()).text, '<head><base href="/"></head>third!')
  rmSync(file)
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask()))
  assert.ok(answers.every(({ status, text }) => status === 200 && text.includes('third!')))
  assert.equal(log.lines.filter((line) => line.startsWith('warn')).length, 1, log.lines.join('\n'))
  writeFileSync(file, `<head></head>${'x'.repeat(shellLimits.pageBytesMax)}`)
  assert.match((await ask()).text, /third!/)
  assert.match(log.lines.at(-2) ?? '', /SHELL|limit is/)
  writeFileSync(file, '<head></head>fourth')
  assert.match((await ask()).text, /fourth/)
})
