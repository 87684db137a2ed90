import type { Command } from 'commander'
import { toWire } from '../../sdk/client/kv/wire.js'
import { CliError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { keyHelp, parseKey, showKey } from '../kv/key-words.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { entryToJson } from '../kv/value-words.js'
import { printJson } from '../output.js'

const help = `${keyHelp}

Examples:
  $ modulacms kv get users/42
  $ modulacms kv get '["users","42"]' --json`

/** Adds `kv get`. */
export function addGetCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('get')
    .argument('<key>', 'key of the entry')
    .summary('print the value of an entry')
    .description('Print the value of an entry as JSON; with --json the entry, its versionstamp included.')
  addKvOptions(command)
    .addHelpText('after', help)
    .action((key: string, options: KvCommandOptions) => get(context, key, options))
}

async function get(context: CommandContext, word: string, options: KvCommandOptions): Promise<void> {
  const key = parseKey(word)
  const kv = await connectKv(context, options)
  const entry = await kv.get(key)
  if (entry.versionstamp === null) {
    const message = `there is no entry ${showKey(key)} in ${kv.namespace}`
    throw new CliError(exitCodes.notFound, 'KV_KEY_NOT_FOUND', message)
  }
  printJson(context, options.json ? entryToJson(entry) : toWire(entry.value))
}
