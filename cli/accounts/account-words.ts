import type { ServerOptions } from '../connection.js'
import type { CommandContext } from '../context.js'
import { formatTable, printable, printJson, printLine } from '../output.js'

/** Prints a list as a table, or the answer as JSON. */
export function printTable(
  context: CommandContext,
  options: ServerOptions,
  table: {
    readonly answer: unknown
    readonly heading: readonly string[]
    readonly rows: readonly (readonly string[])[]
    readonly empty: string
  },
): void {
  const { answer, heading, rows, empty } = table
  if (options.json) printJson(context, answer)
  else printLine(context, rows.length === 0 ? empty : formatTable(heading, rows))
}

/** Prints fields as lines of names and values; those without a value are left out. */
export function printFields(
  context: CommandContext,
  fields: Readonly<Record<string, string | undefined>>,
): void {
  const present = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined)
  const width = Math.max(...present.map(([name]) => name.length)) + 2
  for (const [name, value] of present) printLine(context, `${`${name}:`.padEnd(width)}${printable(value)}`)
}

/** Reads `a,b` as a list; the empty text is an empty list. */
export function readList(text: string): readonly string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

/** Shows a list in one cell. */
export function listCell(items: readonly string[]): string {
  return items.length === 0 ? '-' : items.join(', ')
}
