import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { exitCodes } from '../../../cli/exit-codes.js'
import { type AdminServer, createAdminServer } from '../../helpers/admin-server.js'
import { type CliRunOptions, runCommand } from '../../helpers/cli-run.js'
import { grantListing, pluginDetails, routeListing } from '../../helpers/fake-administration.js'

let server: AdminServer
let url: string

before(async () => {
  server = await createAdminServer()
  url = await server.app.listen({ port: 0, host: '127.0.0.1' })
})

after(async () => {
  await server.app.close()
})

beforeEach(() => {
  const { administration } = server
  administration.done.length = 0
  administration.plugins.clear()
  administration.plugins.set('notes', pluginDetails('notes'))
  administration.routeList = [routeListing('notes', 'GET', '/notes', { public: true })]
  administration.grantList = [
    grantListing('notes', 'hook', 'before_create:content_data'),
    grantListing('notes', 'hook', 'after_create:*', { approved: true }),
    grantListing('notes', 'domain', 'api.example.com', { description: 'mail\u001b[2K' }),
    grantListing('notes', 'core', 'content_data:read', { description: 'reads rows' }),
    grantListing('notes', 'core', 'content_data:write', { approved: true }),
    grantListing('notes', 'kv', 'config:read'),
    grantListing('notes', 'kv', 'orders:read', { approved: true }),
    grantListing('notes', 'kv', 'orders:write'),
    grantListing('notes', 'stage', 'request /admin', { description: 'guards' }),
    grantListing('notes', 'gateway', 'log:read', { description: 'reads who sent what' }),
    grantListing('notes', 'gateway', 'shell:write', { approved: true }),
    grantListing('other', 'domain', 'api.example.com'),
  ]
  administration.dropped = []
})

const run = (words: readonly string[], options: Partial<CliRunOptions> = {}) =>
  runCommand(['plugin', ...words], {
    workingDirectory: '/nonexistent',
    environment: { MODULACMS_URL: url, MODULACMS_ADMIN_TOKEN: 'right-token' },
    ...options,
  })

test('approve combines selectors of all kinds behind one question', async () => {
  const words = ['approve', 'notes', '--route', 'GET /notes', '--all-hooks', '--domain', 'API.example.com']
  const { exitCode, questions, out, err } = await run([...words, '--core', 'content_data:read'], {
    answers: ['y'],
  })
  assert.equal(exitCode, 0)
  assert.deepEqual(questions, ['Approve these 1 route, 1 hook, 1 domain, 1 core access? [y/N] '])
  assert.deepEqual(server.administration.done, [
    'approve notes GET /notes by root',
    'approve notes hook before_create:content_data by root',
    'approve notes domain api.example.com by root',
    'approve notes core content_data:read by root',
  ])
  assert.equal(
    out,
    `approved: GET ${url}/api/v1/plugins/notes/notes\napproved: hook before_create:content_data\n` +
      'approved: domain api.example.com\napproved: core content_data:read\n',
  )
  assert.ok(err.includes('domain api.example.com  (the plugin says: mail\\u001b[2K)'), err)
  assert.ok(!err.includes('\u001b'))
})

test('--all approves all that waits of this plugin, and revoke --all takes all away', async () => {
  const { exitCode, out } = await run(['approve', 'notes', '--all', '--yes', '--json'])
  assert.equal(exitCode, 0)
  assert.deepEqual(JSON.parse(out).approved, [
    { kind: 'route', method: 'GET', path: '/notes', public: true },
    { kind: 'hook', event: 'before_create', table: 'content_data' },
    { kind: 'domain', domain: 'api.example.com' },
    { kind: 'core', table: 'content_data', access: 'read' },
    { kind: 'kv', namespace: 'config', access: 'read' },
    { kind: 'kv', namespace: 'orders', access: 'write' },
    { kind: 'stage', stage: 'request /admin' },
    { kind: 'gateway', access: 'log:read' },
  ])
  assert.match((await run(['approve', 'notes', '--all', '--yes'])).out, /nothing to do/)
  const revoked = await run(['revoke', 'notes', '--all', '--yes', '--json'])
  assert.equal(JSON.parse(revoked.out).revoked.length, 12)
  const left = server.administration.grantList.filter(({ approved }) => approved)
  assert.deepEqual(left, [])
})

test('each --all-KIND takes its kind and no other', async () => {
  for (const [flag, wanted] of [
    ['--all-routes', ['GET /notes']],
    ['--all-hooks', ['hook before_create:content_data']],
    ['--all-domains', ['domain api.example.com']],
    ['--all-core', ['core content_data:read']],
    ['--all-kv', ['kv config:read', 'kv orders:write']],
    ['--all-stages', ['stage request /admin']],
    ['--all-gateway', ['gateway log:read']],
  ] as const) {
    server.administration.done.length = 0
    assert.equal((await run(['approve', 'notes', flag, '--yes'])).exitCode, 0)
    const expected = wanted.map((item) => `approve notes ${item} by root`)
    assert.deepEqual(server.administration.done, expected)
  }
})

test('--kv names one access of a shared namespace, or all that the plugin asks for of it', async () => {
  for (const [named, wanted] of [
    ['shared:config', ['kv config:read']],
    ['orders:write', ['kv orders:write']],
  ] as const) {
    server.administration.done.length = 0
    assert.equal((await run(['approve', 'notes', '--kv', named, '--yes'])).exitCode, 0)
    assert.deepEqual(
      server.administration.done,
      wanted.map((item) => `approve notes ${item} by root`),
    )
  }
  assert.equal((await run(['revoke', 'notes', '--kv', 'orders', '--yes'])).exitCode, 0)
  const left = server.administration.grantList.filter(({ kind, approved }) => kind === 'kv' && approved)
  assert.deepEqual(
    left.map(({ key }) => key),
    ['config:read'],
  )
  assert.equal((await run(['approve', 'notes', '--kv', 'conf', '--yes'])).exitCode, exitCodes.notFound)
  assert.equal(
    (await run(['approve', 'notes', '--kv', 'config:write', '--yes'])).exitCode,
    exitCodes.notFound,
  )
})

test('--stage and --gateway name what they mean exactly', async () => {
  const words = ['notes', '--stage', 'request /admin', '--gateway', 'log:read', '--yes']
  assert.equal((await run(['approve', ...words])).exitCode, 0)
  assert.deepEqual(server.administration.done, [
    'approve notes stage request /admin by root',
    'approve notes gateway log:read by root',
  ])
  assert.equal((await run(['revoke', ...words])).exitCode, 0)
  for (const [option, key] of [
    ['--stage', 'request'],
    ['--gateway', 'stats:read'],
  ] as const) {
    const { exitCode, err } = await run(['approve', 'notes', option, key, '--yes'])
    assert.equal(exitCode, exitCodes.notFound)
    assert.match(err, /has no (stage|gateway access) .*; it has/)
  }
})

test('one that the plugin does not ask for is named, and nothing of the selection is approved', async () => {
  const words = ['approve', 'notes', '--all-routes', '--hook', 'before_delete:x', '--domain', 'evil.example']
  const { exitCode, err } = await run([...words, '--yes'])
  assert.equal(exitCode, exitCodes.notFound)
  assert.match(err, /has no hook before_delete:x; it has before_create:content_data/)
  assert.match(err, /has no domain evil\.example/)
  assert.deepEqual(server.administration.done, [])
})

test('what does not look like a selector is a usage error', async () => {
  for (const words of [
    ['--hook', 'before_create'],
    ['--domain', 'https://api.example.com'],
    ['--core', 'content_data'],
    ['--core', 'content_data:all'],
    ['--kv', 'Config'],
    ['--kv', 'config:all'],
    ['--stage', ' '],
    ['--gateway', 'log'],
    ['--gateway', 'everything'],
    [],
  ]) {
    assert.equal((await run(['approve', 'notes', '--yes', ...words])).exitCode, exitCodes.usage)
  }
  assert.deepEqual(server.administration.done, [])
})

test('without --yes and without a terminal no kind is approved or revoked', async () => {
  for (const verb of ['approve', 'revoke']) {
    assert.equal((await run([verb, 'notes', '--all'])).exitCode, exitCodes.usage)
  }
  assert.deepEqual(server.administration.done, [])
})

test('what was looked at is what is approved: another source in the meantime is refused', async () => {
  const { administration } = server
  const answer = fetch
  const { exitCode, err } = await run(['approve', 'notes', '--all-domains', '--all-core', '--yes'], {
    fetch: async (input, init) => {
      const response = await answer(input, init)
      if (init?.method === 'GET') {
        administration.plugins.set('notes', pluginDetails('notes', { content_hash: 'cd'.repeat(32) }))
      }
      return response
    },
  })
  assert.equal(exitCode, exitCodes.notFound)
  assert.match(err, /another source/)
  assert.deepEqual(administration.done, [])
})

test('diff shows what waits, what is approved and what was dropped, and what to type', async () => {
  server.administration.dropped = [
    {
      plugin: 'notes',
      kind: 'domain',
      key: 'old.example.com',
      plugin_version: '0.9.0',
      approved_at: '2026-01-01T00:00:00Z',
      approved_by: 'ann',
      dropped_at: '2026-01-02T00:00:00Z',
    },
  ]
  const { exitCode, out } = await run(['diff', 'notes'])
  assert.equal(exitCode, 0)
  assert.equal(
    out,
    [
      'notes 1.0.0',
      'waiting for approval:',
      '  GET    /notes  (public: answers anyone)',
      '  hook   before_create:content_data',
      '  domain api.example.com  (the plugin says: mail\\u001b[2K)',
      '  core   content_data:read  (reads rows)',
      '  kv     config:read',
      '  kv     orders:write',
      '  stage  request /admin  (guards)',
      '  gateway log:read  (reads who sent what)',
      'approved:',
      '  hook   after_create:*',
      '  core   content_data:write',
      '  kv     orders:read',
      '  gateway shell:write',
      'no longer asked for since the last approval:',
      '  domain old.example.com  (was approved for 0.9.0 by ann)',
      'approve what waits with: modulacms plugin approve notes --all-routes --all-hooks --all-domains --all-core --all-kv --all-stages --all-gateway',
      '',
    ].join('\n'),
  )
  const json = JSON.parse((await run(['diff', 'notes', '--json'])).out)
  assert.deepEqual([json.waiting.length, json.approved.length, json.dropped.length], [8, 4, 1])
})

test('diff --exit-code ends with 1 only while something waits', async () => {
  assert.equal((await run(['diff', 'notes', '--exit-code'])).exitCode, exitCodes.failure)
  assert.equal((await run(['diff', 'notes', '--exit-code', '--json'])).exitCode, exitCodes.failure)
  await run(['approve', 'notes', '--all', '--yes'])
  assert.equal((await run(['diff', 'notes', '--exit-code'])).exitCode, 0)
  assert.equal((await run(['diff', 'ghost'])).exitCode, exitCodes.notFound)
  server.administration.routeList = []
  server.administration.grantList = []
  assert.match((await run(['diff', 'notes'])).out, /asks for nothing/)
})

test('info shows hooks, domains and core tables with the command that approves those that wait', async () => {
  const { out } = await run(['info', 'notes'])
  for (const line of [
    'hooks:',
    '  waiting   before_create:content_data  (priority 100)',
    '  approved  after_create:*  (priority 100)',
    'domains:',
    '  waiting   api.example.com',
    'core accesses:',
    '  approved  content_data:write',
    'kv accesses:',
    '  waiting   config:read',
    '  approved  orders:read',
    'stages:',
    '  waiting   request /admin',
    'gateway accesses:',
    '  waiting   log:read',
    '  approved  shell:write',
    'approve those that wait with: modulacms plugin approve notes --all-routes --all-hooks --all-domains --all-core --all-kv --all-stages --all-gateway',
  ]) {
    assert.ok(out.includes(`${line}\n`), `${line}\n---\n${out}`)
  }
  const json = JSON.parse((await run(['info', 'notes', '--json'])).out)
  assert.deepEqual([json.hooks.length, json.domains.length, json.core.length], [2, 1, 2])
  assert.deepEqual([json.stages.length, json.gateway.length], [1, 2])
})
