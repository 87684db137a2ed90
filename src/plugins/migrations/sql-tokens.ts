import { SqlRefused } from './sql-refused.js'

/**
 * A piece of SQL. `word` is a bare name or keyword, `name` one in double quotes, `text` a string literal; `blob`,
 * `number` and `symbol` are themselves.
 */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'blob' | 'number' | 'symbol'
  /** As it is written for SQLite. */
  readonly sql: string
  /** Of a word or a name: it in lower case. Of a text: what it says. Else the same as `sql`. */
  readonly value: string
  /** Line in which it begins, from 1. */
  readonly line: number
}

/** Everything that can stand between two tokens or be one; the order matters. */
const patterns: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /[ \t\r\n]+|--[^\n]*|\/\*[\s\S]*?\*\//y],
  ['blob', /[xX]'(?:[0-9A-Fa-f]{2})*'/y],
  ['word', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['name', /"[A-Za-z_][A-Za-z0-9_]*"(?!")/y],
  ['text', /'(?:[^']|'')*'/y],
  ['number', /0[xX][0-9A-Fa-f]{1,16}|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['symbol', /->>|->|\|\||<=|>=|<>|!=|==|<<|>>|\/(?!\*)|[-+*%&|<>=~(),;.]/y],
]

/**
 * Cuts SQL into tokens. Only what is understood here is let through, and SQLite never gets the text itself, only
 * what is written anew from the tokens: nothing can hide in what the two would read differently.
 *
 * @throws SqlRefused for every character that is no part of a token.
 */
export function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  let line = 1
  while (at < sql.length) {
    const found = match(sql, at)
    if (found === undefined) throw new SqlRefused(describe(sql, at), line)
    const [kind, piece] = found
    if (kind !== 'space') tokens.push(checked(kind, piece, sql[at + piece.length] ?? '', line))
    for (const character of piece) if (character === '\n') line += 1
    at += piece.length
  }
  return tokens
}

/** Writes tokens as SQL. A space between all of them keeps two from becoming one. */
export function writeSql(tokens: readonly Token[]): string {
  return tokens.map(({ sql }) => sql).join(' ')
}

function match(sql: string, at: number): readonly [Token['kind'] | 'space', string] | undefined {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at
    const [piece] = pattern.exec(sql) ?? []
    if (piece !== undefined) return [kind, piece]
  }
  return undefined
}

function checked(kind: Token['kind'], piece: string, next: string, line: number): Token {
  if ((kind === 'number' || kind === 'blob') && /[A-Za-z0-9_.'"]/.test(next)) {
    throw new SqlRefused(`${piece}${next} is neither a number nor a name`, line)
  }
  if ((kind === 'word' || kind === 'name' || kind === 'text') && /['"]/.test(next)) {
    throw new SqlRefused('two names or texts stand side by side without a space', line)
  }
  if (kind === 'text') return { kind, sql: piece, value: textOf(piece, line), line }
  const bare = kind === 'name' ? piece.slice(1, -1) : piece
  return { kind, sql: piece, value: kind === 'word' || kind === 'name' ? bare.toLowerCase() : bare, line }
}

function textOf(piece: string, line: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\0-\x08\x0b\x0c\x0e-\x1f]/.test(piece)) {
    throw new SqlRefused('a text holds a control character; only line breaks and tabs may stand in it', line)
  }
  return piece.slice(1, -1).replaceAll("''", "'")
}

function describe(sql: string, at: number): string {
  const character = sql[at] as string
  if (sql.startsWith('/*', at)) return 'a comment that begins with /* has no end'
  switch (character) {
    case "'":
      return "a text that begins with ' has no end, or holds a NUL"
    case '"':
      return 'a name in double quotes may hold letters, digits and "_" only'
    case '[':
    case '`':
      return `names are not quoted with ${character}; use double quotes, or none`
    case '?':
    case ':':
    case '@':
    case '$':
      return `there are no parameters (${character}) in a migration; write the value`
    default: {
      const code = (sql.codePointAt(at) as number).toString(16).toUpperCase().padStart(4, '0')
      return `the character U+${code} may stand in texts and comments only`
    }
  }
}
