/** Every exit code of the command. */
export const exitCodes = {
  success: 0,
  failure: 1,
  usage: 2,
  invalidPlugin: 3,
  serverNotRunning: 4,
  notFound: 5,
  unauthorized: 6,
  invalidConfiguration: 7,
} as const

/** One of `exitCodes`. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What each exit code tells a script. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: 'done, or nothing to do',
  1: 'understood, but it could not be done; or, for diff --exit-code, something waits for approval',
  2: 'wrong command line, or a question that nobody is there to answer (pass --yes)',
  3: 'the plugin is not valid',
  4: 'no server answers',
  5: 'no such plugin, folder, user, role, key or message, or nothing of that name that the plugin asks for',
  6: 'the server refused the token, or what it may not do',
  7: 'the configuration is not valid',
}

/** Gives the table as `--help` shows it. */
export function formatExitCodes(): string {
  const lines = Object.entries(exitCodeMeanings).map(([code, meaning]) => `  ${code}  ${meaning}`)
  return ['Exit codes:', ...lines].join('\n')
}
