import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, type TestContext } from 'node:test'
import type { TestReport, TestResult } from '../../src/harness/results.js'
import { type PluginTestOptions, runPluginTests } from '../../src/plugin-tests.js'
import { plugin } from './create-host.js'

/** Folder with plugins, removed with the test. */
export async function pluginFolder(
  test: TestContext,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const root = await writeFolder(files)
  test.after(() => rm(root, { recursive: true, force: true }))
  return root
}

async function writeFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-plugin-tests-'))
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  return root
}

/** Runs the tests of the plugin `demo` among the files. */
export async function runDemo(
  test: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<PluginTestOptions> = {},
): Promise<TestReport> {
  return runFolder(await pluginFolder(test, files), options)
}

function runFolder(root: string, options: Partial<PluginTestOptions> = {}): Promise<TestReport> {
  return runPluginTests({
    directory: join(root, 'demo'),
    filter: '',
    timeoutMs: 10_000,
    coverage: false,
    configFile: join(root, 'config.json'),
    environment: {},
    ...options,
  })
}

/**
 * Runs the tests of the plugin `demo` once for all tests of a file, as a run starts threads; the function that comes
 * back gives what came of the given test files, e.g. `store` for `demo/test/store.test.lua`.
 */
export function useDemo(files: Readonly<Record<string, string>>): (...names: string[]) => TestReport {
  let root = ''
  let report: TestReport | undefined
  before(async () => {
    root = await writeFolder(files)
    report = await runFolder(root)
  })
  after(() => rm(root, { recursive: true, force: true }))
  return (...names) => {
    assert.ok(report, 'there are results only while tests run')
    const wanted = names.map((name) => `test/${name}.test.lua`)
    const found = report.files.filter(({ file }) => wanted.includes(file))
    assert.deepEqual(found.map(({ file }) => file).sort(), [...wanted].sort())
    return { ...report, files: found }
  }
}

/** The result of a test by its name. */
export function resultOf(report: TestReport, name: string): TestResult {
  const found = report.files.flatMap(({ tests }) => tests).find((result) => result.test === name)
  assert.ok(found, `no result of ${name}`)
  return found
}

/** Asserts that every test passed, and shows why one did not. */
export function assertPassed(report: TestReport): void {
  const failed = report.files.flatMap(({ tests }) => tests).filter(({ passed }) => !passed)
  assert.deepEqual(failed, [])
}

const things = plugin(
  'demo',
  `
local numbers = require("numbers")
http.handle("GET", "/things", function(req)
  return { json = { things = db.query("things"), role = req.user and req.user.role } }
end, { public = true })
http.handle("POST", "/things", function(req)
  db.insert("things", { name = req.json.name })
  log.info("kept", { name = req.json.name })
  return { status = 201, json = { twice = numbers.twice(req.json.size or 0) } }
end)
http.handle("GET", "/boom", function() error("the cause of it") end, { public = true })
http.handle("GET", "/spin", function() while true do end end, { public = true })
remembered = 0
function greeting() return "hello" end
function on_init()
  db.define_table("things", { columns = { { name = "name", type = "text" } } })
end`,
)

const numbers = 'local numbers = {}\nfunction numbers.twice(x)\n  return x * 2\nend\nreturn numbers\n'

/** Files of a plugin `demo` with routes, a table and a library, and of its tests by their names. */
export function demo(tests: Readonly<Record<string, string>>): Record<string, string> {
  const files: Record<string, string> = { 'demo/init.lua': things, 'demo/lib/numbers.lua': numbers }
  for (const [name, text] of Object.entries(tests)) files[`demo/test/${name}.test.lua`] = text
  return files
}

/** Path of its route for things, as a text of Lua. */
export const thingsPath = '"/api/v1/plugins/demo/things"'
