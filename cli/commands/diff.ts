import type { Command } from 'commander'
import type { ApprovalDiff, ApprovalItem, DroppedApproval } from '../../sdk/client/index.js'
import { approveCommand, describeItem, nameItem } from '../approval-items.js'
import { addServerOptions, connect, type ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { printable, printJson, printLine } from '../output.js'

interface DiffOptions extends ServerOptions {
  readonly exitCode?: boolean
}

const help = `
Ends with 0 whatever it finds; with --exit-code it ends with 1 when something waits for approval, for scripts.

Examples:
  $ modulacms plugin diff task_tracker
  $ modulacms plugin diff task_tracker --exit-code --json`

/** Adds `plugin diff`. */
export function addDiffCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('diff')
    .argument('<name>', 'name of the plugin')
    .summary('compare what a plugin asks for with what is approved')
    .description(
      'Show what the loaded version of a plugin asks for and is not approved, what is approved, and what was dropped since the last approval.',
    )
    .option('--exit-code', 'end with 1 when something waits for approval')
  addServerOptions(command)
    .addHelpText('after', help)
    .action((name: string, options: DiffOptions) => diff(context, name, options))
}

async function diff(context: CommandContext, name: string, options: DiffOptions): Promise<void> {
  const { client } = await connect(context, options)
  const found = await client.plugins.diff(name)
  if (options.json) printJson(context, found)
  else printDiff(context, found)
  if (options.exitCode && found.waiting.length > 0) context.setExitCode(exitCodes.failure)
}

function printDiff(context: CommandContext, diff: ApprovalDiff): void {
  const { plugin, plugin_version, waiting, approved, dropped } = diff
  printLine(context, printable(`${plugin} ${plugin_version}`))
  if (waiting.length + approved.length + dropped.length === 0) {
    printLine(context, 'asks for nothing')
    return
  }
  printItems(context, 'waiting for approval:', waiting)
  printItems(context, 'approved:', approved)
  printDropped(context, dropped)
  if (waiting.length === 0) return
  printLine(context, `approve what waits with: ${approveCommand(plugin, waiting)}`)
}

function printItems(context: CommandContext, heading: string, items: readonly ApprovalItem[]): void {
  if (items.length > 0) printLine(context, heading)
  for (const item of items) printLine(context, `  ${describeItem(context, item)}`)
}

function printDropped(context: CommandContext, dropped: readonly DroppedApproval[]): void {
  if (dropped.length > 0) printLine(context, 'no longer asked for since the last approval:')
  for (const item of dropped) {
    const former = `was approved for ${item.plugin_version} by ${item.approved_by}`
    printLine(context, `  ${printable(`${nameItem(item)}  (${former})`)}`)
  }
}
