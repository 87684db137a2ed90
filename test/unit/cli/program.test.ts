import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { exitCodeMeanings, exitCodes } from '../../../cli/exit-codes.js'
import { runCommand } from '../../helpers/cli-run.js'

const place = { workingDirectory: tmpdir() }
const verbs = ['list', 'init', 'validate', 'info', 'reload', 'enable', 'disable', 'approve', 'revoke']

test('every command has a help with an example', async () => {
  for (const words of [[], ['serve'], ['plugin'], ...verbs.map((verb) => ['plugin', verb])]) {
    const { exitCode, out, err } = await runCommand([...words, '--help'], place)
    assert.equal(exitCode, 0)
    assert.match(out, /Example/)
    assert.match(out, new RegExp(`\\$ modulacms .*${words.at(-1) ?? ''}`))
    assert.equal(err, '')
  }
})

test('the help lists every exit code', async () => {
  const { out } = await runCommand(['--help'], place)
  for (const code of Object.values(exitCodes))
    assert.ok(out.includes(`  ${code}  ${exitCodeMeanings[code]}\n`))
  assert.equal(Object.keys(exitCodeMeanings).length, Object.keys(exitCodes).length)
})

test('the version goes to standard output', async () => {
  const { exitCode, out } = await runCommand(['--version'], place)
  assert.deepEqual([exitCode, out], [0, '9.8.7\n'])
})

test('a wrong command line is exit code 2 and leaves standard output empty', async () => {
  for (const words of [
    [],
    ['plugin'],
    ['plugin', 'lst'],
    ['plugins'],
    ['plugin', 'info'],
    ['plugin', 'info', 'a', 'b'],
    ['plugin', 'list', '--nope'],
    ['serve', '--port', 'x'],
    ['serve', '--port', '65536'],
    ['serve', '--port', '-1'],
    ['plugin', 'approve', 'a', '--route', 'tasks'],
  ]) {
    const { exitCode, out, err } = await runCommand(words, place)
    assert.equal(exitCode, exitCodes.usage, words.join(' '))
    assert.equal(out, '')
    assert.notEqual(err, '')
  }
})

test('with --json a failure is one JSON object on standard error', async () => {
  const unknown = await runCommand(['plugin', 'list', '--json', '--nope'], place)
  assert.equal(unknown.exitCode, 2)
  assert.deepEqual(JSON.parse(unknown.err), {
    error: { code: 'USAGE', message: "unknown option '--nope'", exit_code: 2 },
  })
  const missing = await runCommand(['plugin', 'validate', 'nowhere/at/all', '--json'], place)
  assert.equal(JSON.parse(missing.err).error.code, 'FOLDER_NOT_FOUND')
  assert.equal(missing.out, '')
})

test('serve hands its flags on and ends with the exit code of the server', async () => {
  const words = 'serve --config c.json --host ::1 --port 0 --data d --plugins p'.split(' ')
  const { exitCode, served } = await runCommand(words, { ...place, serverExitCode: 7 })
  assert.equal(exitCode, 7)
  assert.deepEqual(served, { config: 'c.json', host: '::1', port: 0, data: 'd', plugins: 'p' })
  assert.deepEqual((await runCommand(['serve'], place)).served, {})
})

test('a configuration that is not valid is exit code 7 and shows every problem', async () => {
  const environment = { MODULACMS__SERVER__PORT: 'x', MODULACMS__NOPE: '1' }
  const { exitCode, err } = await runCommand(['plugin', 'list'], { ...place, environment })
  assert.equal(exitCode, exitCodes.invalidConfiguration)
  assert.match(err, /server\.port/)
  assert.match(err, /NOPE/)
})

test('colours appear only on a terminal that shows them', async () => {
  const words = ['plugin', 'validate', 'nowhere']
  const plain = await runCommand(words, place)
  assert.ok(!plain.err.includes('\u001b'))
  const coloured = await runCommand(words, { ...place, colors: true })
  assert.ok(coloured.err.includes('\u001b[31merror:\u001b[0m'))
})
