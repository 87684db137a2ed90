import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { type AuthMatch, type AuthStatus, createClient } from '../../sdk/client/index.js'
import { checkConfig } from '../../src/config-check.js'
import { runCommand } from '../helpers/cli-run.js'
import { openHost, plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'

const workers = plugin(
  'workers',
  `auth.authenticator("worker_token", function() end, { bearer = "wt_" })
auth.authorizer("day_shift", function() return true end)
http.handle("GET", "/me", function() return { json = {} } end)`,
)

const jwt = {
  type: 'jwt',
  issuer: 'https://issuer.example',
  audience: 'app',
  secret: 'a-secret-of-at-least-thirty-two-characters',
}

const settings = {
  'auth.authenticators': { jwt },
  'auth.http.authenticators': ['jwt'],
  'auth.http.rules': [
    { paths: ['/health', '/public/*'], authenticators: [] },
    { paths: ['/work/**'], methods: ['POST'], authenticators: ['worker-token'], authorizer: 'day_shift' },
    { paths: ['/Reports/**'], authenticators: ['jwt'], roles: ['analyst'], tenant: 'header:x-tenant' },
    { paths: ['/public/a'], authenticators: ['jwt'] },
  ],
}

const folder = mkdtempSync(join(tmpdir(), 'modulacms-auth-status-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const clientOf = (server: TestHost) => createClient({ url: server.url, token: server.host.adminToken.token })

async function cli(server: TestHost, ...words: readonly string[]): Promise<string> {
  const { exitCode, out, err } = await runCommand(['auth', ...words], {
    workingDirectory: folder,
    environment: { MODULACMS_URL: server.url, MODULACMS_ADMIN_TOKEN: server.host.adminToken.token },
  })
  assert.deepEqual([exitCode, err], [0, ''])
  return out
}

describe('what operators see of who may do what', () => {
  const server = useHost({ plugins: { 'workers/init.lua': workers }, config: settings })
  const match = (method: string, path: string) => clientOf(server()).auth.match(method, path)

  it('has the rules in their order, whom they name and what leaves them no request', async () => {
    const status = await clientOf(server()).auth.status()
    assert.equal(status.enabled, true)
    assert.deepEqual(status.rules[1], {
      at: 1,
      paths: ['/work/**'],
      methods: ['POST'],
      authenticators: ['worker_token'],
      authorizers: ['day_shift'],
      public: false,
      strangers: 'refuse',
      shadowed_by: [],
    })
    const { roles, tenant, authorizers } = status.rules[2] ?? assert.fail()
    assert.deepEqual([roles, tenant, authorizers], [['analyst'], 'header:x-tenant', ['roles']])
    assert.deepEqual(
      status.rules.map((rule) => [rule.public, rule.shadowed_by]),
      [
        [true, []],
        [false, []],
        [false, []],
        [false, [0]],
      ],
    )
    assert.deepEqual([status.default.authenticators, status.default.strangers], [['jwt'], 'refuse'])
    assert.deepEqual(
      [status.operations.authenticators, status.operations.strangers],
      [['admin_token', 'jwt'], 'pass'],
    )
    const worker = status.authenticators.find(({ name }) => name === 'worker_token')
    assert.deepEqual(worker, { name: 'worker_token', type: 'plugin', plugin: 'workers', state: 'ready' })
    assert.deepEqual(status.warnings, [
      'auth.http.rules[3] holds for no request: all of its paths come to auth.http.rules[0]',
    ])
  })

  it('says nothing of what is secret', async () => {
    const { text } = await server().send('GET', '/api/v1/admin/auth', { headers: server().credentials })
    assert.ok(!text.includes(jwt.secret) && !text.includes(server().host.adminToken.token))
  })

  it('takes a permission', async () => {
    for (const [method, path] of [
      ['GET', '/api/v1/admin/auth'],
      ['POST', '/api/v1/admin/auth/match'],
    ] as const) {
      const refused = await server().send(method, path, { json: { path: '/' } })
      assert.equal(refused.status, 401)
      assert.ok(!refused.text.includes('worker'), 'no part of it either')
    }
  })

  it('tells which rule holds for a request, and who would be asked', async () => {
    const found = async (method: string, path: string) => {
      const { by, rule } = await match(method, path)
      return [by, rule]
    }
    assert.deepEqual(await found('GET', '/public/a?x=1'), ['rule', 0])
    assert.deepEqual(await found('post', '/work/1'), ['rule', 1])
    assert.deepEqual(await found('GET', '/work/1'), ['default', undefined])
    assert.deepEqual(await found('GET', '/api/v1/admin/plugins'), ['operations', undefined])
    assert.deepEqual(await found('GET', '/a/../b'), ['refused', undefined])
    assert.deepEqual(await found('GET', '/%52eports/x'), ['rule', 2], 'as the router reads it')
    const { access, path } = await match('POST', '/work/1')
    assert.equal(path, '/work/1')
    assert.deepEqual([access?.authenticators, access?.authorizers], [['worker_token'], ['day_shift']])
    const unclear = await match('GET', '/reports//1')
    assert.deepEqual([unclear.by, unclear.access], ['unclear', undefined])
    assert.deepEqual(unclear.readings, [
      { as: 'sent', path: '/reports//1' },
      { as: 'simplified', path: '/reports/1' },
      { as: 'any-case', path: '/reports/1', rule: 2 },
    ])
  })

  it('says of each request what the server does with it', async () => {
    const cases = [
      '/public/a',
      '/public/a/b',
      '/work/1',
      '/reports/1',
      '/Reports/1',
      '/health',
      '/x/%2e%2e/y',
      '/a\\b',
    ]
    for (const path of cases) {
      const { by, access } = await match('GET', path)
      const { status } = await server().send('GET', path)
      if (by === 'unclear' || by === 'refused') assert.equal(status, 400, path)
      else assert.equal(status === 401, access?.strangers === 'refuse', `${path} answers ${status}`)
    }
  })

  it('refuses what is no request', async () => {
    for (const json of [{}, { path: 'x' }, { path: '/', method: 'G T' }, { path: '/', more: 1 }]) {
      const answer = await server().send('POST', '/api/v1/admin/auth/match', {
        headers: server().credentials,
        json,
      })
      assert.deepEqual([answer.status, answer.code], [400, 'INVALID_REQUEST'], JSON.stringify(json))
    }
  })

  it('can be read in a terminal', async () => {
    const status = await cli(server(), 'status')
    assert.match(status, /^0 +all +\/health \/public\/\* +nobody: public$/m)
    assert.match(status, /^1 +POST +\/work\/\*\* +worker_token +day_shift$/m)
    assert.match(status, /^2 +all +\/Reports\/\*\* +jwt +role analyst; tenant from header:x-tenant$/m)
    assert.match(status, /^3 .* never: behind rule 0$/m)
    assert.match(status, /^default +all +all others +jwt$/m)
    assert.match(status, /worker_token \(plugin workers\)/)
    assert.match(status, /^warning: auth\.http\.rules\[3\] holds for no request/m)
    const one = await cli(server(), 'match', '/work/1', '--method', 'POST')
    assert.match(one, /decided by: auth\.http\.rules\[1\]\n +asks: +worker_token\n +then: +day_shift\n/)
    assert.equal(await cli(server(), 'match', 'POST', '/work/1'), one)
    assert.match(
      await cli(server(), 'match', '/reports/x'),
      /read as \/reports\/x \(any-case\): auth\.http\.rules\[2\]/,
    )
    assert.equal((JSON.parse(await cli(server(), 'match', '/health', '--json')) as AuthMatch).rule, 0)
    assert.equal((JSON.parse(await cli(server(), 'status', '--json')) as AuthStatus).rules.length, 4)
  })

  it('is one line of the log at the start, and one for each warning', () => {
    const said = server().lines.filter(({ msg }) => msg.startsWith('who may do what'))
    assert.deepEqual(
      said.map(({ level, msg }) => [level, msg]),
      [
        [
          'info',
          'who may do what: 4 rules with 2 public paths; everything else asks jwt, and refuses strangers',
        ],
      ],
    )
    const warned = server().lines.filter(
      ({ level, msg }) => level === 'warn' && msg.startsWith('auth.http.rules'),
    )
    assert.equal(warned.length, 1)
  })
})

describe('names that nobody has', () => {
  const rules = [
    { paths: ['/a'], authenticators: ['worker-tokn'], authorizer: 'day_shfit' },
    { paths: ['/b'], authenticators: ['session', 'worker-token'], authorizer: 'adminonly' },
  ]
  const directory = join(folder, 'plugins')
  const check = (files: Readonly<Record<string, string>>, more: Readonly<Record<string, unknown>> = {}) => {
    rmSync(directory, { recursive: true, force: true })
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(directory, name), { recursive: true })
      writeFileSync(join(directory, name, 'init.lua'), text)
    }
    const flags = { plugin_enabled: true, plugin_directory: directory, 'auth.http.rules': rules, ...more }
    return checkConfig({ environment: {}, flags })
  }
  const wrong = [
    /rules\[0\]\.authenticators names "worker-tokn", which is nobody: did you mean worker_token\?/,
    /rules\[0\]\.authorizers names "day_shfit", which is nobody: did you mean day_shift\?/,
    /rules\[1\]\.authorizers names "adminonly", which is nobody: did you mean admin_only\?/,
  ]

  it('are all named by a check and by a start, with what was meant', async () => {
    const { problems, warnings } = await check({ workers })
    assert.deepEqual([problems.length, warnings], [3, []])
    for (const [at, pattern] of wrong.entries()) assert.match(problems[at]?.rule ?? '', pattern)
    await assert.rejects(
      openHost({
        plugins: { 'workers/init.lua': workers },
        config: { 'auth.http.rules': rules.slice(0, 1) },
      }),
      (error: Error & { code?: string }) =>
        error.code === 'AUTH_SETTINGS_INVALID' && wrong.slice(0, 2).every((each) => each.test(error.message)),
    )
  })

  it('are only warned of where a plugin cannot be asked for its own', async () => {
    const { problems, warnings } = await check({ workers, broken: 'error("no")' })
    assert.deepEqual(problems, [])
    for (const pattern of wrong) assert.ok(warnings.some((each) => pattern.test(each)))
  })

  it('are those of plugins that the configuration takes out, too', async () => {
    const only = { 'auth.http.rules': [{ paths: ['/b'], authenticators: ['worker_token'] }] }
    assert.deepEqual((await check({ workers }, only)).problems, [])
    const off = await check({}, { ...only, plugin_enabled: false })
    assert.match(off.problems[0]?.rule ?? '', /"worker_token", which is nobody/)
  })
})

describe('what operators see of authenticators that are not asked', () => {
  const held = async (server: TestHost) => {
    const client = clientOf(server)
    const { authenticators, warnings } = await client.auth.status()
    const { state, reason } = authenticators.find(({ name }) => name === 'worker_token') ?? assert.fail()
    return { state, reason, warnings, match: await client.auth.match('POST', '/work/1') }
  }

  it('is why not', async (t) => {
    const server = await startHost(t, {
      plugins: { 'workers/init.lua': workers },
      config: settings,
      approve: false,
    })
    const waiting = await held(server)
    assert.deepEqual([waiting.state, waiting.reason], ['held', 'it waits for approval (plugin workers)'])
    assert.deepEqual(waiting.match.held, ['worker_token', 'day_shift'])
    assert.ok(waiting.warnings.some((each) => each.includes('the authenticator worker_token is not asked')))
    await server.approveAll()
    assert.deepEqual([(await held(server)).state, (await held(server)).match.held], ['ready', []])
    await server.admin('POST', '/workers/disable')
    const stopped = await held(server)
    assert.deepEqual([stopped.state, stopped.reason], ['held', 'its plugin workers does not run'])
    assert.equal(
      (await server.send('POST', '/work/1', { headers: { authorization: 'Bearer wt_1' } })).status,
      503,
    )
    assert.match(
      await cli(server, 'match', '/work/1', '--method', 'POST'),
      /not ready: +worker_token, day_shift/,
    )
    await server.write({ 'workers/init.lua': 'error("broken")' })
    await server.restart({ approve: false })
    assert.equal((await held(server)).state, 'held', 'a plugin that cannot be loaded')
  })

  it('is who has no key to the administration', async (t) => {
    const server = await startHost(t, {
      plugins: {},
      config: {
        'auth.authenticators': { jwt },
        'auth.http.rules': [{ paths: ['/api/v1/admin/**'], authenticators: ['jwt'] }],
      },
    })
    assert.ok(
      server.lines.some(
        ({ level, msg }) => level === 'warn' && /rules\[0\] .* does not list admin_token/.test(msg),
      ),
    )
  })

  it('is everybody where finding out is turned off', async (t) => {
    const server = await startHost(t, {
      plugins: {},
      config: { ...settings, 'auth.http.rules': [], 'auth.enabled': false },
    })
    const status = await clientOf(server).auth.status()
    assert.deepEqual([status.enabled, status.default.public], [false, true])
    assert.match(status.warnings.join(), /auth\.enabled is false/)
    assert.ok(
      server.lines.some(({ level, msg }) => level === 'warn' && msg.startsWith('auth.enabled is false')),
    )
  })
})
