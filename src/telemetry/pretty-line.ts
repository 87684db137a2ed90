/**
 * Turns one JSON log line into text for people: time, level, plugin, message, then the other fields.
 * Control characters of any value come out escaped, so that no plugin can forge a line or steer a terminal.
 */
export function formatLogLine(line: string): string {
  const record = parseRecord(line)
  if (!record) return `${escapeControls(line.trimEnd())}\n`
  const { time, level, plugin, msg, err, ...rest } = record
  const fields = Object.entries(rest).map(([name, value]) => `${escapeControls(name)}=${showField(value)}`)
  const head = [
    String(time ?? '').slice(11, 23),
    String(level ?? '')
      .toUpperCase()
      .padEnd(5),
    ...(plugin === undefined ? [] : [`[${showField(plugin)}]`]),
    ...(msg === undefined ? [] : [escapeControls(String(msg))]),
    ...fields,
  ]
  return `${[head.join(' '), ...errorLines(err)].join('\n')}\n`
}

function parseRecord(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function showField(value: unknown): string {
  return escapeControls(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined'))
}

/** The stack of a logged error, indented below its line. */
function errorLines(error: unknown): readonly string[] {
  if (typeof error !== 'object' || error === null) return []
  const { stack, message } = error as Readonly<Record<string, unknown>>
  const text = typeof stack === 'string' ? stack : String(message ?? JSON.stringify(error))
  return text.split('\n').map((row) => `    ${escapeControls(row.trim())}`)
}

/** Escapes control characters, line separators and marks that reverse the direction of text. */
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return character === '\n' ? '\\n' : `\\u${code.toString(16).padStart(4, '0')}`
  })
}
