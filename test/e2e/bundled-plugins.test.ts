import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pluginFiles } from '../../cli/templates/plugin-files.js'
import { runPluginTests } from '../../src/plugin-tests.js'
import { assertPassed, pluginFolder } from '../helpers/plugin-tests.js'

// This file runs as dist/test/e2e/bundled-plugins.test.js.
const root = fileURLToPath(new URL('../../../', import.meta.url))
const command = join(root, 'dist/bundle/main.js')

for (const name of readdirSync(join(root, 'plugins'))) {
  const directory = join(root, 'plugins', name)
  if (!existsSync(join(directory, 'init.lua'))) continue
  // In this process, as each one of its own loads all of the product again.
  test(`the tests of plugins/${name} pass`, async () => {
    const report = await runPluginTests({
      directory,
      filter: '',
      timeoutMs: 30_000,
      coverage: false,
      configFile: join(root, 'config.json'),
      environment: {},
    })
    assertPassed(report)
    assert.ok(report.files.length > 0)
  })
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
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [command, 'plugin', 'test', join(folder, 'fresh_one'), '--timeout', '30'],
    { encoding: 'utf8' },
  )
  assert.equal(status, 0, `${stdout}${stderr}`)
})
