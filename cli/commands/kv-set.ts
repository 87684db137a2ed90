import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { keyHelp, parseKey, showKey } from '../kv/key-words.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { readValue, valueHelp } from '../kv/value-words.js'
import { paint, printable, printJson, printLine } from '../output.js'

const help = `${keyHelp}
${valueHelp}

Examples:
  $ modulacms kv set users/42 '{"name":"Ada"}'
  $ modulacms kv set session/9f2 --text "just a text" --expires-in 30m
  $ modulacms kv set pages/home - < home.json`

interface SetOptions extends KvCommandOptions {
  readonly expiresIn?: string
  readonly text?: boolean
}

/** Adds `kv set`. */
export function addSetCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('set')
    .argument('<key>', 'key of the entry')
    .argument('<value>', 'its value as JSON, or - for standard input')
    .summary('write an entry')
    .description('Write an entry, whether there is one already or not.')
    .option(
      '--expires-in <duration>',
      'time until the entry is gone, e.g. 500ms, 30s, 2h, 1d; it stays without it',
    )
    .option('--text', 'take the value as a text, not as JSON')
  addKvOptions(command)
    .addHelpText('after', help)
    .action((key: string, value: string, options: SetOptions) => set(context, key, value, options))
}

async function set(
  context: CommandContext,
  keyWord: string,
  valueWord: string,
  options: SetOptions,
): Promise<void> {
  const { expiresIn, text = false } = options
  const key = parseKey(keyWord)
  const value = await readValue(context, valueWord, text)
  const kv = await connectKv(context, options)
  const result = await kv.set(key, value, expiresIn === undefined ? {} : { expiresIn })
  if (options.json) return printJson(context, result)
  printLine(context, `${paint(context, 'green', 'ok:')} ${printable(showKey(key))} is set in ${kv.namespace}`)
}
