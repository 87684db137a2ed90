import type { CliContext } from './context.js'

const styles = { red: 31, green: 32, yellow: 33, bold: 1 } as const

/** Colours a text when the terminal shows colours. */
export function paint(context: CliContext, style: keyof typeof styles, text: string): string {
  return context.terminal.colors ? `\u001b[${styles[style]}m${text}\u001b[0m` : text
}

/**
 * Characters that move the cursor, colour, or turn the writing direction: C0, DEL and C1 controls, line separators,
 * and the bidirectional marks. Names and texts of plugins are not trusted to be plain.
 */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** Makes a foreign text safe to show in one line of a terminal: what is not printable becomes an escape. */
export function printable(text: string): string {
  return text.replace(unprintable, escapeOf)
}

/** As `printable`, but keeps line feeds: for texts that have several lines by nature. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

function escapeOf(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
}

/** Writes one line to standard output. */
export function printLine(context: CliContext, line: string): void {
  context.terminal.writeOut(`${line}\n`)
}

/** Writes one line to standard error. */
export function printNote(context: CliContext, line: string): void {
  context.terminal.writeError(`${line}\n`)
}

/** Writes a value to standard output as JSON that is safe to show in a terminal. */
export function printJson(context: CliContext, value: unknown): void {
  const text = JSON.stringify(value, null, 2)
  printLine(context, printableLines(text))
}

/** Lays out rows under a heading; the last column takes what is left. */
export function formatTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heading, ...rows.map((row) => row.map(printable))]
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
