import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { exitCodes } from '../../../cli/exit-codes.js'
import { type CliRunOptions, runCommand } from '../../helpers/cli-run.js'
import { useHost } from '../../helpers/create-host.js'
import { policyDocument } from '../../helpers/policy-server.js'

const directory = mkdtempSync(join(tmpdir(), 'modulacms-cli-policy-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const server = useHost({
  plugins: {},
  config: {
    'auth.policies.policies': [policyDocument('fixed', { effect: 'deny', enabled: false, name: 'Fixed' })],
  },
})

function run(words: readonly string[], options: Partial<CliRunOptions> = {}) {
  return runCommand(['policy', ...words], {
    workingDirectory: directory,
    environment: { MODULACMS_URL: server().url, MODULACMS_ADMIN_TOKEN: server().host.adminToken.token },
    ...options,
  })
}

async function json<T>(words: readonly string[], options?: Partial<CliRunOptions>): Promise<T> {
  const { exitCode, out, err } = await run([...words, '--json'], options)
  assert.deepEqual([exitCode, err], [0, ''], words.join(' '))
  return JSON.parse(out) as T
}

const editors = policyDocument('editors', {
  subjects: [{ role: 'editor' }],
  conditions: [{ type: 'not', condition: { type: 'ip', allow: ['10.0.0.0/8'] } }],
})

test('a policy is set from a file, listed, shown and deleted', async () => {
  writeFileSync(join(directory, 'editors.json'), JSON.stringify(editors))
  const set = await run(['set', 'editors.json'])
  assert.deepEqual([set.exitCode, set.out], [0, 'ok: editors is in force as version 1\n'], set.err)
  const listed = await run(['list'])
  assert.match(listed.out, /^ID +EFFECT +PRIORITY +STATE +FROM +NAME$/m)
  assert.match(listed.out, /^editors +permit +0 +on +database$/m)
  assert.match(listed.out, /^fixed +deny +0 +off +config +Fixed$/m)
  assert.match(listed.err, /deny-overrides, deny where none applies\n.*they decide nothing/)
  assert.equal((await json<unknown[]>(['list'])).length, 2)
  const shown = await run(['show', 'editors'])
  assert.deepEqual((JSON.parse(shown.out) as { subjects: unknown }).subjects, editors.subjects)
  // What is shown can be set again.
  const again = await run(['set', '-', '--if-version', '1'], { input: [shown.out] })
  assert.equal(again.out, 'ok: editors is in force as version 2\n')
  const stale = await run(['set', '-', '--if-version', '1'], { input: [shown.out] })
  assert.equal(stale.exitCode, exitCodes.failure)
  assert.match(stale.err, /there is version 2/)
  const history = await run(['history', 'editors'])
  assert.match(history.out, /^2 +replace +\d{4}-.*Z +admin$/m)
  assert.equal((await run(['delete', 'editors'])).exitCode, exitCodes.usage, 'nobody is there to say yes')
  assert.equal((await run(['delete', 'editors'], { answers: ['n'] })).out, '')
  assert.equal((await run(['show', 'editors'])).exitCode, 0)
  assert.equal((await run(['delete', 'editors', '--yes'])).out, 'ok: the policy editors is gone\n')
  assert.equal((await run(['show', 'editors'])).exitCode, exitCodes.notFound)
  assert.equal((await run(['delete', 'editors', '--yes'])).exitCode, exitCodes.notFound)
})

test('evaluate and explain say what is decided, and why', async () => {
  writeFileSync(join(directory, 'e.json'), JSON.stringify(editors))
  await run(['set', 'e.json'])
  const about = [
    '--subject',
    'u7',
    '--role',
    'editor',
    '--path',
    '/docs/a',
    '--method',
    'GET',
    '--ip',
    '192.0.2.1',
  ]
  assert.match((await run(['evaluate', ...about])).out, /^permit: .*\(editors\)\n$/)
  const inside = await run(['explain', ...about, '--ip', '10.1.2.3', '--time', '2026-03-04T12:00:00Z'])
  assert.match(inside.out, /^deny: No policy applies/)
  assert.match(inside.out, /- editors: notApplicable\n {4}not: false, .*\n {6}ip: true, /)
  assert.doesNotMatch(inside.out, /fixed/)
  assert.match((await run(['explain', ...about, '--all'])).out, /- fixed: notApplicable \(off\)/)
  const context = { subject: { id: 'u8', roles: ['editor'] }, environment: { ip: '10.0.0.1' } }
  const words = ['evaluate', '--context', '-']
  const input = [JSON.stringify(context)]
  assert.equal((await json<{ effect: string }>(words, { input })).effect, 'deny')
  assert.equal((await json<{ effect: string }>([...words, '--ip', '::1'], { input })).effect, 'permit')
  const unclear = await run(['evaluate', '--subject', 'u7', '--role', 'editor'])
  assert.match(unclear.out, /^deny: A policy could not be evaluated\. \(editors\)\n {2}policy "editors"/)
  await run(['delete', 'editors', '--yes'])
})

test('what cannot be used is told in one go, and changes nothing', async () => {
  writeFileSync(
    join(directory, 'wrong.json'),
    JSON.stringify({ ...editors, effect: 'maybe', subjects: [{}] }),
  )
  const wrong = await run(['set', 'wrong.json'])
  assert.equal(wrong.exitCode, exitCodes.usage)
  assert.match(wrong.err, /effect.*subjects\[0\]|subjects\[0\].*effect/)
  writeFileSync(join(directory, 'text.json'), 'hello')
  for (const words of [
    ['set', 'text.json'],
    ['set', 'missing.json'],
    ['set', 'editors.json', '--if-version', 'x'],
    ['evaluate', '--time', 'noon'],
    ['evaluate', '--context', 'text.json'],
  ]) {
    const { exitCode, err, out } = await run(words)
    assert.deepEqual([exitCode, out], [exitCodes.usage, ''], `${words.join(' ')}: ${err}`)
  }
  const fixed = await run(['delete', 'fixed', '--yes'])
  assert.equal(fixed.exitCode, exitCodes.failure)
  assert.match(fixed.err, /one of the configuration/)
  assert.deepEqual(
    (await json<{ id: string }[]>(['list'])).map(({ id }) => id),
    ['fixed'],
  )
})
