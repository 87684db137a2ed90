import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoadConfigOptions } from '../../../src/config/load.js'
import { runCommand } from '../../helpers/cli-run.js'

const problem = { key: 'plugins.a.b', rule: 'must be a text', origin: 'config.json line 2', value: '5' }
const place = { workingDirectory: '/work' }

test('asks for what a start would read, by absolute paths', async () => {
  const asked: LoadConfigOptions[] = []
  const checkConfig = async (options: LoadConfigOptions) => {
    asked.push(options)
    return { file: options.file, problems: [], warnings: [], plugins: ['a', 'b'] }
  }
  const environment = { A: 'b' }
  const plain = await runCommand(['config', 'check'], { ...place, environment, checkConfig })
  assert.deepEqual(
    [plain.exitCode, plain.out, plain.err],
    [0, 'valid: the defaults, without a file (2 plugins)\n', ''],
  )
  const words = ['config', 'check', 'x/c.json', '--plugins', 'p']
  const named = await runCommand(words, { ...place, checkConfig })
  assert.equal(named.out, 'valid: x/c.json (2 plugins)\n')
  assert.deepEqual(asked, [
    { defaultFile: '/work/config.json', environment, flags: {} },
    { file: '/work/x/c.json', environment: {}, flags: { plugin_directory: '/work/p' } },
  ])
})

test('prints problems as the start does, without control characters, and ends with 7', async () => {
  const checkConfig = async () => ({
    file: '/work/config.json',
    problems: [problem],
    warnings: ['odd \u001b[31m'],
    plugins: [],
  })
  const { exitCode, out, err } = await runCommand(['config', 'check'], { ...place, checkConfig })
  assert.equal(exitCode, 7)
  assert.equal(out, '')
  assert.match(
    err,
    /The configuration has 1 problem:\n {2}plugins\.a\.b = 5 \(config\.json line 2\): must be a text\n/,
  )
  assert.ok(!err.includes('\u001b'))
  const json = await runCommand(['config', 'check', '--json'], { ...place, checkConfig })
  assert.equal(json.exitCode, 7)
  const { valid, problems } = JSON.parse(json.out)
  assert.deepEqual([valid, problems], [false, [problem]])
})
