import type { Command } from 'commander'
import type { GatewayProxyRule } from '../../sdk/client/index.js'
import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { finishServerCommand, printDone, printListing } from '../server-command.js'

interface AddOptions extends ServerOptions {
  readonly name?: string
  readonly rewrite?: string
  readonly changeOrigin?: boolean
  readonly identity?: boolean
  readonly disabled?: boolean
}

/** Adds `gateway proxy` with what can be done about its rules. */
export function addProxyCommand(parent: Command, context: CommandContext): void {
  const proxy = parent
    .command('proxy')
    .summary('say which paths other servers answer')
    .description('Say which paths other servers answer.')
  addList(proxy, context)
  addAdd(proxy, context)
  addToggle(proxy, context)
  addRemove(proxy, context)
}

function addList(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent.command('list').description('List the rules in the order in which they are looked at.'),
    context,
    examples: ['gateway proxy list'],
    run: async ({ gateway }, options) =>
      printListing(context, options, {
        items: await gateway.proxy.list(),
        heading: ['ID', 'STATE', 'PATTERN', 'TARGET', 'REWRITE', 'NAME'],
        row: toRow,
        empty: 'there is no rule: no path is answered by another server',
      }),
  })
}

function toRow({ id, enabled, pattern, target, rewrite, name }: GatewayProxyRule): readonly string[] {
  return [id, enabled ? 'on' : 'off', pattern, target, rewrite ?? '', name ?? '']
}

function addAdd(parent: Command, context: CommandContext): void {
  const command = parent
    .command('add')
    .argument('<pattern>', "regular expression that the path has to match, e.g. '^/shop/(.*)$'")
    .argument('<target>', 'http or https URL; its path stands in front')
    .description('Add a rule behind all others. Whatever else a rule can have is set through the API.')
    .option('--name <text>', 'what people call it')
    .option('--rewrite <path>', 'path at the target; $1, $2 and so on are groups of the pattern')
    .option('--change-origin', 'send Host and Origin of the target')
    .option('--identity', 'tell the target in X-Identity who sends a request')
    .option('--disabled', 'add it without turning it on')
  finishServerCommand<AddOptions>({
    command,
    context,
    examples: ["gateway proxy add '^/shop/(.*)$' http://127.0.0.1:3000 --rewrite '/$1'"],
    run: async ({ gateway }, options, [pattern = '', target = '']) => {
      const { name, rewrite, changeOrigin, identity, disabled } = options
      const rule = await gateway.proxy.add({
        pattern,
        target,
        ...(name !== undefined && { name }),
        ...(rewrite !== undefined && { rewrite }),
        ...(changeOrigin && { changeOrigin }),
        ...(identity && { identity }),
        ...(disabled && { enabled: false }),
      })
      printDone(
        context,
        options,
        rule,
        `${pattern} is answered by ${target}, by the rule ${rule.id}${stateOf(rule)}`,
      )
    },
  })
}

function addToggle(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent
      .command('toggle')
      .argument('<id>', 'as `list` shows it')
      .description('Turn a rule on that is off, or off that is on.'),
    context,
    examples: ['gateway proxy toggle 0f8fad5b-d9cb-469f-a165-70867728950e'],
    run: async ({ gateway }, options, [id = '']) => {
      const rule = await gateway.proxy.toggle(id)
      printDone(context, options, rule, `the rule ${id} is ${rule.enabled ? 'on' : 'off'}`)
    },
  })
}

function addRemove(parent: Command, context: CommandContext): void {
  finishServerCommand({
    command: parent.command('remove').argument('<id>', 'as `list` shows it').description('Delete a rule.'),
    context,
    examples: ['gateway proxy remove 0f8fad5b-d9cb-469f-a165-70867728950e'],
    run: async ({ gateway }, options, [id = '']) => {
      await gateway.proxy.remove(id)
      printDone(context, options, { success: true }, `the rule ${id} is gone`)
    },
  })
}

function stateOf({ enabled }: GatewayProxyRule): string {
  return enabled ? '' : ', which is off'
}
