import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { formatTable, printJson, printLine } from '../output.js'

const help = `
Examples:
  $ modulacms kv queues
  $ modulacms kv queues --queue mails --namespace plugin:newsletter --json`

interface QueuesOptions extends KvCommandOptions {
  readonly queue?: string
}

/** Adds `kv queues`. */
export function addQueuesCommand(parent: Command, context: CommandContext): void {
  const command = parent
    .command('queues')
    .summary('count the messages of queues')
    .description(
      'Count the messages that wait (delayed ones included), are being worked on, and are dead letters.',
    )
    .option('-q, --queue <name>', 'of one queue; of all of the namespace without it')
  addKvOptions(command)
    .addHelpText('after', help)
    .action((options: QueuesOptions) => count(context, options))
}

async function count(context: CommandContext, options: QueuesOptions): Promise<void> {
  const kv = await connectKv(context, options)
  const stats = await kv.queues.stats(options.queue)
  if (options.json) return printJson(context, stats)
  const { pending, processing, dlq, total } = stats
  const heading = ['PENDING', 'PROCESSING', 'DEAD LETTERS', 'TOTAL']
  printLine(context, formatTable(heading, [[pending, processing, dlq, total].map(String)]))
}
