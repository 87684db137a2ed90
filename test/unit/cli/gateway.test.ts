import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { exitCodes } from '../../../cli/exit-codes.js'
import { type CliRunOptions, runCommand } from '../../helpers/cli-run.js'
import { plugin, type TestHost, useHost } from '../../helpers/create-host.js'
import { until } from '../../helpers/until.js'

const directory = mkdtempSync(join(tmpdir(), 'modulacms-cli-gateway-'))
mkdirSync(join(directory, 'shell'))
writeFileSync(join(directory, 'shell', 'index.html'), '<!doctype html><title>shell</title>')
after(() => rmSync(directory, { recursive: true, force: true }))

const full = useHost({
  plugins: {
    'edge/init.lua': plugin(
      'edge',
      'gateway.on_request(function() end, { name = "look", paths = { "/x/**" }, fail = "open" })',
    ),
  },
  config: {
    'gateway.rateLimit.requests': 5,
    'gateway.rateLimit.window': '1h',
    'gateway.rateLimit.keyBy': 'tenant',
    'gateway.shellDir': join(directory, 'shell'),
    'gateway.cache.enabled': true,
    'gateway.cors.origin': 'https://app.example.com',
    'gateway.proxy.rules': [{ pattern: '^/fixed', target: 'http://127.0.0.1:1' }],
  },
})
const bare = useHost({ plugins: {} })

function run(words: readonly string[], server: TestHost = full(), options: Partial<CliRunOptions> = {}) {
  return runCommand(['gateway', ...words], {
    workingDirectory: directory,
    environment: { MODULACMS_URL: server.url, MODULACMS_ADMIN_TOKEN: server.host.adminToken.token },
    ...options,
  })
}

async function json<T>(words: readonly string[], server?: TestHost): Promise<T> {
  const { exitCode, out, err } = await run([...words, '--json'], server)
  assert.deepEqual([exitCode, err], [0, ''], words.join(' '))
  return JSON.parse(out) as T
}

test('status shows which parts are on, and a bare server has none', async () => {
  await full().send('GET', '/nothing', { headers: { 'x-tenant-id': 'status' } })
  const { exitCode, out } = await run(['status'])
  assert.equal(exitCode, 0)
  assert.match(out, /^rate limit: +5 in 1h by tenant; \d+ counted, \d+ refused, \d+ buckets?$/m)
  assert.match(out, /^other origins: 1 rule$/m)
  assert.match(out, /^shell: +.*shell, 1 exclude$/m)
  assert.match(out, /^cache: +\d+ answers with \d+ bytes; \d+ hits, \d+ misses$/m)
  assert.equal((await json<{ proxy: { rulesCount: number } }>(['status'])).proxy.rulesCount, 1)
  const off = (await run(['status'], bare())).out
  for (const line of [
    'rate limit:    off',
    'other origins: no rule',
    'proxy:         0 rules',
    'cache:         off',
  ])
    assert.ok(off.includes(`${line}\n`), off)
})

test('the stages are listed in their order, those of plugins with what they are for', async () => {
  const { out } = await run(['pipeline'])
  const names = out.split('\n').map((line) => line.split(' ')[0])
  assert.deepEqual(names.slice(0, 3), ['STAGE', 'metrics', 'proxy'])
  assert.ok(names.indexOf('rate-limit') < names.indexOf('plugin:edge/look'))
  assert.match(out, /plugin:edge\/look .*paths=\/x\/\*\* methods=all fail=open timeout_ms=250 breaker=closed/)
  const listed = await json<{ name: string }[]>(['pipeline'])
  assert.ok(listed.some(({ name }) => name === 'plugin:edge/look'))
})

test('requests are listed by what is asked for, with what they have in their paths made harmless', async () => {
  const server = bare()
  await server.send('GET', '/seen/%1b%5b2J')
  await server.send('GET', '/health')
  await until('both are in the log', async () => {
    const seen = await json<{ path: string }[]>(['logs', '--limit', '100'], server)
    return seen.some(({ path }) => path === '/health') && seen.some(({ path }) => path.startsWith('/seen'))
  })
  const { out } = await run(['logs', '--status-range', '4', '--path', '/seen'], server)
  const [heading, ...rows] = out.trimEnd().split('\n')
  assert.match(heading ?? '', /^TIME +STATUS +MS +CLIENT +METHOD +PATH$/)
  assert.equal(rows.length, 1)
  assert.match(rows[0] ?? '', / 404 .* GET +\/seen\//)
  assert.ok(!out.includes('\u001b'))
  assert.deepEqual(await json(['logs', '--ip', '192.0.2.1'], server), [])
  const none = await run(['logs', '--rate-limited'], server)
  assert.deepEqual([none.exitCode, none.out], [0, ''])
  assert.match(none.err, /no such request/)
})

test('a client that is out of requests is shown, and gets them back', async () => {
  const server = full()
  const headers = { 'x-tenant-id': 'a/b %' }
  for (let count = 0; count < 6; count += 1) await server.send('GET', '/nothing', { headers })
  assert.equal((await server.send('GET', '/nothing', { headers })).status, 429)
  const { out } = await run(['limits', 'list', '--limit', '1'])
  assert.match(out, /^CLIENT +TOKENS +RETRY AFTER +LAST REQUEST\ntenant:a\/b % +0\.\d +\d+ s +20/)
  const reset = await run(['limits', 'reset', 'tenant:a/b %'])
  assert.equal(reset.out, 'ok: tenant:a/b % has all its requests again\n')
  assert.equal((await server.send('GET', '/nothing', { headers })).status, 404)
  assert.match((await run(['limits', 'reset', 'tenant:none'])).out, /^ok: nothing to do/)
  assert.equal((await run(['limits', 'clear'])).exitCode, exitCodes.usage)
  assert.equal((await run(['limits', 'clear'], server, { answers: ['n'] })).exitCode, exitCodes.failure)
  assert.ok((await json<unknown[]>(['limits', 'list'])).length > 0, 'a no changes nothing')
  await json(['limits', 'clear', '--yes'])
  assert.deepEqual(await json(['limits', 'list']), [])
})

test('names are taken from the shell and given back; those of the configuration are not', async () => {
  assert.equal((await run(['excludes', 'add', 'admin'])).out, 'ok: admin is shown without the shell\n')
  assert.match((await run(['excludes', 'add', 'admin'])).out, /^ok: nothing to do/)
  const { out } = await run(['excludes', 'list'])
  assert.match(out, /^cpanel +configuration$/m)
  assert.match(out, /^admin +database +20/m)
  assert.deepEqual(await json(['excludes', 'remove', 'admin']), { removed: true, basename: 'admin' })
  assert.deepEqual(await json(['excludes', 'remove', 'admin']), { removed: false, basename: 'admin' })
  assert.equal((await run(['excludes', 'remove', 'cpanel'])).exitCode, exitCodes.failure)
  const bad = await run(['excludes', 'add', 'a b'])
  assert.equal(bad.exitCode, exitCodes.failure)
  assert.match(bad.err, /letters, digits/)
})

test('rules for other origins are added and removed', async () => {
  const words = ['cors', 'add', 'https://a.example', '*.b.example', '--name', 'both', '--credentials']
  const added = await json<{ id: string }>([...words, '--method', 'GET', 'POST', '--max-age', '9'])
  const [rule] = (await json<{ id: string }[]>(['cors', 'list'])).filter(({ id }) => id === added.id)
  const { id } = added
  const { createdAt, ...kept } = rule as unknown as Record<string, unknown>
  assert.deepEqual(kept, {
    id,
    name: 'both',
    origins: ['https://a.example', '*.b.example'],
    methods: ['GET', 'POST'],
    allowedHeaders: [],
    exposedHeaders: [],
    credentials: true,
    maxAge: 9,
    source: 'database',
  })
  assert.equal(typeof createdAt, 'number')
  assert.match((await run(['cors', 'list'])).out, /both +https:\/\/a\.example,\*\.b\.example +GET,POST +yes/)
  const wild = await run(['cors', 'add', '*', '--credentials'])
  assert.equal(wild.exitCode, exitCodes.failure)
  assert.match(wild.err, /name the origins/)
  assert.equal((await run(['cors', 'remove', id])).exitCode, 0)
  assert.equal((await run(['cors', 'remove', id])).exitCode, exitCodes.notFound)
  assert.notEqual((await run(['cors', 'remove', 'config'])).exitCode, 0)
})

test('a rule of the proxy sends requests, is turned off, and removed; one of the configuration stays', async (t) => {
  const upstream = createServer((request, response) => response.end(`at ${request.url}`))
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  t.after(() => upstream.close())
  const target = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  const server = bare()
  const words = ['proxy', 'add', '^/shop/(.*)$', target, '--rewrite', '/s/$1', '--name', 'shop']
  const { id } = await json<{ id: string }>(words, server)
  assert.equal((await server.send('GET', '/shop/a?b')).text, 'at /s/a?b')
  assert.equal((await run(['proxy', 'toggle', id], server)).out, `ok: the rule ${id} is off\n`)
  assert.equal((await server.send('GET', '/shop/a')).status, 404)
  assert.match(
    (await run(['proxy', 'list'], server)).out,
    new RegExp(`^${id} +off +\\^/shop/.* /s/\\$1 +shop$`, 'm'),
  )
  assert.equal((await run(['proxy', 'remove', id], server)).exitCode, 0)
  assert.equal((await run(['proxy', 'remove', id], server)).exitCode, exitCodes.notFound)
  const fixed = await run(['proxy', 'remove', 'static-0'])
  assert.equal(fixed.exitCode, exitCodes.failure)
  assert.match(fixed.err, /gateway\.proxy\.rules of the configuration/)
  const costly = await run(['proxy', 'add', '^/(a+)+$', target], server)
  assert.match(costly.err, /can take forever/)
  assert.deepEqual(await json(['proxy', 'list'], server), [])
})

test('answers are taken out of the cache, by one choice at a time', async () => {
  assert.equal((await run(['cache', 'clear'])).out, 'ok: the cache is empty\n')
  assert.deepEqual(await json(['cache', 'clear', '--pattern', '/news/*']), { invalidated: 0 })
  assert.deepEqual(await json(['cache', 'clear', '--key', '/news']), { invalidated: 0 })
  const both = await run(['cache', 'clear', '--key', '/news', '--tag', 'news'])
  assert.equal(both.exitCode, exitCodes.usage)
})

test('a part that is off says how it is turned on', async () => {
  for (const [words, key] of [
    [['limits', 'list'], 'gateway.rateLimit'],
    [['excludes', 'list'], 'gateway.shellDir'],
    [['cache', 'clear'], 'gateway.cache.enabled'],
  ] as const) {
    const { exitCode, out, err } = await run(words, bare())
    assert.deepEqual([exitCode, out], [exitCodes.failure, ''])
    assert.ok(err.includes(`set ${key} in the configuration`), err)
  }
})

test('a wrong token, no server and wrong words have exit codes of their own', async () => {
  const commands = [
    'status',
    'pipeline',
    'logs',
    'limits list',
    'excludes list',
    'cors list',
    'proxy list',
    'cache clear',
  ]
  for (const command of commands) {
    const words = command.split(' ')
    const refused = await run([...words, '--token', 'wrong', '--json'], bare())
    assert.deepEqual([refused.exitCode, refused.out], [exitCodes.unauthorized, ''], command)
    assert.equal(JSON.parse(refused.err).error.code, 'UNAUTHORIZED')
    assert.equal((await run([...words, '--url', 'http://127.0.0.1:1'])).exitCode, exitCodes.serverNotRunning)
  }
  for (const words of [
    ['logs', '--limit', '0'],
    ['logs', '--status-range', '4xx'],
    ['logs', 'more'],
    ['limits', 'list', '--sort', 'name'],
    ['limits', 'reset'],
    ['cors', 'add'],
    ['cors', 'add', '*', '--max-age', 'long'],
    ['proxy', 'add', '^/x'],
    ['nothing'],
  ]) {
    const { exitCode, out } = await run(words)
    assert.deepEqual([exitCode, out], [exitCodes.usage, ''], words.join(' '))
  }
})
