/** Writes a text as a Lua string literal on one line, whatever characters it has. */
export function luaText(text: string): string {
  const escaped = text.replace(/["\\\p{Cc}]/gu, escapeOf)
  return `"${escaped}"`
}

function escapeOf(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  if (character === '\n') return '\\n'
  const code = character.codePointAt(0) ?? 0
  // Three digits, so that a digit which follows is not read as a part of the escape. C1 controls are two bytes.
  return [...Buffer.from(String.fromCodePoint(code))]
    .map((byte) => `\\${String(byte).padStart(3, '0')}`)
    .join('')
}
