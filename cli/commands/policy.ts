import type { Command } from 'commander'
import type { ListedPolicy, PolicyDocument } from '../../sdk/client/index.js'
import { confirm } from '../confirm.js'
import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { formatExitCodes } from '../exit-codes.js'
import { printJson, printNote } from '../output.js'
import { parseVersion, readDocument } from '../policies/policy-input.js'
import { finishServerCommand, printDone, printListing, showTime } from '../server-command.js'
import { addTryingCommands } from './policy-trying.js'

const help = (): string => `
The commands talk to a running server, which they find through --url or the configuration, with the admin token of its
data directory. Policies decide only where a rule in auth.http of its configuration names the authorizer "policies".

Example:
  $ modulacms policy set editors.json
  $ modulacms policy explain --subject u7 --role editor --path /api/v1/content/articles --method GET

${formatExitCodes()}`

interface ChangeOptions extends ServerOptions {
  readonly ifVersion?: number
}

/** Adds `policy` with its commands. */
export function addPolicyCommand(parent: Command, context: CommandContext): void {
  const policy = parent
    .command('policy')
    .summary('look at policies, change them and try them')
    .description('Look at the policies of a server, change them, and see what they decide.')
    .addHelpText('after', help())
  addList(policy, context)
  addShow(policy, context)
  addSet(policy, context)
  addDelete(policy, context)
  addHistory(policy, context)
  addTryingCommands(policy, context)
}

function addList(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent.command('list').description('List policies in the order in which they are looked at.'),
    context,
    examples: ['policy list'],
    run: async ({ policies }, options) => {
      printListing(context, options, {
        items: await policies.list(),
        heading: ['ID', 'EFFECT', 'PRIORITY', 'STATE', 'FROM', 'NAME'],
        row: toRow,
        empty: 'there is no policy',
      })
      if (options.json) return
      const { algorithm, defaultEffect, inUse } = await policies.status()
      printNote(context, `${algorithm}, ${defaultEffect} where none applies`)
      if (!inUse) printNote(context, 'no rule names the authorizer "policies": they decide nothing')
    },
  })
}

function toRow({ id, policy, priority, source }: ListedPolicy): readonly string[] {
  if (policy === undefined) return [id, '?', String(priority), 'unusable', source, '']
  const { effect, enabled = true, name = '' } = policy
  return [id, effect, String(priority), enabled ? 'on' : 'off', source, name]
}

function addShow(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent
      .command('show')
      .argument('<id>', 'as `list` shows it')
      .description('Show a policy as JSON, as `set` takes it; with --json, where it comes from as well.'),
    context,
    examples: ['policy show editors > editors.json'],
    run: async ({ policies }, { json }, [id = '']) => {
      const listed = await policies.get(id)
      printJson(context, json ? listed : (listed.policy ?? listed))
    },
  })
}

function addSet(parent: Command, context: CommandContext): void {
  const command = parent
    .command('set')
    .argument('<file>', 'file with a policy as JSON, or - for standard input')
    .description('Add a policy, or put it in the place of the one with its id.')
    .option('--if-version <number>', 'only where there is this version, 0 for none', parseVersion)
  finishServerCommand<ChangeOptions>({
    command,
    context,
    examples: ['policy set editors.json', 'policy set - --if-version 3 < editors.json'],
    run: async ({ policies }, options, [file = '']) => {
      const document = await readDocument(context, file)
      // Without an id there is no path; the server says what else is wrong.
      const listed =
        typeof document.id === 'string' && document.id !== ''
          ? await policies.put(document.id, document as unknown as PolicyDocument, {
              version: options.ifVersion,
            })
          : await policies.create(document as unknown as PolicyDocument)
      printDone(context, options, listed, `${listed.id} is in force as version ${listed.version}`)
    },
  })
}

function addDelete(parent: Command, context: CommandContext): void {
  const command = parent
    .command('delete')
    .argument('<id>', 'as `list` shows it')
    .description('Delete a policy; its history stays for a while.')
    .option('--if-version <number>', 'only where there is this version', parseVersion)
    .option('--yes', 'do not ask')
  finishServerCommand<ChangeOptions & { readonly yes?: boolean }>({
    command,
    context,
    examples: ['policy delete editors --yes'],
    run: async ({ policies }, options, [id = '']) => {
      const { ifVersion: version, yes = false } = options
      if (!(await confirm(context, `Delete the policy ${id}?`, yes))) return
      await policies.delete(id, { version })
      printDone(context, options, { success: true }, `the policy ${id} is gone`)
    },
  })
}

function addHistory(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent
      .command('history')
      .argument('<id>', 'also of a policy that was deleted')
      .description('List the versions of a policy that are kept, the newest first; --json has them whole.'),
    context,
    examples: ['policy history editors', 'policy history editors --json'],
    run: async ({ policies }, options, [id = '']) =>
      printListing(context, options, {
        items: await policies.history(id),
        heading: ['VERSION', 'CHANGE', 'TIME', 'BY'],
        row: ({ version, change, changedAt, changedBy }) => [
          String(version),
          change,
          showTime(changedAt),
          changedBy,
        ],
        empty: 'no version is kept: it is a policy of the configuration',
      }),
  })
}
