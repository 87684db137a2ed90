/** Limits of the tests of plugins; they bound what a test may say, not what it may do. */
export const testLimits = {
  /** Test files of one plugin; more and no test is run. */
  filesMax: 200,
  /** Bytes of one test file; a larger one is not run. */
  fileBytesMax: 1024 * 1024,
  /** Failures of one test that are kept; further ones are only counted. */
  failuresMax: 50,
  /** Bytes of the message of one failure; the rest is cut. */
  messageBytesMax: 4 * 1024,
  /** Bytes of a text that a message shows; the rest is cut. */
  shownTextBytes: 200,
  /** Tables inside each other that a message shows. */
  shownDepth: 3,
  /** Members of a table that a message shows. */
  shownKeys: 12,
  /** Nesting of tables that are compared; deeper and the comparison raises. */
  comparedDepthMax: 100,
  /** Functions on the stack that are looked at for the line of a failure. */
  stackLevelsMax: 100,
  /** Mocks of outbound requests in one test; more raise. */
  mocksMax: 100,
  /** Outbound requests of one test that are remembered; older ones are forgotten. */
  requestsMax: 1000,
  /** Log lines of one test that are remembered; older ones are forgotten. */
  logLinesMax: 1000,
  /** Warnings and errors of the host that are shown under a failed test; further ones are left out. */
  problemsMax: 20,
  /** Time between two looks at after-hooks, or at messages, that are waited for. */
  waitPollMs: 5,
  /** Time after a change of a file in which further changes are waited for before the tests run again. */
  watchSettleMs: 150,
} as const
