import type { TestFailure } from '../capabilities/test/record.js'

/** Name of the result that stands for a file which could not be loaded. */
export const loadTestName = '(load)'

/** What became of one test. */
export interface TestResult {
  /** Path of the file in the plugin's folder, e.g. `test/notes.test.lua`. */
  readonly file: string
  readonly test: string
  readonly passed: boolean
  readonly durationMs: number
  readonly assertions: number
  readonly failures: readonly TestFailure[]
  /** What the host logged as warnings and errors meanwhile; a handler's error is only there. */
  readonly log: readonly string[]
}

/** What became of the tests of one file, in the order in which they ran. */
export interface FileResult {
  readonly file: string
  /** Text of the file as it was run, for excerpts. */
  readonly text: string
  readonly tests: readonly TestResult[]
}

/** Which lines of one file of the plugin can run, and how often each of them has. */
export interface FileCoverage {
  readonly file: string
  /** Count of each line that can run, in ascending order of the lines. */
  readonly lines: ReadonlyMap<number, number>
}

/** What became of all tests of a plugin. */
export interface TestReport {
  readonly plugin: string
  readonly version: string
  /** In the order of their paths; without files of which no test was chosen. */
  readonly files: readonly FileResult[]
  readonly durationMs: number
  /** Undefined when it was not asked for. */
  readonly coverage: readonly FileCoverage[] | undefined
}
