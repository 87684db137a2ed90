import type { Command } from 'commander'
import type { KvKey } from '../../sdk/client/index.js'
import { CliError } from '../cli-error.js'
import { confirm } from '../confirm.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { keyHelp, parseKey, showKey } from '../kv/key-words.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { parseWhere } from '../kv/value-words.js'
import { printable, printJson, printLine } from '../output.js'

const help = `${keyHelp}
With --recursive it asks first. In a script, where nobody can be asked, pass --yes.

Examples:
  $ modulacms kv delete users/42
  $ modulacms kv delete users --recursive --where '{"active":false}' --yes`

interface DeleteOptions extends KvCommandOptions {
  readonly recursive?: boolean
  readonly where?: string
  readonly yes?: boolean
}

/** Adds `kv delete`. */
export function addDeleteCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('delete')
    .argument('<key>', 'key of the entry')
    .summary('delete an entry, or all below a key')
    .description('Delete an entry, or with --recursive everything below its key as well.')
    .option('-r, --recursive', 'delete what is below the key, too')
    .option('--where <filter>', 'only entries whose value matches, a JSON object')
    .option('-y, --yes', 'do not ask')
  addKvOptions(command)
    .addHelpText('after', help)
    .action((key: string, options: DeleteOptions) => remove(context, key, options))
}

async function remove(context: CommandContext, word: string, options: DeleteOptions): Promise<void> {
  const { recursive = false, yes = false } = options
  const key = parseKey(word)
  const where = options.where === undefined ? {} : { where: parseWhere(options.where) }
  const kv = await connectKv(context, options)
  if (recursive && !(await confirm(context, question(key, kv.namespace, options), yes))) {
    throw new CliError(exitCodes.failure, 'DECLINED', 'nothing was deleted')
  }
  const result = await kv.delete(key, { exact: !recursive, ...where })
  if (options.json) return printJson(context, result)
  printLine(context, result.deletedCount === 0 ? 'nothing to do: there is no such entry' : counted(result))
}

function counted({ deletedCount }: { readonly deletedCount: number }): string {
  return `deleted: ${deletedCount} ${deletedCount === 1 ? 'entry' : 'entries'}`
}

function question(key: KvKey, namespace: string, { where }: DeleteOptions): string {
  const which = where === undefined ? 'everything' : 'what matches'
  return printable(`Delete ${showKey(key)} and ${which} below it in ${namespace}?`)
}
