import type { Command } from 'commander'
import type { KvBatch, KvChange } from '../../sdk/client/index.js'
import { keyToWire, toWire } from '../../sdk/client/kv/wire.js'
import { CliError } from '../cli-error.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { keyHelp, parseKey, parsePrefix, showKey } from '../kv/key-words.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { parseCount } from '../kv/numbers.js'
import { showValue } from '../kv/value-words.js'
import { printable, printNote } from '../output.js'

const help = `${keyHelp}
It goes on until it is interrupted, or for as many changes as --limit says. What there is already comes first; a connection
that is lost is made again, and nothing in between is missed. With --json every change is a line of JSON.

Examples:
  $ modulacms kv watch users/42 users/43
  $ modulacms kv watch --prefix users --no-initial --json`

interface WatchOptions extends KvCommandOptions {
  readonly prefix?: string
  readonly initial: boolean
  readonly limit?: number
}

/** Adds `kv watch`. */
export function addWatchCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('watch')
    .argument('[keys...]', 'keys of entries')
    .summary('print changes as they happen')
    .description('Print the changes of some entries, or of all below a prefix, as they happen.')
    .option('-p, --prefix <key>', 'beginning of the keys, itself included; the empty text for all')
    .option('--no-initial', 'leave out what there is already')
    .option('-l, --limit <count>', 'stop after this many changes', parseCount)
  addKvOptions(command)
    .addHelpText('after', help)
    .action((keys: readonly string[], options: WatchOptions) => watch(context, keys, options))
}

async function watch(
  context: CommandContext,
  words: readonly string[],
  options: WatchOptions,
): Promise<void> {
  const { initial, limit = Number.POSITIVE_INFINITY } = options
  const target = targetOf(words, options)
  const kv = await connectKv(context, options)
  const onError = (error: Error) => printNote(context, `${printable(error.message)}; trying again`)
  let shown = 0
  for await (const batch of kv.watch(target, { initial, onError })) {
    const changes = batch.changes.slice(0, limit - shown)
    const text = changes
      .map((change) => `${options.json ? jsonOf(change) : lineOf(change, batch)}\n`)
      .join('')
    await context.terminal.stream(text)
    shown += changes.length
    if (shown >= limit) return
  }
}

function targetOf(words: readonly string[], { prefix }: WatchOptions) {
  if ((prefix === undefined) === (words.length === 0)) {
    throw new CliError(exitCodes.usage, 'USAGE', 'name the keys to watch, or a --prefix, but not both')
  }
  return prefix === undefined ? { keys: words.map(parseKey) } : { prefix: parsePrefix(prefix) }
}

function lineOf({ type, key, value }: KvChange, { reset }: KvBatch): string {
  const word = reset && type === 'set' ? 'is    ' : type.padEnd(6)
  return `${word} ${printable(showKey(key))}${type === 'set' ? ` ${showValue(value)}` : ''}`
}

function jsonOf({ type, key, value, versionstamp }: KvChange): string {
  return printable(JSON.stringify({ type, key: keyToWire(key), value: toWire(value), versionstamp }))
}
