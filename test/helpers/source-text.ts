/** A TypeScript text without comments; its string literals are replaced by numbers, its other literals emptied. */
export interface ScannedSource {
  /** Line breaks are kept. The nth string literal reads `"#n"`, templates read as two backticks, patterns as `/x/`. */
  readonly code: string
  readonly strings: readonly string[]
}

/** One mention of another module. */
export interface Mention {
  readonly specifier: string
  /** `url` is `new URL('./x.js', import.meta.url)`, which is how a worker's entry is named. */
  readonly kind: 'value' | 'type' | 'export' | 'url'
}

/** Separates code from comments and literals, so that rules never mistake text for code. */
export function scanSource(text: string): ScannedSource {
  const scanner = new Scanner(text)
  scanner.run()
  return { code: scanner.code, strings: scanner.strings }
}

/** Lists the modules that a scanned source imports, re-exports or names as an entry. */
export function listMentions({ code, strings }: ScannedSource): readonly Mention[] {
  const names = String.raw`(\*(?:\s+as\s+[\w$]+)?|\{[^{}]*\}|[\w$]+(?:\s*,\s*(?:\{[^{}]*\}|\*\s+as\s+[\w$]+))?)`
  const mentions: Mention[] = []
  const add = (kind: Mention['kind'], index: string | undefined): void => {
    const specifier = strings[Number(index)]
    if (specifier !== undefined) mentions.push({ specifier, kind })
  }
  for (const [, verb, type, clause = '', index] of code.matchAll(
    new RegExp(`^\\s*(import|export)\\s+(type\\s+)?${names}\\s*from\\s*"#(\\d+)"`, 'gm'),
  )) {
    if (type !== undefined || isTypeClause(clause)) add('type', index)
    else add(verb === 'export' ? 'export' : 'value', index)
  }
  for (const [, index] of code.matchAll(/^\s*import\s*"#(\d+)"/gm)) add('value', index)
  // `import('x')` is a value; where it stands for a type it is counted as one too, which is the stricter reading.
  for (const [, index] of code.matchAll(/\bimport\s*\(\s*"#(\d+)"/g)) add('value', index)
  for (const [, index] of code.matchAll(/\bnew URL\(\s*"#(\d+)"\s*,\s*import\.meta\.url/g)) add('url', index)
  return mentions
}

/** Tells whether `{ type A, type B }` names types only. */
function isTypeClause(clause: string): boolean {
  if (!clause.startsWith('{')) return false
  const names = clause.slice(1, -1).split(',')
  return names.every((name) => /^\s*(?:type\s|$)/.test(name)) && /\S/.test(clause.slice(1, -1))
}

class Scanner {
  code = ''
  readonly strings: string[] = []
  readonly #text: string
  #offset = 0
  /** Open braces inside each `${` that is being read, the innermost last. */
  readonly #braces: number[] = []

  constructor(text: string) {
    this.#text = text
  }

  run(): void {
    while (this.#offset < this.#text.length) this.#step()
  }

  #step(): void {
    const character = this.#text[this.#offset] ?? ''
    const pair = this.#text.slice(this.#offset, this.#offset + 2)
    if (pair === '//') this.#skip(/[^\n]*/y)
    else if (pair === '/*') this.#skip(/\/\*[\s\S]*?(?:\*\/|$)/y)
    else if (character === "'" || character === '"') this.#readString()
    else if (character === '`') this.#readTemplate(1)
    else if (character === '/' && this.#isPatternPlace()) this.#readPattern()
    else if (!this.#isTemplateEnd(character)) this.#copy(character)
    else this.#readTemplate(1)
  }

  #copy(character: string): void {
    this.code += character
    this.#offset += 1
  }

  /** Passes over what matches, keeping its line breaks. */
  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#offset
    const skipped = pattern.exec(this.#text)?.[0] || (this.#text[this.#offset] ?? '')
    this.#offset += skipped.length
    this.code += skipped.replace(/[^\n]/g, '') || ' '
    return skipped
  }

  #readString(): void {
    const quoted = this.#skip(/(['"])(?:\\[\s\S]|(?!\1)[^\\\n])*\1?/y)
    this.strings.push(quoted.slice(1, -1))
    this.code = `${this.code.replace(/ $/, '')}"#${this.strings.length - 1}"`
  }

  #readPattern(): void {
    this.#skip(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/\w*/y)
    this.code += '/x/'
  }

  /** Reads template text from `length` characters further on, up to its end or to the next `${`. */
  #readTemplate(length: number): void {
    this.#offset += length
    this.#skip(/(?:\\[\s\S]|\$(?!\{)|[^\\`$])*(?:`|\$\{|$)/y)
    this.code += '``'
    if (this.#text.slice(this.#offset - 2, this.#offset) === '${') this.#braces.push(0)
  }

  /** Counts braces; true at the one that ends a `${`. */
  #isTemplateEnd(character: string): boolean {
    const depth = this.#braces.at(-1)
    if (depth === undefined) return false
    if (character === '}' && depth === 0) {
      this.#braces.pop()
      return true
    }
    if (character === '{') this.#braces[this.#braces.length - 1] = depth + 1
    if (character === '}') this.#braces[this.#braces.length - 1] = depth - 1
    return false
  }

  /** A slash starts a pattern where a value may start, and divides after one. */
  #isPatternPlace(): boolean {
    const before = this.code.trimEnd()
    return (
      before === '' ||
      /[(,=:[!&|?{};+\-*%<>~^]$|\b(?:return|typeof|case|in|of|do|else|yield|await)$/.test(before)
    )
  }
}
