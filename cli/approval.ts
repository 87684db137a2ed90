import type { Command } from 'commander'
import type { ApprovalDiff, ApprovalItem } from '../sdk/client/index.js'
import { countItems, describeItem, kindsOfItems, nameItem, parseRoute } from './approval-items.js'
import {
  addSelectionOptions,
  assertSelection,
  type SelectionOptions,
  selectItems,
} from './approval-selection.js'
import { CliError } from './cli-error.js'
import { confirm } from './confirm.js'
import { addServerOptions, type Connection, connect, type ServerOptions } from './connection.js'
import type { CommandContext } from './context.js'
import { exitCodes } from './exit-codes.js'
import { paint, printable, printJson, printLine, printNote } from './output.js'

/** `approve` or `revoke`, which differ in little more than words. */
export interface ApprovalCommand {
  readonly verb: 'approve' | 'revoke'
  /** Past participle, also the key of the JSON result. */
  readonly done: 'approved' | 'revoked'
  readonly summary: string
  readonly description: string
  readonly help: string
}

interface ApprovalOptions extends ServerOptions, SelectionOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
}

/** Adds one of the two to `plugin`. */
export function addApprovalCommand(parent: Command, context: CommandContext, command: ApprovalCommand): void {
  const { verb, summary, description, help } = command
  const added = parent
    .command(verb)
    .argument('<name>', 'name of the plugin')
    .summary(summary)
    .description(description)
  addSelectionOptions(added)
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show what would be done, and do nothing')
  addServerOptions(added)
    .addHelpText('after', help)
    .action((name: string, options: ApprovalOptions) => run(context, command, name, options))
}

async function run(
  context: CommandContext,
  command: ApprovalCommand,
  name: string,
  options: ApprovalOptions,
): Promise<void> {
  assertSelection(options)
  const connection = await connect(context, options)
  const diff = await connection.client.plugins.diff(name)
  const selected = selectItems(name, options, [...diff.waiting, ...diff.approved])
  const changeable = new Set(command.verb === 'approve' ? diff.waiting : diff.approved)
  const changed = selected.filter((item) => changeable.has(item))
  if (changed.length > 0) printPlan(context, command, diff, changed)
  const applied = changed.length > 0 && !options.dryRun
  if (applied) await apply(context, connection, command, diff, changed, options)
  if (options.json) printJson(context, toJson(command, name, applied ? changed : [], options))
  else if (applied) printChanges(context, command, connection, name, changed)
  else if (changed.length > 0) printLine(context, 'nothing was changed (--dry-run)')
  else printLine(context, `nothing to do: all that is selected is ${command.done} already`)
}

function printPlan(
  context: CommandContext,
  { verb }: ApprovalCommand,
  { plugin, plugin_version }: ApprovalDiff,
  items: readonly ApprovalItem[],
): void {
  printNote(context, `To ${verb} for ${printable(`${plugin} ${plugin_version}`)}:`)
  for (const item of items) printNote(context, `  ${describeItem(context, item)}`)
}

/**
 * Asks once, then changes all items, a request for each kind.
 *
 * @throws CliError `DECLINED` when the person said no.
 */
async function apply(
  context: CommandContext,
  { client }: Connection,
  { verb, done }: ApprovalCommand,
  { plugin, content_hash }: ApprovalDiff,
  items: readonly ApprovalItem[],
  options: ApprovalOptions,
): Promise<void> {
  const isOne = items.length === 1
  const subject = isOne ? countItems(items).replace(/^1 /, 'this ') : `these ${countItems(items)}`
  const question = `${verb === 'approve' ? 'Approve' : 'Revoke'} ${subject}?`
  if (!(await confirm(context, question, options.yes ?? false))) {
    throw new CliError(exitCodes.failure, 'DECLINED', 'nothing was changed')
  }
  const changed: ApprovalItem[] = []
  for (const { kind, change } of kindsOfItems) {
    const own = items.filter((item) => item.kind === kind)
    if (own.length === 0) continue
    try {
      // What is approved is what was shown: the server refuses when another source has been loaded since.
      await change(
        client,
        verb,
        { plugin, content_hash },
        own.map(({ key }) => key),
      )
    } catch (thrown) {
      if (changed.length > 0) printNote(context, `${done} before this failed: ${countItems(changed)}`)
      throw thrown
    }
    changed.push(...own)
  }
}

function printChanges(
  context: CommandContext,
  { done }: ApprovalCommand,
  { url }: Connection,
  plugin: string,
  items: readonly ApprovalItem[],
): void {
  for (const item of items) {
    const { method, path } = parseRoute(item.key)
    const target =
      item.kind === 'route'
        ? `${method} ${url}/api/v1/plugins/${plugin}${path}`
        : `${nameItem(item).replace(/ +/, ' ')}`
    printLine(context, `${paint(context, 'green', `${done}:`)} ${printable(target)}`)
  }
}

function toJson(
  { done }: ApprovalCommand,
  plugin: string,
  items: readonly ApprovalItem[],
  { dryRun = false }: ApprovalOptions,
): object {
  const changed = items.map((item) => ({
    kind: item.kind,
    ...kindsOfItems.find(({ kind }) => kind === item.kind)?.fieldsOf(item),
  }))
  return { ok: true, plugin, dry_run: dryRun, [done]: changed }
}
