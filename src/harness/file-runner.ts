import type { TestFailure } from '../capabilities/test/record.js'
import type { CallFailure } from '../sandbox/generation.js'
import type { CoveredLines } from '../sandbox/line-coverage.js'
import { type FileResult, loadTestName, type TestResult } from './results.js'
import type { TestFile } from './test-files.js'
import type { ListedTest, SessionRun, TestSession } from './test-session.js'

/** A host of its own for one test. */
export interface TestHost {
  readonly session: TestSession
  /** What was logged as warnings and errors so far. */
  readonly problems: readonly string[]
  close(): Promise<void>
}

/** What runs the tests of one file after the other; closed when there are no more. */
export interface TestWorker {
  /** Starts a fresh host; the caller closes it before the next one. Rejects when the plugin cannot be started. */
  startHost(): Promise<TestHost>
  close(): Promise<void>
}

export interface FileRunOptions {
  /** Only tests with this text in their names run; all when it is empty. */
  readonly filter: string
  readonly timeoutMs: number
  readonly worker: TestWorker
  covered(lines: readonly CoveredLines[]): void
}

/** Runs the tests of one file one after the other, each in a host and a database of its own. */
export async function runTestFile(file: TestFile, options: FileRunOptions): Promise<FileResult> {
  const { filter } = options
  const wanted = ({ name }: ListedTest) => name.includes(filter)
  const first = await runOne(file, options, (tests) => tests.find(wanted)?.name)
  const { tests } = first.run
  if (tests === undefined) return { file: file.path, text: file.text, tests: [resultOf(file, first)] }
  if (tests.length === 0) return { file: file.path, text: file.text, tests: [emptyFile(file, filter)].flat() }
  const [chosen, ...others] = tests.filter(wanted)
  const results = chosen === undefined ? [] : [resultOf(file, first)]
  for (const { name } of others) results.push(resultOf(file, await runOne(file, options, () => name)))
  return { file: file.path, text: file.text, tests: results }
}

interface Ran {
  readonly run: SessionRun
  readonly problems: readonly string[]
}

async function runOne(
  file: TestFile,
  { worker, timeoutMs, covered }: FileRunOptions,
  choose: (tests: readonly ListedTest[]) => string | undefined,
): Promise<Ran> {
  const host = await worker.startHost()
  try {
    const run = await host.session.run(file, choose, timeoutMs)
    return { run, problems: host.problems }
  } finally {
    await host.close()
    covered(host.session.covered)
  }
}

function resultOf(file: TestFile, { run, problems }: Ran): TestResult {
  const { chosen, record, outcome } = run
  const failures = [...record.failures]
  if (!outcome.ok) failures.push({ message: describeEnd(outcome), line: chosen?.line ?? 0, error: true })
  return {
    file: file.path,
    test: chosen?.name ?? loadTestName,
    passed: failures.length === 0,
    durationMs: run.durationMs,
    assertions: record.assertions,
    failures,
    log: failures.length === 0 ? [] : [...problems],
  }
}

/** A file without tests is a mistake, unless only some tests were asked for. */
function emptyFile(file: TestFile, filter: string): readonly TestResult[] {
  if (filter !== '') return []
  const message = 'there is no global function whose name starts with test_'
  const failures: TestFailure[] = [{ message, line: 0, error: true }]
  return [
    { file: file.path, test: loadTestName, passed: false, durationMs: 0, assertions: 0, failures, log: [] },
  ]
}

function describeEnd({ code, message }: CallFailure): string {
  switch (code) {
    case 'TIMEOUT':
      return 'it ran out of time and was stopped; --timeout gives it more'
    case 'INSTRUCTIONS':
      return `it was stopped: it ${message} (plugin_max_instructions)`
    case 'MEMORY':
      return `it was stopped: ${message} (plugin_max_memory)`
    case 'EXECUTOR_LOST':
      return 'it could not be stopped, and its thread was terminated'
    default:
      return message
  }
}
