import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { exitCodes } from '../../../cli/exit-codes.js'
import { HostError } from '../../../src/base/errors.js'
import { type AdminServer, createAdminServer } from '../../helpers/admin-server.js'
import { type CliRunOptions, runCommand } from '../../helpers/cli-run.js'
import { pluginDetails, routeListing } from '../../helpers/fake-administration.js'

let server: AdminServer
let url: string
let directory: string

before(async () => {
  server = await createAdminServer()
  url = await server.app.listen({ port: 0, host: '127.0.0.1' })
})

after(async () => {
  await server.app.close()
})

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modulacms-cli-'))
  const { administration } = server
  administration.done.length = 0
  administration.failure = undefined
  administration.plugins.clear()
  administration.plugins.set('notes', pluginDetails('notes'))
  administration.plugins.set('empty', pluginDetails('empty'))
  administration.routeList = [
    routeListing('notes', 'GET', '/notes', { public: true }),
    routeListing('notes', 'POST', '/notes'),
    routeListing('notes', 'DELETE', '/notes/{id}', { approved: true }),
    routeListing('other', 'GET', '/notes'),
  ]
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

type Options = Partial<CliRunOptions>

/** Runs `plugin` with the address and the token in the environment. */
const run = (words: readonly string[], { environment = {}, ...options }: Options = {}) =>
  runCommand(['plugin', ...words], {
    workingDirectory: directory,
    environment: { MODULACMS_URL: url, MODULACMS_ADMIN_TOKEN: 'right-token', ...environment },
    ...options,
  })

test('approve with selectors that combine approves exactly the selected routes', async () => {
  const words = ['approve', 'notes', '--route', 'get /notes', '--route', 'POST  /notes', '--yes']
  const { exitCode, out, err } = await run(words)
  assert.equal(exitCode, 0)
  assert.deepEqual(server.administration.done, [
    'approve notes GET /notes by root',
    'approve notes POST /notes by root',
  ])
  assert.equal(
    err,
    'To approve for notes 1.0.0:\n  GET    /notes  (public: answers anyone)\n  POST   /notes  (needs a credential)\n',
  )
  assert.equal(
    out,
    `approved: GET ${url}/api/v1/plugins/notes/notes\napproved: POST ${url}/api/v1/plugins/notes/notes\n`,
  )
})

test('approve --all-routes leaves approved routes and those of other plugins alone', async () => {
  const { exitCode, out } = await run(['approve', 'notes', '--all-routes', '--yes', '--json'])
  assert.equal(exitCode, 0)
  assert.deepEqual(JSON.parse(out), {
    ok: true,
    plugin: 'notes',
    dry_run: false,
    approved: [
      { kind: 'route', method: 'GET', path: '/notes', public: true },
      { kind: 'route', method: 'POST', path: '/notes', public: false },
    ],
  })
  assert.equal(server.administration.done.length, 2)
  const again = await run(['approve', 'notes', '--all-routes', '--yes'])
  assert.equal(again.exitCode, 0)
  assert.match(again.out, /nothing to do/)
  assert.equal(server.administration.done.length, 2)
})

test('without --yes and without a terminal nothing is approved', async () => {
  for (const verb of ['approve', 'revoke']) {
    const { exitCode, err, out } = await run([verb, 'notes', '--all-routes'])
    assert.equal(exitCode, exitCodes.usage)
    assert.match(err, /pass --yes/)
    assert.equal(out, '')
  }
  assert.deepEqual(server.administration.done, [])
})

test('a person decides with y or yes, and anything else is no', async () => {
  for (const answer of ['', 'n', 'no', 'yep', 'yy']) {
    const { exitCode, questions } = await run(['approve', 'notes', '--all-routes'], { answers: [answer] })
    assert.equal(exitCode, exitCodes.failure)
    assert.deepEqual(questions, ['Approve these 2 routes? [y/N] '])
  }
  assert.deepEqual(server.administration.done, [])
  for (const answer of ['y', ' YES ']) {
    const words = ['revoke', 'notes', '--route', 'DELETE /notes/{id}']
    const { exitCode, questions } = await run(words, { answers: [answer] })
    assert.equal(exitCode, 0)
    assert.deepEqual(questions.slice(0, 1), answer === 'y' ? ['Revoke this route? [y/N] '] : [])
  }
  assert.deepEqual(server.administration.done, ['revoke notes DELETE /notes/{id} by root'])
})

test('an unknown route is named, and nothing of the selection is approved', async () => {
  const words = ['approve', 'notes', '--route', 'GET /notes', '--route', 'PUT /notes', '--yes']
  const { exitCode, err } = await run(words)
  assert.equal(exitCode, exitCodes.notFound)
  assert.match(err, /has no route PUT \/notes; it has GET \/notes, POST \/notes, DELETE/)
  assert.deepEqual(server.administration.done, [])
})

test('approve and revoke need a selector, and a plugin that exists', async () => {
  const none = await run(['approve', 'notes', '--yes'])
  assert.equal(none.exitCode, exitCodes.usage)
  assert.match(none.err, /--all-routes/)
  const ghost = await run(['approve', 'ghost', '--all-routes', '--yes'])
  assert.equal(ghost.exitCode, exitCodes.notFound)
  assert.match(ghost.err, /ghost/)
  const empty = await run(['revoke', 'empty', '--all-routes', '--yes'])
  assert.equal(empty.exitCode, 0)
  assert.deepEqual(server.administration.done, [])
})

test('a dry run shows and does nothing, and asks nobody', async () => {
  const { exitCode, out, err } = await run(['approve', 'notes', '--all-routes', '--dry-run'])
  assert.equal(exitCode, 0)
  assert.match(err, /To approve for notes 1\.0\.0/)
  assert.match(out, /nothing was changed/)
  assert.deepEqual(server.administration.done, [])
})

test('what a plugin calls itself cannot steer the terminal', async () => {
  server.administration.plugins.set('notes', pluginDetails('notes', { version: '1\n2' }))
  server.administration.routeList = [routeListing('notes', 'GET', '/\u001b[1A\u001b[2K')]
  const { err } = await run(['approve', 'notes', '--all-routes', '--dry-run'])
  assert.ok(!err.includes('\u001b'))
  assert.ok(err.includes('notes 1\\u000a2'))
})

test('info shows state, reason, breaker, VMs and routes with their approval', async () => {
  server.administration.plugins.set(
    'notes',
    pluginDetails('notes', {
      state: 'failed',
      failed_reason: 'on_init failed: init.lua:3: boom',
      circuit_breaker_state: 'open',
      circuit_breaker_errors: 5,
      quarantined: true,
      dependencies: ['base', 'mail'],
    }),
  )
  const { exitCode, out } = await run(['info', 'notes'])
  assert.equal(exitCode, 0)
  for (const line of [
    'state:         failed',
    'failed reason: on_init failed: init.lua:3: boom',
    'breaker:       open, 5 consecutive failures',
    'VMs:           3 of 4 idle',
    'quarantined:   yes; `modulacms plugin enable notes` lifts it',
    'dependencies:  base, mail',
    '  waiting   GET    /notes  (public)',
    '  approved  DELETE /notes/{id}',
    'approve those that wait with: modulacms plugin approve notes --all-routes',
  ]) {
    assert.ok(out.includes(`${line}\n`), `${line}\n---\n${out}`)
  }
  assert.ok(!out.includes('author'))
  const json = JSON.parse((await run(['info', 'notes', '--json'])).out)
  assert.equal(json.state, 'failed')
  assert.equal(json.routes.length, 3)
  assert.deepEqual(Object.keys(json.routes[0]), ['method', 'path', 'public', 'approved', 'plugin_version'])
})

test('reload, enable and disable say what they did', async () => {
  for (const [verb, line] of [
    ['reload', 'ok: notes is reloaded\n'],
    ['enable', 'ok: notes is enabled and running\n'],
    ['disable', 'ok: notes is disabled\n'],
  ] as const) {
    assert.equal((await run([verb, 'notes'])).out, line)
    assert.equal(JSON.parse((await run([verb, 'notes', '--json'])).out).plugin, 'notes')
    const ghost = await run([verb, 'ghost'])
    assert.equal(ghost.exitCode, exitCodes.notFound)
    assert.equal(ghost.out, '')
  }
})

test('reset-breaker closes the breaker and says so', async () => {
  assert.equal((await run(['reset-breaker', 'notes'])).out, 'ok: the breaker of notes is closed\n')
  const json = JSON.parse((await run(['reset-breaker', 'notes', '--json'])).out)
  assert.equal(json.circuit_breaker_state, 'closed')
  assert.equal((await run(['reset-breaker', 'ghost'])).exitCode, exitCodes.notFound)
})

test('info shows when an open breaker probes, the pool, the calls that were stopped and the last error', async () => {
  server.administration.plugins.set(
    'notes',
    pluginDetails('notes', {
      circuit_breaker_state: 'open',
      circuit_breaker_errors: 5,
      circuit_breaker_retry_after: 42,
      circuit_breaker_trips: 2,
      circuit_breaker_last_trip: '2030-01-02T03:04:05.000Z',
      pool_state: 'open',
      calls_in_flight: 3,
      budget_kills: { TIMEOUT: 4, MEMORY: 1 },
      last_error: { type: 'HANDLER_TIMEOUT', at: '2030-01-02T03:04:06.000Z' },
    }),
  )
  const { out } = await run(['info', 'notes'])
  for (const line of [
    'breaker:       open, 5 consecutive failures',
    'next probe:    in 42 s; `modulacms plugin reset-breaker notes` closes the breaker now',
    'breaker trips: 2, the last at 2030-01-02T03:04:05.000Z',
    'pool:          open, 3 calls in flight',
    'budget kills:  TIMEOUT 4, MEMORY 1',
    'last error:    HANDLER_TIMEOUT at 2030-01-02T03:04:06.000Z',
  ]) {
    assert.ok(out.includes(`${line}\n`), `${line}\n---\n${out}`)
  }
})

test('a reload that fails tells the reason that the server keeps, and that the version before serves', async () => {
  server.administration.failure = new HostError('PLUGIN_LOAD_FAILED', 500, 'secret')
  server.administration.plugins.set('notes', pluginDetails('notes', { failed_reason: 'init.lua:3: boom' }))
  const { exitCode, err } = await run(['reload', 'notes'])
  assert.equal(exitCode, exitCodes.failure)
  assert.equal(err, 'error: notes could not be loaded: init.lua:3: boom\nthe version before keeps serving\n')
  server.administration.plugins.delete('notes')
  const unknown = await run(['enable', 'notes', '--json'])
  assert.match(JSON.parse(unknown.err).error.message, /log tells why, request id req-/)
})

test('a refused token is exit code 6', async () => {
  const { exitCode, err } = await run(['info', 'notes', '--token', 'wrong'])
  assert.equal(exitCode, exitCodes.unauthorized)
  assert.match(err, /refused the token.*--data/)
})

test('the token comes from the data directory of the configuration, the address from its server', async () => {
  const { port } = new URL(url)
  await writeFile(
    join(directory, 'config.json'),
    JSON.stringify({ server: { port: Number(port) }, data_directory: 'd' }),
  )
  await mkdir(join(directory, 'd'))
  await writeFile(join(directory, 'd', 'admin-token'), 'right-token\n')
  const options = { environment: { MODULACMS_URL: '', MODULACMS_ADMIN_TOKEN: '' } }
  assert.equal((await run(['info', 'notes'], options)).exitCode, 0)
  assert.equal((await run(['info', 'notes', '--data', 'd'], options)).exitCode, 0)
  assert.equal((await run(['info', 'notes', '--config', 'config.json'], options)).exitCode, 0)
  assert.equal(
    (await run(['info', 'notes', '--data', 'elsewhere'], options)).exitCode,
    exitCodes.serverNotRunning,
  )
})

test('without a token the text says how to start a server', async () => {
  const { exitCode, err } = await run(['info', 'notes'], { environment: { MODULACMS_ADMIN_TOKEN: '' } })
  assert.equal(exitCode, exitCodes.serverNotRunning)
  assert.match(err, /no admin token at .*data\/admin-token.*modulacms serve/)
})

test('the token file of this machine is not sent to another one', async () => {
  await mkdir(join(directory, 'data'))
  await writeFile(join(directory, 'data', 'admin-token'), 'right-token')
  let sent = 0
  const { exitCode, err } = await runCommand(
    ['plugin', 'info', 'notes', '--url', 'http://127.0.0.1.example.com'],
    {
      workingDirectory: directory,
      fetch: async () => {
        sent += 1
        return new Response('{}')
      },
    },
  )
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /needs its own admin token/)
  assert.equal(sent, 0)
})

test('no server at the address is exit code 4 and says how to start one', async () => {
  const other = await createAdminServer()
  const gone = await other.app.listen({ port: 0, host: '127.0.0.1' })
  await other.app.close()
  const { exitCode, err } = await run(['reload', 'notes', '--url', gone])
  assert.equal(exitCode, exitCodes.serverNotRunning)
  assert.ok(err.includes(gone))
  assert.match(err, /modulacms serve/)
})

test('an address that is none is a usage error', async () => {
  const { exitCode, err } = await run(['info', 'notes', '--url', 'localhost:8080'])
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /http:\/\/127\.0\.0\.1:8080/)
})

test('info shows the functions for messages and changes, with the queue that their dead letters name', async () => {
  const listeners = [
    { queue: 'mail', concurrency: 4, approved: true },
    {
      queue: '$changes-ab',
      concurrency: 1,
      approved: false,
      namespace: 'shared:config',
      prefix: '["users"]',
      events: ['set', 'delete'],
    },
  ]
  server.administration.plugins.set('notes', pluginDetails('notes', { listeners }))
  const { out } = await run(['info', 'notes'])
  assert.ok(out.includes('listener:      queue mail, 4 at once\n'), out)
  assert.ok(
    out.includes(
      'changes of shared:config ["users"] (set, delete) in $changes-ab, 1 at once, not approved\n',
    ),
    out,
  )
  assert.deepEqual(JSON.parse((await run(['info', 'notes', '--json'])).out).listeners, listeners)
})
