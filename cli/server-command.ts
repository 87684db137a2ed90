import type { Command } from 'commander'
import type { Client } from '../sdk/client/index.js'
import { addServerOptions, connect, type ServerOptions } from './connection.js'
import type { CommandContext } from './context.js'
import { formatTable, paint, printable, printJson, printLine, printNote } from './output.js'

/** A command that asks a running server for something. */
export interface ServerCommand<Options extends ServerOptions = ServerOptions> {
  readonly command: Command
  readonly context: CommandContext
  /** Behind the name of the program, e.g. `gateway logs --limit 5`. */
  readonly examples: readonly string[]
  /** Called with a client of the server, the options and the arguments. */
  run(client: Client, options: Options, words: readonly string[]): Promise<void>
}

/** Gives a command the options of a server, its examples and what it does. */
export function finishServerCommand<Options extends ServerOptions = ServerOptions>({
  command,
  context,
  examples,
  run,
}: ServerCommand<Options>): void {
  const heading = examples.length === 1 ? 'Example' : 'Examples'
  const lines = examples.map((example) => `  $ modulacms ${example}`)
  addServerOptions(command)
    .addHelpText('after', `\n${heading}:\n${lines.join('\n')}`)
    .action(async (...given: unknown[]) => {
      // Arguments, then the options, then the command itself.
      const words = given.slice(0, -2).flat() as readonly string[]
      const options = given.at(-2) as Options
      const { client } = await connect(context, options)
      await run(client, options, words)
    })
}

/** A list as a table, as JSON, or as a note when it is empty. */
export interface Listing<Item> {
  readonly items: readonly Item[]
  readonly heading: readonly string[]
  row(item: Item): readonly string[]
  readonly empty: string
}

/** Prints a list. */
export function printListing<Item>(
  context: CommandContext,
  { json }: ServerOptions,
  { items, heading, row, empty }: Listing<Item>,
): void {
  if (json) printJson(context, items)
  else if (items.length === 0) printNote(context, empty)
  else printLine(context, formatTable(heading, items.map(row)))
}

/** Prints how a change ended: the answer as JSON, or one line. */
export function printDone(
  context: CommandContext,
  { json }: ServerOptions,
  answer: unknown,
  text: string,
): void {
  if (json) printJson(context, answer)
  else printLine(context, `${paint(context, 'green', 'ok:')} ${printable(text)}`)
}

/** A time of day for a table. */
export function showTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
