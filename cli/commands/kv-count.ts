import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { keyHelp, parsePrefix } from '../kv/key-words.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { parseWhere } from '../kv/value-words.js'
import { printJson, printLine } from '../output.js'

const help = `${keyHelp}

Examples:
  $ modulacms kv count
  $ modulacms kv count --prefix users --where '{"active":true}'`

interface CountOptions extends KvCommandOptions {
  readonly prefix?: string
  readonly where?: string
}

/** Adds `kv count`. */
export function addCountCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('count')
    .summary('count entries')
    .description('Count the entries below a prefix.')
    .option('-p, --prefix <key>', 'beginning of the keys; all without it')
    .option('--where <filter>', 'only entries whose value matches, a JSON object')
  addKvOptions(command)
    .addHelpText('after', help)
    .action((options: CountOptions) => count(context, options))
}

async function count(context: CommandContext, options: CountOptions): Promise<void> {
  const prefix = parsePrefix(options.prefix ?? '')
  const where = options.where === undefined ? {} : { where: parseWhere(options.where) }
  const kv = await connectKv(context, options)
  const number = await kv.count(prefix, where)
  if (options.json) return printJson(context, { count: number })
  printLine(context, String(number))
}
