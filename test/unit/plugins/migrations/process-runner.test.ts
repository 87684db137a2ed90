import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  type MigrationStep,
  runStep,
  type StepResult,
} from '../../../../src/plugins/migrations/migration-step.js'
import { createProcessRunner } from '../../../../src/plugins/migrations/process-runner.js'
import {
  createMigrationWorld,
  type MigrationWorld,
  ownColumns,
  stepOf,
} from '../../../helpers/migration-world.js'
import { until } from '../../../helpers/until.js'

const entry = new URL('../../../../src/migration-process.bundle.cjs', import.meta.url)
const terms = { plugin: 'a', quotaBytes: 1_000_000, actor: 'ann' }
const table = `CREATE TABLE plugin_a_t (${ownColumns}, x INTEGER)`
const rows = `INSERT INTO plugin_a_t SELECT 'r' || value, '', '', 0 FROM (${Array.from({ length: 60 }, (_, at) => `SELECT ${at} AS value`).join(' UNION ALL ')})`
/** Sixty rows, each of them with each other, eight times: SQLite does not come back from it. */
const endless = `UPDATE plugin_a_t SET x = (SELECT count(*) FROM ${'abcdefgh'
  .split('')
  .map((name) => `plugin_a_t ${name}`)
  .join(', ')})`

async function run(
  world: MigrationWorld,
  steps: readonly MigrationStep[],
  durationMs?: number,
): Promise<StepResult[]> {
  const results: StepResult[] = []
  const runner = createProcessRunner({
    entry,
    file: world.file,
    ...(durationMs === undefined ? {} : { durationMs }),
  })
  await runner.run({ terms, steps, isStarting: false }, (result) => results.push(result))
  return results
}

/** A process that is inside an endless statement, and holds the lock. */
async function startEndless(world: MigrationWorld, durationMs: number): Promise<ChildProcess> {
  runStep(world.session, terms, stepOf('a', 1, `${table}; ${rows}`))
  const child = fork(fileURLToPath(entry), [], { env: {}, execArgv: [] })
  await once(child, 'message')
  const steps = [stepOf('a', 2, `ALTER TABLE plugin_a_t ADD COLUMN y TEXT; ${endless}`)]
  child.send({ terms, steps, file: world.file, durationMs })
  world.session.connection.pragma('busy_timeout = 0')
  await until('the lock is held', () => isLocked(world))
  return child
}

function isLocked({ session: { connection } }: MigrationWorld): boolean {
  try {
    connection.exec('begin immediate; rollback')
    return false
  } catch {
    return true
  }
}

/** Nothing of the endless migration is there, and the next one runs. */
function assertUntouched(world: MigrationWorld): void {
  assert.equal(isLocked(world), false)
  assert.deepEqual(world.values('select version from plugin_migrations'), [1])
  assert.equal(world.values("select count(*) from pragma_table_info('plugin_a_t') where name = 'y'")[0], 0)
  assert.equal(
    world.values("select count(*) from sqlite_schema where type = 'trigger' and tbl_name = 'plugin_a_t'")[0],
    3,
  )
  assert.deepEqual(world.values('pragma integrity_check'), ['ok'])
  assert.equal(runStep(world.session, terms, stepOf('a', 3, 'DELETE FROM plugin_a_t')).state, 'done')
}

test('steps are carried out in order, and each is told of', async (t) => {
  const world = await createMigrationWorld(t)
  const steps = [stepOf('a', 1, table), stepOf('a', 2, rows), stepOf('a', 3, 'DELETE FROM plugin_a_t')]
  const results = await run(world, steps)
  assert.deepEqual(
    results.map(({ version, state }) => `${version} ${state}`),
    ['1 done', '2 done', '3 done'],
  )
  assert.deepEqual(
    (await run(world, steps)).map(({ state }) => state),
    ['skipped', 'skipped', 'skipped'],
  )
})

test('while the host starts, those before a step that fails stay', async (t) => {
  const world = await createMigrationWorld(t)
  const steps = [
    stepOf('a', 1, table),
    stepOf('a', 2, 'ALTER TABLE plugin_a_t DROP COLUMN none'),
    stepOf('a', 3, rows),
  ]
  const runner = createProcessRunner({ entry, file: world.file })
  const results: StepResult[] = []
  await assert.rejects(
    runner.run({ terms, steps, isStarting: true }, (result) => results.push(result)),
    { name: 'StepFailed', version: 2, message: /no such column: "none"/ },
  )
  assert.deepEqual(
    results.map(({ version }) => version),
    [1],
  )
  assert.deepEqual(world.values('select version from plugin_migrations'), [1])
})

test('while the host serves, steps are rehearsed: one that fails leaves the database as it is, unlocked', async (t) => {
  const world = await createMigrationWorld(t)
  const { connection } = world.session
  runStep(world.session, terms, stepOf('a', 1, `${table}; ${rows}`))
  // Somebody else writes all the time: a rehearsal does not wait for the lock.
  connection.exec("begin immediate; insert into plugin_storage (plugin_name, quota_bytes) values ('z', 1)")
  const broken = [
    stepOf('a', 2, 'DELETE FROM plugin_a_t'),
    stepOf('a', 3, 'INSERT INTO plugin_a_t (id) VALUES (1)'),
  ]
  await assert.rejects(run(world, broken), { name: 'StepFailed', version: 3, message: /NOT NULL/ })
  const slow = [stepOf('a', 2, 'DELETE FROM plugin_a_t WHERE x > 1'), stepOf('a', 3, endless)]
  await assert.rejects(run(world, slow, 300), { version: 3, message: /it takes longer than 300 ms/ })
  connection.exec('commit')
  assert.deepEqual(world.values('select count(*) from plugin_a_t'), [60])
  assert.deepEqual(world.values('select version from plugin_migrations'), [1])
})

test('a step that takes too long is stopped inside its statement, and undone', async (t) => {
  const world = await createMigrationWorld(t)
  runStep(world.session, terms, stepOf('a', 1, `${table}; ${rows}`))
  const step = stepOf('a', 2, `ALTER TABLE plugin_a_t ADD COLUMN y TEXT; ${endless}`)
  await assert.rejects(run(world, [step], 300), {
    version: 2,
    message: /it takes longer than 300 ms/,
  })
  assertUntouched(world)
})

test('a process that is killed in the middle of a migration leaves nothing', async (t) => {
  const world = await createMigrationWorld(t)
  const child = await startEndless(world, 60_000)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assertUntouched(world)
})

test('a process whose host is gone ends itself in time', async (t) => {
  const world = await createMigrationWorld(t)
  const child = await startEndless(world, 400)
  child.disconnect()
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
  assertUntouched(world)
})

test('two processes at once apply each migration once', async (t) => {
  const world = await createMigrationWorld(t)
  const insert = (id: string) =>
    `INSERT INTO plugin_a_t (id, created_at, updated_at) VALUES ('${id}', '', '')`
  const steps = [
    stepOf('a', 1, `${table}; ${insert('1')}`),
    stepOf('a', 2, insert('2')),
    stepOf('a', 3, insert('3')),
  ]
  const both = await Promise.all([run(world, steps), run(world, steps)])
  for (const [at] of steps.entries()) {
    assert.deepEqual(both.map((results) => results[at]?.state).sort(), ['done', 'skipped'])
  }
  assert.deepEqual(world.values('select id from plugin_a_t order by id'), ['1', '2', '3'])
})

test('a file that is no database is told of', async (t) => {
  const world = await createMigrationWorld(t)
  const runner = createProcessRunner({ entry, file: `${world.file}.none` })
  await assert.rejects(
    runner.run({ terms, steps: [stepOf('a', 1, table)], isStarting: false }, () =>
      assert.fail('nothing can be done'),
    ),
    { name: 'StepFailed' },
  )
})
