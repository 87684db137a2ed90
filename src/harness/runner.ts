import type { CoveredLines } from '../sandbox/line-coverage.js'
import { CoverageTotal } from './coverage.js'
import { runTestFile, type TestWorker } from './file-runner.js'
import type { FileResult, TestReport } from './results.js'
import type { TestFile } from './test-files.js'

/** A plugin as its tests are run: read once, so that an edit meanwhile changes nothing. */
export interface TestedPlugin {
  readonly name: string
  readonly version: string
  /** Text of each Lua file by its path, without the tests. */
  readonly files: ReadonlyMap<string, string>
  readonly tests: readonly TestFile[]
}

export interface TestRunOptions {
  /** Only tests with this text in their names run; all when it is empty. */
  readonly filter: string
  /** Time of each test in milliseconds, setup and teardown included. */
  readonly timeoutMs: number
  readonly coverage: boolean
  /** How many files are run at once. */
  readonly filesAtOnce: number
  /** Hears of each file as soon as it and all before it are done. */
  readonly fileDone?: (result: FileResult) => void
  openWorker(): TestWorker
}

/**
 * Runs the tests of a plugin: files side by side, the tests of one file in order.
 *
 * @throws HostError when the plugin cannot be started.
 */
export async function runTests(plugin: TestedPlugin, options: TestRunOptions): Promise<TestReport> {
  const startedMs = performance.now()
  const total = new CoverageTotal()
  const covered = (lines: readonly CoveredLines[]) => total.add(lines)
  const results: (FileResult | undefined)[] = plugin.tests.map(() => undefined)
  let next = 0
  let told = 0
  const tell = () => {
    for (let result = results[told]; result !== undefined; result = results[told]) {
      told += 1
      if (result.tests.length > 0) options.fileDone?.(result)
    }
  }
  const work = async (): Promise<void> => {
    const worker = options.openWorker()
    try {
      for (let at = next++; at < plugin.tests.length; at = next++) {
        results[at] = await runTestFile(plugin.tests[at] as TestFile, { ...options, worker, covered })
        tell()
      }
    } finally {
      await worker.close()
    }
  }
  const workers = await Promise.allSettled(Array.from({ length: options.filesAtOnce }, work))
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason
  return {
    plugin: plugin.name,
    version: plugin.version,
    files: results.filter((result) => result !== undefined && result.tests.length > 0) as FileResult[],
    durationMs: performance.now() - startedMs,
    coverage: options.coverage ? await total.report(plugin.files) : undefined,
  }
}
