import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { TestReport, TestResult } from '../../src/harness/results.js'
import { type PluginTestOptions, runPluginTests } from '../../src/plugin-tests.js'

/** Folder with plugins, removed with the test. */
export async function pluginFolder(
  test: TestContext,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-plugin-tests-'))
  test.after(() => rm(root, { recursive: true, force: true }))
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
  const root = await pluginFolder(test, files)
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
