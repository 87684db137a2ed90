import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { readValue, valueHelp } from '../kv/value-words.js'
import { paint, printJson, printLine } from '../output.js'

const help = `${valueHelp}

Examples:
  $ modulacms kv enqueue '{"to":"ada@example.com"}' --queue mails
  $ modulacms kv enqueue '"wake up"' --delay 10m`

interface EnqueueOptions extends KvCommandOptions {
  readonly queue?: string
  readonly delay?: string
  readonly text?: boolean
}

/** Adds `kv enqueue`. */
export function addEnqueueCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('enqueue')
    .argument('<value>', 'the message as JSON, or - for standard input')
    .summary('put a message into a queue')
    .description('Put a message into a queue.')
    .option('-q, --queue <name>', 'name of the queue (default: default)')
    .option('--delay <duration>', 'time before the message is given out, e.g. 30s or 2h')
    .option('--text', 'take the message as a text, not as JSON')
  addKvOptions(command)
    .addHelpText('after', help)
    .action((value: string, options: EnqueueOptions) => enqueue(context, value, options))
}

async function enqueue(context: CommandContext, word: string, options: EnqueueOptions): Promise<void> {
  const { queue, delay, text = false } = options
  const value = await readValue(context, word, text)
  const kv = await connectKv(context, options)
  const result = await kv.queues.enqueue(value, {
    ...(queue === undefined ? {} : { queue }),
    ...(delay === undefined ? {} : { delay }),
  })
  if (options.json) return printJson(context, result)
  printLine(context, `${paint(context, 'green', 'ok:')} message ${result.id} waits`)
}
