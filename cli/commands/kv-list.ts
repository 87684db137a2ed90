import type { Command } from 'commander'
import type { KvEntry } from '../../sdk/client/index.js'
import type { CommandContext } from '../context.js'
import { keyHelp, parsePrefix, showKey } from '../kv/key-words.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { parseCount } from '../kv/numbers.js'
import { entryToJson, parseWhere, showValue } from '../kv/value-words.js'
import { formatTable, printJson, printLine, printNote } from '../output.js'

const help = `${keyHelp}
To read everything, whatever its size, use \`modulacms kv export\`.

Examples:
  $ modulacms kv list --prefix users
  $ modulacms kv list --prefix users --where '{"age":{"$gte":18}}' --limit 10 --json`

interface ListOptions extends KvCommandOptions {
  readonly prefix?: string
  readonly limit: number
  readonly reverse?: boolean
  readonly where?: string
}

/** Adds `kv list`. */
export function addListCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('list')
    .summary('list entries')
    .description('List the entries below a prefix, in the order of their keys.')
    .option('-p, --prefix <key>', 'beginning of the keys; all without it')
    .option('-l, --limit <count>', 'entries at most', parseCount, 100)
    .option('--reverse', 'the last ones first')
    .option('--where <filter>', 'only entries whose value matches, a JSON object')
  addKvOptions(command)
    .addHelpText('after', help)
    .action((options: ListOptions) => list(context, options))
}

async function list(context: CommandContext, options: ListOptions): Promise<void> {
  const { limit, reverse = false } = options
  const prefix = parsePrefix(options.prefix ?? '')
  const where = options.where === undefined ? {} : { where: parseWhere(options.where) }
  const kv = await connectKv(context, options)
  const entries: KvEntry[] = []
  let hasMore = false
  // One more than is shown tells whether there is more.
  for await (const entry of kv.list({ prefix }, { limit: limit + 1, reverse, ...where })) {
    hasMore = entries.length === limit
    if (!hasMore) entries.push(entry)
  }
  if (options.json) printJson(context, entries.map(entryToJson))
  else if (entries.length === 0) printNote(context, `there is no such entry in ${kv.namespace}`)
  else printLine(context, formatTable(['KEY', 'VALUE'], entries.map(toRow)))
  if (hasMore) printNote(context, `there are more; --limit shows more than ${limit}`)
}

function toRow({ key, value }: KvEntry): readonly string[] {
  return [showKey(key), showValue(value)]
}
