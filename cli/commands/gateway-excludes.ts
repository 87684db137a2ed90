import type { Command } from 'commander'
import type { GatewayShellExclude } from '../../sdk/client/index.js'
import type { CommandContext } from '../context.js'
import { finishServerCommand, printDone, printListing, showTime } from '../server-command.js'

/** Adds `gateway excludes` with what can be done about them. */
export function addExcludesCommand(parent: Command, context: CommandContext): void {
  const excludes = parent
    .command('excludes')
    .summary('say which pages are shown without the shell')
    .description(
      'Say which pages are shown without the shell, by the first name of their path: `admin` for /admin and all below it.',
    )
  addList(excludes, context)
  addChange(excludes, context, 'add')
  addChange(excludes, context, 'remove')
}

function addList(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent.command('list').description('List what the shell does not serve.'),
    context,
    examples: ['gateway excludes list'],
    run: async ({ gateway }, options) =>
      printListing(context, options, {
        items: await gateway.excludes.list(),
        heading: ['NAME', 'SOURCE', 'ADDED'],
        row: toRow,
        empty: 'the shell serves all pages',
      }),
  })
}

function toRow({ basename, source, addedAt }: GatewayShellExclude): readonly string[] {
  const from = source === 'env' ? 'configuration' : 'database'
  return [basename, from, addedAt === undefined ? '' : showTime(addedAt)]
}

function addChange(parent: Command, context: CommandContext, verb: 'add' | 'remove'): void {
  const isAdded = verb === 'add'
  const command = parent
    .command(verb)
    .argument('<name>', 'letters, digits, "_" and "-"')
    .description(
      isAdded ? 'Take the pages of a name from the shell.' : 'Give the pages of a name back to the shell.',
    )
  finishServerCommand({
    command,
    context,
    examples: [`gateway excludes ${verb} admin`],
    run: async ({ gateway }, options, [name = '']) => {
      const isDone = await gateway.excludes[verb](name)
      const now = isAdded ? `${name} is shown without the shell` : `${name} is shown in the shell`
      const answer = { [isAdded ? 'added' : 'removed']: isDone, basename: name }
      printDone(context, options, answer, isDone ? now : `nothing to do: ${now}`)
    },
  })
}
