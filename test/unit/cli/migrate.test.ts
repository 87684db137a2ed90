import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { exitCodes } from '../../../cli/exit-codes.js'
import type { MigrationListing } from '../../../src/plugins/migrations/plan.js'
import { type AdminServer, createAdminServer } from '../../helpers/admin-server.js'
import { type CliRunOptions, runCommand } from '../../helpers/cli-run.js'
import { pluginDetails } from '../../helpers/fake-administration.js'

let server: AdminServer
let url: string

const applied: MigrationListing = {
  version: 20260101,
  description: 'create notes',
  state: 'applied',
  reversible: true,
  place: 'migrations/20260101_create_notes.sql',
  applied_at: '2026-01-01T00:00:00.000Z',
  applied_by: 'load',
  duration_ms: 3,
  adopted: false,
}
const pending: MigrationListing = {
  version: 20260102,
  description: 'color \u001b[31m',
  state: 'pending',
  reversible: false,
  place: 'db.migration(20260102) in init.lua',
}

before(async () => {
  server = await createAdminServer()
  url = await server.app.listen({ port: 0, host: '127.0.0.1' })
})

after(() => server.app.close())

beforeEach(() => {
  const { administration } = server
  administration.done.length = 0
  administration.plugins.set('notes', pluginDetails('notes'))
  administration.migrationList = [applied, pending]
})

const run = (words: readonly string[], options: Partial<CliRunOptions> = {}) =>
  runCommand(['plugin', ...words], {
    workingDirectory: '/',
    environment: { MODULACMS_URL: url, MODULACMS_ADMIN_TOKEN: 'right-token' },
    ...options,
  })

test('status lists migrations, without control characters of their texts', async () => {
  const { exitCode, out } = await run(['migrate', 'status', 'notes'])
  assert.equal(exitCode, 0)
  const [first, second] = out.split('\n')
  assert.equal(first, 'applied  20260101        create notes  (load, 2026-01-01T00:00:00.000Z)')
  assert.match(String(second), /^pending {2}20260102 {8}color .*\(cannot be undone\)$/)
  assert.ok(!out.includes('\u001b'))
  const json = JSON.parse((await run(['migrate', 'status', 'notes', '--json'])).out)
  assert.deepEqual(json, { plugin: 'notes', migrations: [applied, pending] })
})

test('info lists migrations as well', async () => {
  const { out } = await run(['info', 'notes'])
  assert.match(out, /^migrations:\n {2}applied {2}20260101 /m)
  const { migrations } = JSON.parse((await run(['info', 'notes', '--json'])).out)
  assert.equal(migrations.length, 2)
})

test('up applies what is pending, down asks and undoes, adopt records', async () => {
  assert.equal(
    (await run(['migrate', 'up', 'notes', '--to', '20260102'])).out,
    'ok: notes: applied 20260102\n',
  )
  const refused = await run(['migrate', 'down', 'notes', '--to', '0'])
  assert.equal(refused.exitCode, exitCodes.usage)
  assert.match(refused.err, /nothing was changed: this needs a confirmation/)
  assert.deepEqual(server.administration.done, ['migrate to 20260102 notes by root'])
  const { out } = await run(['migrate', 'down', 'notes', '--to', '20260101', '--yes', '--json'])
  assert.deepEqual(JSON.parse(out), { ok: true, plugin: 'notes', reverted: [20260102] })
  assert.match(
    (await run(['migrate', 'adopt', 'notes', '20260102', '--if-table', 'absent'])).out,
    /there is no table absent, so migration 20260102 is not recorded/,
  )
  assert.match((await run(['migrate', 'adopt', 'notes', '20260102'])).out, /is recorded as applied/)
  assert.deepEqual(server.administration.done.slice(1), [
    'migrate down to 20260101 notes by root',
    'adopt 20260102 if absent notes by root',
    'adopt 20260102 if any notes by root',
  ])
})

test('what is no version is a mistake in the command line', async () => {
  for (const words of [
    ['migrate', 'up', 'notes', '--to', 'x'],
    ['migrate', 'down', 'notes'],
    ['migrate', 'down', 'notes', '--to', '-1', '--yes'],
    ['migrate', 'adopt', 'notes', '1e3'],
    ['migrate', 'adopt', 'notes', '0'],
  ]) {
    assert.equal((await run(words)).exitCode, exitCodes.usage, words.join(' '))
  }
  assert.equal((await run(['migrate', 'status', 'none'])).exitCode, exitCodes.notFound)
  assert.deepEqual(server.administration.done, [])
})

test('who may start and stop plugins may look at migrations, not change them', async () => {
  const environment = { MODULACMS_URL: url, MODULACMS_ADMIN_TOKEN: 'plugins-token' }
  assert.equal((await run(['migrate', 'status', 'notes'], { environment })).exitCode, 0)
  for (const words of [
    ['up', 'notes'],
    ['down', 'notes', '--to', '0', '--yes'],
    ['adopt', 'notes', '1'],
  ]) {
    const { exitCode, err } = await run(['migrate', ...words], { environment })
    assert.equal(exitCode, exitCodes.unauthorized, err)
    assert.match(err, /migrations:admin/)
  }
  assert.deepEqual(server.administration.done, [])
})
