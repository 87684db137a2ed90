import type { Config } from '../../src/config/schema.js'
import type { ServerCompanion, ServerFacts } from '../../src/main.js'
import { describeWaiting } from '../../src/startup-text.js'
import { CliError } from '../cli-error.js'
import type { CliContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { paint, printable, printNote } from '../output.js'
import { DevLog } from './dev-log.js'

export interface DevOptions {
  /** Approves everything that plugins ask for. */
  readonly approve: boolean
}

const debounceMs = 100
const actor = 'modulacms dev --approve'

/** What `modulacms dev` adds to a server: reload on every save, a log for people, approvals without asking. */
export function createDevSession(context: CliContext, { approve }: DevOptions): ServerCompanion {
  let facts: ServerFacts | undefined
  const log = new DevLog({
    colors: context.terminal.colors,
    write: (text) => context.terminal.writeError(text),
    loaded: (plugin) => {
      if (facts !== undefined) void settleApprovals(context, facts, approve, plugin)
    },
  })
  return {
    settings: { plugin_enabled: true, plugin_hot_reload: true, plugin_rate_limit: 1_000_000 },
    hotReload: { debounceMs, cooldownMs: 0 },
    prepare: (config) => {
      if (approve) assertLoopback(config)
      log.useDirectory(config.plugin_directory)
    },
    writeLog: (line) => log.write(line),
    started: async (started) => {
      facts = started
      if (approve) warnOfApproval(context)
      await settleApprovals(context, started, approve, undefined)
      printNote(
        context,
        `  watching ${printable(started.config.plugin_directory)}: a saved file is live at once`,
      )
    },
  }
}

/** Nobody else may reach a server on which everything is approved. */
function assertLoopback({ server: { host } }: Config): void {
  if (host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)) return
  throw new CliError(
    exitCodes.usage,
    'APPROVE_NOT_LOCAL',
    `--approve approves whatever plugins ask for, so it works on loopback addresses only, and the server would listen on ${printable(host)}; leave --approve out, or listen on 127.0.0.1`,
  )
}

function warnOfApproval(context: CliContext): void {
  const text =
    'WARNING: --approve is on: EVERYTHING that the plugins ask for is approved, also what they ask for later, and stays approved in the data directory'
  printNote(context, paint(context, 'red', text))
}

/** Approves what waits, or says with which command it is approved. */
async function settleApprovals(
  context: CliContext,
  { host, url }: ServerFacts,
  approve: boolean,
  plugin: string | undefined,
): Promise<void> {
  const waiting = host.status().waiting.filter((each) => plugin === undefined || each.plugin === plugin)
  for (const each of waiting) {
    const { what, command } = describeWaiting(each)
    if (!approve) {
      // The summary of the start has named those that wait since then.
      if (plugin === undefined) continue
      printNote(context, paint(context, 'yellow', `  waiting for approval: ${what}`))
      printNote(context, `    ${command} --url ${url}`)
      continue
    }
    const grants = each.grants.map(({ kind, key }) => ({ plugin: each.plugin, kind, key }))
    const approvals = [
      await host.plugins.approveRoutes(each.routes, actor),
      await host.plugins.approveGrants(grants, actor),
    ]
    const errors = approvals.flatMap((result) => result.errors)
    for (const error of errors) printNote(context, `  not approved: ${printable(error)}`)
    if (errors.length === 0) printNote(context, `  approved: ${what}`)
  }
}
