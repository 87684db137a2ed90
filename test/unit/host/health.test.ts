import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import Fastify from 'fastify'
import { createDatabase } from '../../../src/database/database.js'
import { createHealthRoutes, type Health, type HealthSources } from '../../../src/host/health.js'

const folder = mkdtempSync(join(tmpdir(), 'modulacms-health-'))
after(() => rmSync(folder, { recursive: true }))

const well = { edition: 'premium', running: ['a', 'b'], failed: [], tripped: [], requiredDown: [] }
const up = { isReady: true, isShuttingDown: false }

async function ask(path: string, changes: Partial<HealthSources> = {}, isOpen = true) {
  const database = await createDatabase({ file: join(folder, 'modula.db') })
  if (!isOpen) await database.close()
  const app = Fastify()
  const stages = () => ({ paused: 0, held: 0 })
  const sources = {
    version: '1.2.3',
    database,
    lifecycle: up,
    plugins: () => well,
    stages,
    heldParties: () => 0,
    details: {} as HealthSources['details'],
  }
  await app.register(createHealthRoutes({ ...sources, ...changes }))
  const answer = await app.inject(path)
  await app.close()
  if (isOpen) await database.close()
  return { code: answer.statusCode, ...answer.json<Health>() }
}

test('says what runs, and nothing but names', async () => {
  const { code, checks, ...said } = await ask('/health')
  const names = { version: '1.2.3', edition: 'premium', plugins: ['a', 'b'] }
  assert.deepEqual([code, said], [200, { status: 'healthy', ...names }])
  assert.deepEqual(checks.plugins, { running: 2, failed: [], tripped: [], required: 'ok' })
})

for (const [what, changes, isOpen, expected] of [
  ['a plugin has failed', { plugins: () => ({ ...well, failed: ['c'] }) }, true, [200, 'degraded']],
  [
    'a plugin is refused for a time',
    { plugins: () => ({ ...well, tripped: ['a'] }) },
    true,
    [200, 'degraded'],
  ],
  ['somebody whom a rule names is not asked', { heldParties: () => 1 }, true, [200, 'degraded']],
  ['a stage is held', { stages: () => ({ paused: 0, held: 1 }) }, true, [200, 'degraded']],
  [
    'a required plugin has failed',
    { plugins: () => ({ ...well, failed: ['c'], requiredDown: ['c'] }) },
    true,
    [503, 'unhealthy'],
  ],
  ['the database does not answer', {}, false, [503, 'unhealthy']],
  ['the host shuts down', { lifecycle: { isReady: true, isShuttingDown: true } }, true, [503, 'unhealthy']],
] as const) {
  test(`is ${expected[1]} while ${what}`, async () => {
    const { code, status } = await ask('/_/health', changes, isOpen)
    assert.deepEqual([code, status], expected)
    assert.equal((await ask('/health/live', changes, isOpen)).code, 200, 'the process answers all the same')
  })
}

test('is ready when it serves, and neither before nor while it stops', async () => {
  const ready = async (lifecycle: HealthSources['lifecycle']) => {
    const { code, status } = await ask('/health/ready', { lifecycle })
    return [code, status]
  }
  assert.deepEqual(await ready(up), [200, 'ok'])
  assert.deepEqual(await ready({ isReady: false, isShuttingDown: false }), [503, 'starting'])
  assert.deepEqual(await ready({ isReady: true, isShuttingDown: true }), [503, 'stopping'])
})
