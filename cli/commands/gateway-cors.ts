import { type Command, InvalidArgumentError } from 'commander'
import type { GatewayCorsRule } from '../../sdk/client/index.js'
import { CliError } from '../cli-error.js'
import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { finishServerCommand, printDone, printListing } from '../server-command.js'

interface AddOptions extends ServerOptions {
  readonly name?: string
  readonly method?: readonly string[]
  readonly allowHeader?: readonly string[]
  readonly exposeHeader?: readonly string[]
  readonly credentials?: boolean
  readonly maxAge?: number
}

/** Adds `gateway cors` with what can be done about its rules. */
export function addCorsCommand(parent: Command, context: CommandContext): void {
  const cors = parent
    .command('cors')
    .summary('say which pages of other origins may read answers')
    .description('Say which pages of other origins may read answers of the server.')
  addList(cors, context)
  addAdd(cors, context)
  addRemove(cors, context)
}

function addList(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent.command('list').description('List the rules in the order in which they are looked at.'),
    context,
    examples: ['gateway cors list'],
    run: async ({ gateway }, options) =>
      printListing(context, options, {
        items: await gateway.cors.list(),
        heading: ['ID', 'NAME', 'ORIGINS', 'METHODS', 'COOKIES'],
        row: toRow,
        empty: 'there is no rule: pages of other origins may read nothing',
      }),
  })
}

function toRow({ id, name, origins, methods, credentials }: GatewayCorsRule): readonly string[] {
  return [id, name, origins.join(','), methods.join(','), credentials ? 'yes' : 'no']
}

function addAdd(parent: Command, context: CommandContext): void {
  const command = parent
    .command('add')
    .argument('<origins...>', 'e.g. https://app.example.com, *.example.com or *')
    .description('Add a rule. It is looked at after the others, and before that of the configuration.')
    .option('--name <text>', 'what people call it (default: the first origin)')
    .option('--method <methods...>', 'methods that a preflight allows (default: all usual ones)')
    .option(
      '--allow-header <names...>',
      'request headers that a preflight allows (default: what is asked for)',
    )
    .option('--expose-header <names...>', 'response headers that pages may read')
    .option('--credentials', 'let requests carry cookies; not with *')
    .option('--max-age <seconds>', 'seconds that a browser may keep the answer to a preflight', parseSeconds)
  finishServerCommand<AddOptions>({
    command,
    context,
    examples: ['gateway cors add https://app.example.com --credentials', "gateway cors add '*' --method GET"],
    run: async ({ gateway }, options, origins) => {
      const { name, method, allowHeader, exposeHeader, credentials, maxAge } = options
      const rule = await gateway.cors.add({
        name: name ?? origins[0] ?? '',
        origins,
        ...(method && { methods: method }),
        ...(allowHeader && { allowedHeaders: allowHeader }),
        ...(exposeHeader && { exposedHeaders: exposeHeader }),
        ...(credentials && { credentials }),
        ...(maxAge !== undefined && { maxAge }),
      })
      printDone(
        context,
        options,
        rule,
        `pages of ${rule.origins.join(', ')} may read answers, by the rule ${rule.id}`,
      )
    },
  })
}

function addRemove(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent.command('remove').argument('<id>', 'as `list` shows it').description('Remove a rule.'),
    context,
    examples: ['gateway cors remove 0f8fad5b-d9cb-469f-a165-70867728950e'],
    run: async ({ gateway }, options, [id = '']) => {
      if (!(await gateway.cors.remove(id))) {
        throw new CliError(exitCodes.notFound, 'CORS_RULE_NOT_FOUND', `there is no rule "${id}"`)
      }
      printDone(context, options, { removed: true }, `the rule ${id} is gone`)
    },
  })
}

function parseSeconds(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 0.')
}
