/** A JSON text that was read, with the place of each of its keys. */
export interface JsonDocument {
  readonly ok: true
  /** Objects have no prototype, so that `__proto__` is a key like any other. */
  readonly value: unknown
  /** Line, from 1, of each key by its dotted path. */
  readonly lines: ReadonlyMap<string, number>
  /** Dotted paths of keys that stand twice in one object; the last value won. */
  readonly duplicates: readonly string[]
}

/** Where and why a text is not JSON. Line and column count from 1. */
export interface JsonFault {
  readonly ok: false
  readonly line: number
  readonly column: number
  readonly expected: string
}

/** Deeper nesting is a mistake in a configuration, and would end the stack in a hostile one. */
const depthMax = 32

/**
 * Reads strict JSON and remembers lines. `JSON.parse` names no place for some faults and quotes the text, which may
 * hold a secret, for others.
 */
export function parseJson(source: string): JsonDocument | JsonFault {
  const reader = new JsonReader(source)
  try {
    const value = reader.readDocument()
    return { ok: true, value, lines: reader.lines, duplicates: reader.duplicates }
  } catch (thrown) {
    if (!(thrown instanceof Unexpected)) throw thrown
    const before = source.slice(0, thrown.offset).split('\n')
    const column = (before.at(-1) ?? '').length + 1
    return { ok: false, line: before.length, column, expected: thrown.expected }
  }
}

class Unexpected {
  readonly offset: number
  readonly expected: string

  constructor(offset: number, expected: string) {
    this.offset = offset
    this.expected = expected
  }
}

class JsonReader {
  readonly #space = /[ \t\n\r]*/y
  readonly #literal = /true|false|null/y
  readonly #number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
  readonly #text = /"(?:[^"\\]|\\.)*"/sy
  readonly lines = new Map<string, number>()
  readonly duplicates: string[] = []
  readonly #source: string
  #offset = 0
  #line = 1
  #lineOffset = 0

  constructor(source: string) {
    this.#source = source
  }

  readDocument(): unknown {
    const value = this.#readValue([])
    this.#skipSpace()
    if (this.#offset < this.#source.length) throw new Unexpected(this.#offset, 'the end of the text')
    return value
  }

  #readValue(path: readonly string[]): unknown {
    if (path.length > depthMax) throw new Unexpected(this.#offset, `at most ${depthMax} levels`)
    this.#skipSpace()
    if (this.#take('{')) return this.#readObject(path)
    if (this.#take('[')) return this.#readArray(path)
    if (this.#source[this.#offset] === '"') return this.#readText()
    const scalar = this.#match(this.#literal) ?? this.#match(this.#number)
    if (scalar === undefined) throw new Unexpected(this.#offset, 'a value')
    return JSON.parse(scalar)
  }

  #readObject(path: readonly string[]): unknown {
    const object: Record<string, unknown> = Object.create(null)
    this.#skipSpace()
    if (this.#take('}')) return object
    do {
      this.#skipSpace()
      if (this.#source[this.#offset] !== '"') throw new Unexpected(this.#offset, 'a key in double quotes')
      const key = this.#readText()
      const keyPath = [...path, key]
      if (key in object) this.duplicates.push(keyPath.join('.'))
      this.lines.set(keyPath.join('.'), this.#currentLine())
      this.#expect(':', '":"')
      object[key] = this.#readValue(keyPath)
    } while (this.#takeAfterSpace(','))
    this.#expect('}', '"," or "}"')
    return object
  }

  #readArray(path: readonly string[]): unknown {
    const array: unknown[] = []
    this.#skipSpace()
    if (this.#take(']')) return array
    do {
      array.push(this.#readValue([...path, String(array.length)]))
    } while (this.#takeAfterSpace(','))
    this.#expect(']', '"," or "]"')
    return array
  }

  #readText(): string {
    const start = this.#offset
    const quoted = this.#match(this.#text)
    if (quoted === undefined) throw new Unexpected(start, 'a closing double quote')
    try {
      return JSON.parse(quoted)
    } catch {
      throw new Unexpected(start, 'a text with valid escapes and without control characters')
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset
    const found = pattern.exec(this.#source)?.[0]
    this.#offset += found?.length ?? 0
    return found
  }

  #skipSpace(): void {
    this.#match(this.#space)
  }

  #take(character: string): boolean {
    if (this.#source[this.#offset] !== character) return false
    this.#offset += 1
    return true
  }

  #takeAfterSpace(character: string): boolean {
    this.#skipSpace()
    return this.#take(character)
  }

  #expect(character: string, words: string): void {
    if (!this.#takeAfterSpace(character)) throw new Unexpected(this.#offset, words)
  }

  #currentLine(): number {
    for (; this.#lineOffset < this.#offset; this.#lineOffset += 1) {
      if (this.#source[this.#lineOffset] === '\n') this.#line += 1
    }
    return this.#line
  }
}
