import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pluginFiles } from '../../cli/templates/plugin-files.js'
import { pluginFolder } from '../helpers/plugin-tests.js'

// This file runs as dist/test/e2e/bundled-plugins.test.js.
const root = fileURLToPath(new URL('../../../', import.meta.url))
const command = join(root, 'dist/bundle/main.js')

function assertTestsPass(directory: string): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [command, 'plugin', 'test', directory, '--timeout', '30'],
    { encoding: 'utf8' },
  )
  assert.equal(status, 0, `${stdout}${stderr}`)
}

for (const name of readdirSync(join(root, 'plugins'))) {
  const directory = join(root, 'plugins', name)
  if (!existsSync(join(directory, 'init.lua'))) continue
  test(`the tests of plugins/${name} pass`, () => assertTestsPass(directory))
}

test('the tests of a plugin that `plugin init` has made pass', async (t) => {
  const files = pluginFiles(
    { name: 'fresh_one', version: '0.1.0', description: 'made for a test', author: '', license: 'MIT' },
    'http://127.0.0.1:8080',
  )
  const folder = await pluginFolder(
    t,
    Object.fromEntries([...files].map(([path, text]) => [`fresh_one/${path}`, text])),
  )
  assertTestsPass(join(folder, 'fresh_one'))
})
