import { CommanderError } from 'commander'
import { ClientError } from '../sdk/client/index.js'
import { HostError, messageOf } from '../src/base/errors.js'
import { CliError } from './cli-error.js'
import type { CliContext } from './context.js'
import { type ExitCode, exitCodes } from './exit-codes.js'
import { paint, printableLines, printNote } from './output.js'

/** A failure as the command reports it. */
interface Failure {
  readonly exitCode: ExitCode
  readonly code: string
  readonly message: string
}

const exitCodeOfClientError: Readonly<Record<string, ExitCode>> = {
  SERVER_UNREACHABLE: exitCodes.serverNotRunning,
  PLUGIN_NOT_FOUND: exitCodes.notFound,
  PLUGIN_MIGRATION_NOT_FOUND: exitCodes.notFound,
  ROUTES_NOT_FOUND: exitCodes.notFound,
  GRANTS_NOT_FOUND: exitCodes.notFound,
  FORBIDDEN: exitCodes.unauthorized,
  AUTH_DENIED: exitCodes.unauthorized,
  GRANT_EXCEEDED: exitCodes.unauthorized,
  USER_BEYOND_REACH: exitCodes.unauthorized,
  USER_NOT_FOUND: exitCodes.notFound,
  ROLE_NOT_FOUND: exitCodes.notFound,
  KEY_NOT_FOUND: exitCodes.notFound,
  SESSION_NOT_FOUND: exitCodes.notFound,
  INVALID_URL: exitCodes.usage,
  INVALID_TOKEN: exitCodes.usage,
  KV_KEY_INVALID: exitCodes.usage,
  KV_VALUE_INVALID: exitCodes.usage,
  KV_OPTION_INVALID: exitCodes.usage,
  KV_WHERE_INVALID: exitCodes.usage,
  KV_NAMESPACE_INVALID: exitCodes.usage,
  KV_REQUEST_INVALID: exitCodes.usage,
  KV_INDEX_NOT_FOUND: exitCodes.notFound,
  PROXY_RULE_NOT_FOUND: exitCodes.notFound,
  POLICY_NOT_FOUND: exitCodes.notFound,
  POLICY_INVALID: exitCodes.usage,
  POLICY_CONTEXT_INVALID: exitCodes.usage,
}

/** What a text of the server does not say: how the part is turned on that somebody asks for. */
const remedies: Readonly<Record<string, string>> = {
  RATE_LIMIT_DISABLED: 'set gateway.rateLimit in the configuration of the server and start it again',
  SHELL_NOT_CONFIGURED: 'set gateway.shellDir in the configuration of the server and start it again',
  CACHE_NOT_ENABLED: 'set gateway.cache.enabled in the configuration of the server and start it again',
  PROXY_RULE_STATIC: 'it stands in gateway.proxy.rules of the configuration of the server',
  SHELL_BASENAME_INVALID: 'it may have letters, digits, "_" and "-"',
}

/**
 * Reports what a command threw and gives the exit code. With `json` the report is one JSON object on standard error,
 * so that standard output holds a whole result or nothing.
 */
export function reportFailure(context: CliContext, thrown: unknown, json: boolean): ExitCode {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return exitCodes.success
    // Commander has written its message by itself.
    if (!json) return exitCodes.usage
  }
  const { exitCode, code, message } = toFailure(thrown)
  if (json) printNote(context, JSON.stringify({ error: { code, message, exit_code: exitCode } }))
  else printNote(context, `${paint(context, 'red', 'error:')} ${printableLines(message)}`)
  return exitCode
}

function toFailure(thrown: unknown): Failure {
  if (thrown instanceof CliError) return thrown
  if (thrown instanceof CommanderError) return fromCommanderError(thrown)
  if (thrown instanceof ClientError) return fromClientError(thrown)
  if (thrown instanceof HostError) {
    const exitCode = thrown.code === 'CONFIG_INVALID' ? exitCodes.invalidConfiguration : exitCodes.failure
    return { exitCode, code: thrown.code, message: thrown.message }
  }
  return { exitCode: exitCodes.failure, code: 'UNEXPECTED', message: messageOf(thrown) }
}

function fromCommanderError({ code, message }: CommanderError): Failure {
  const text =
    code === 'commander.help' ? 'no command is given; --help lists them' : message.replace(/^error: /, '')
  return { exitCode: exitCodes.usage, code: 'USAGE', message: text }
}

function fromClientError(error: ClientError): Failure {
  const lines = [error.message, ...error.problems.map((problem) => `  ${problem}`)]
  if (error.status === 401) {
    lines[0] =
      'the server refused the token; is it the one of this server? See --token, MODULACMS_ADMIN_TOKEN and --data'
    // What another code says is about this very token, e.g. that it is revoked.
    if (error.code !== 'UNAUTHORIZED') lines.push(`  ${error.message}`)
  }
  const remedy = remedies[error.code]
  if (remedy !== undefined) lines.push(`  ${remedy}`)
  if (error.status >= 500 && error.requestId !== undefined) lines.push(`  request id: ${error.requestId}`)
  return {
    // 403 is also what an order may not do, whoever gives it; 401 is always about the token.
    exitCode:
      error.status === 401
        ? exitCodes.unauthorized
        : (exitCodeOfClientError[error.code] ?? exitCodes.failure),
    code: error.code,
    message: lines.join('\n'),
  }
}
