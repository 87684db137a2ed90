/** One assertion that did not hold, or one error. */
export interface TestFailure {
  readonly message: string
  /** Line of the test file; 0 when it is not known. */
  readonly line: number
  /** True when code raised; absent for an assertion. */
  readonly error?: true
}

/** What one call of the kind `test` has found out; sent to the host also when the call was stopped. */
export interface TestRecord {
  readonly assertions: number
  readonly failures: readonly TestFailure[]
}

/** Kind of the reports that carry a `TestRecord`. */
export const testReport = 'test'
