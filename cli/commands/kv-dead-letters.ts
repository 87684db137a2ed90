import type { Command } from 'commander'
import type { Kv, KvDeadLetter } from '../../sdk/client/index.js'
import { toWire, type Wire } from '../../sdk/client/kv/wire.js'
import { CliError } from '../cli-error.js'
import { confirm } from '../confirm.js'
import type { CommandContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { addKvOptions, connectKv, type KvCommandOptions } from '../kv/kv-connection.js'
import { parseCount } from '../kv/numbers.js'
import { showValue } from '../kv/value-words.js'
import { formatTable, paint, printable, printJson, printLine, printNote } from '../output.js'

const help = `
Example:
  $ modulacms kv dead-letters list --queue mails
  $ modulacms kv dead-letters show 17
  $ modulacms kv dead-letters requeue 17`

interface LetterOptions extends KvCommandOptions {
  readonly queue?: string
  readonly limit: number
  readonly yes?: boolean
}

/** Adds `kv dead-letters` with what can be done about them. */
export function addDeadLettersCommand(parent: Command, context: CommandContext): void {
  const letters = parent
    .command('dead-letters')
    .summary('look at messages of which all tries have failed')
    .description('Look at messages of which all tries have failed; put them back, or delete them.')
    .addHelpText('after', help)
  addList(letters, context)
  addShow(letters, context)
  addRequeue(letters, context)
  addDelete(letters, context)
  addPurge(letters, context)
}

function addList(parent: Command, context: CommandContext): void {
  const command = parent
    .command('list')
    .description('List dead letters, the newest failure first.')
    .option('-q, --queue <name>', 'of one queue; of all of the namespace without it')
    .option('-l, --limit <count>', 'dead letters at most', parseCount, 100)
  addKvOptions(command)
    .addHelpText('after', '\nExample:\n  $ modulacms kv dead-letters list --queue mails')
    .action(async (options: LetterOptions) => {
      const { queue, limit } = options
      const kv = await connectKv(context, options)
      const letters = await kv.queues.deadLetters({ limit, ...(queue === undefined ? {} : { queue }) })
      if (options.json) printJson(context, letters.map(toJson))
      else if (letters.length === 0) printNote(context, 'there are no dead letters')
      else printLine(context, formatTable(['ID', 'QUEUE', 'TRIES', 'ERROR', 'VALUE'], letters.map(toRow)))
    })
}

function addShow(parent: Command, context: CommandContext): void {
  const command = parent
    .command('show')
    .argument('<id>', 'id of the dead letter')
    .description('Show a dead letter as JSON.')
  addKvOptions(command)
    .addHelpText('after', '\nExample:\n  $ modulacms kv dead-letters show 17')
    .action(async (id: string, options: LetterOptions) => {
      const letter = await (await connectKv(context, options)).queues.deadLetter(id)
      if (letter === undefined) throw unknown(id)
      printJson(context, toJson(letter))
    })
}

function addRequeue(parent: Command, context: CommandContext): void {
  addChange(parent, context, {
    verb: 'requeue',
    description: 'Put dead letters back into their queues, with all their tries.',
    change: async (kv, id) => (await kv.queues.requeue(id)) !== undefined,
  })
}

function addDelete(parent: Command, context: CommandContext): void {
  addChange(parent, context, {
    verb: 'delete',
    description: 'Delete dead letters for good.',
    change: (kv, id) => kv.queues.deleteDeadLetter(id),
  })
}

/** Something that is done to dead letters one by one. */
interface LetterChange {
  readonly verb: string
  readonly description: string
  /** Resolves to false when there is no such dead letter. */
  change(kv: Kv, id: string): Promise<boolean>
}

function addChange(
  parent: Command,
  context: CommandContext,
  { verb, description, change }: LetterChange,
): void {
  const command = parent.command(verb).argument('<ids...>', 'ids of dead letters').description(description)
  addKvOptions(command)
    .addHelpText('after', `\nExample:\n  $ modulacms kv dead-letters ${verb} 17 18`)
    .action(async (ids: readonly string[], options: LetterOptions) => {
      const kv = await connectKv(context, options)
      for (const id of ids) if (!(await change(kv, id))) throw unknown(id)
      if (options.json) printJson(context, { ok: true, ids })
      else printLine(context, `${paint(context, 'green', 'ok:')} ${verb} ${printable(ids.join(', '))}`)
    })
}

function addPurge(parent: Command, context: CommandContext): void {
  const command = parent
    .command('purge')
    .description('Delete all dead letters for good.')
    .option('-q, --queue <name>', 'of one queue; of all of the namespace without it')
    .option('-y, --yes', 'do not ask')
  addKvOptions(command)
    .addHelpText('after', '\nExample:\n  $ modulacms kv dead-letters purge --queue mails --yes')
    .action(async (options: LetterOptions) => {
      const { queue, yes = false } = options
      const kv = await connectKv(context, options)
      const which = queue === undefined ? `all queues of ${kv.namespace}` : `the queue ${queue}`
      if (!(await confirm(context, printable(`Delete all dead letters of ${which}?`), yes))) {
        throw new CliError(exitCodes.failure, 'DECLINED', 'nothing was deleted')
      }
      const deletedCount = await kv.queues.purgeDeadLetters(queue)
      if (options.json) printJson(context, { deletedCount })
      else printLine(context, `deleted: ${deletedCount} dead letters`)
    })
}

function toRow({ id, queue, attempts, errorMessage, value }: KvDeadLetter): readonly string[] {
  return [id, queue, String(attempts), errorMessage.slice(0, 60), showValue(value)]
}

function toJson(letter: KvDeadLetter): Wire {
  return { ...letter, value: toWire(letter.value) }
}

function unknown(id: string): CliError {
  return new CliError(exitCodes.notFound, 'KV_DEAD_LETTER_NOT_FOUND', `there is no dead letter "${id}"`)
}
