import type { TestReport } from '../../src/harness/results.js'

/** Gives one object for each test, in the order in which they ran. */
export function jsonReport({ files }: TestReport): readonly unknown[] {
  return files
    .flatMap(({ tests }) => tests)
    .map(({ file, test, passed, durationMs, assertions, failures }) => ({
      file,
      test,
      passed,
      duration_ms: Math.round(durationMs * 1000) / 1000,
      assertions,
      failures: failures.map(({ message, line, error }) => ({
        message,
        line,
        ...(error === true ? { error } : {}),
      })),
    }))
}
