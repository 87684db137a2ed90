import { vmLimits } from '../base/limits/sandbox.js'
import type { LuaObject, LuaValue } from './lua-value.js'

/** A run of digits that `JSON.parse` could round. */
const longNumber = /\d{16}/

/**
 * Parses JSON text for Lua: nothing is rounded (integers beyond 2^53 that fit 64 bits become bigint) and no key
 * changes a prototype. A null stays null; the last of two equal keys wins.
 *
 * @throws SyntaxError when the text is not JSON, or would be more values or deeper levels than may cross.
 */
export function parseJson(text: string): LuaValue {
  checkNodes(text)
  if (longNumber.test(text)) return new ExactParser(text).parse()
  return JSON.parse(text) as LuaValue
}

/**
 * Refuses what would be too many values before any of them exists: a list of empty lists takes many times the memory
 * of its text. Every value but the first has a comma or an opening bracket before it; those inside strings do not count.
 */
function checkNodes(text: string): void {
  if (text.length <= vmLimits.marshalNodesMax) return
  let nodes = 0
  let isInside = false
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === quoteUnit) isInside = !isInside
    else if (isInside) at += unit === backslashUnit ? 1 : 0
    else if (unit === commaUnit || unit === bracketUnit || unit === braceUnit) nodes += 1
    if (nodes > vmLimits.marshalNodesMax) {
      throw new SyntaxError(`more than ${vmLimits.marshalNodesMax} values`)
    }
  }
}

const quoteUnit = 0x22
const commaUnit = 0x2c
const bracketUnit = 0x5b
const backslashUnit = 0x5c
const braceUnit = 0x7b

const whitespace = /[ \t\n\r]*/y
const numberToken = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are not allowed inside JSON strings.
const stringToken = /"[^"\\\u0000-\u001f]*(?:\\.[^"\\\u0000-\u001f]*)*"/y
const literals = { true: true, false: false, null: null } as const

/** A recursive-descent parser for the texts that `JSON.parse` would round. */
class ExactParser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): LuaValue {
    const value = this.#value(0)
    this.#take(whitespace)
    if (this.#at < this.#text.length) throw this.#unexpected()
    return value
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at
    const match = token.exec(this.#text)?.[0]
    if (match !== undefined) this.#at += match.length
    return match
  }

  #unexpected(): SyntaxError {
    const found = this.#at < this.#text.length ? `token at position ${this.#at}` : 'end of JSON input'
    return new SyntaxError(`Unexpected ${found}`)
  }

  #value(depth: number): LuaValue {
    if (depth > vmLimits.marshalDepthMax)
      throw new SyntaxError(`nested deeper than ${vmLimits.marshalDepthMax}`)
    this.#take(whitespace)
    const first = this.#text[this.#at]
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return this.#string()
    for (const [word, value] of Object.entries(literals)) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length
        return value
      }
    }
    return this.#number()
  }

  #string(): string {
    const token = this.#take(stringToken)
    if (token === undefined) throw this.#unexpected()
    return JSON.parse(token) as string
  }

  #number(): number | bigint {
    const token = this.#take(numberToken)
    if (token === undefined) throw this.#unexpected()
    const value = Number(token)
    if (Number.isSafeInteger(value) || /[.eE]/.test(token)) return value
    const exact = BigInt(token)
    return BigInt.asIntN(64, exact) === exact ? exact : value
  }

  #accept(character: string): boolean {
    this.#take(whitespace)
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #expect(character: string): void {
    if (!this.#accept(character)) throw this.#unexpected()
  }

  #array(depth: number): LuaValue[] {
    this.#expect('[')
    const items: LuaValue[] = []
    if (this.#accept(']')) return items
    do items.push(this.#value(depth + 1))
    while (this.#accept(','))
    this.#expect(']')
    return items
  }

  #object(depth: number): LuaObject {
    this.#expect('{')
    const members = Object.create(null) as LuaObject
    if (this.#accept('}')) return members
    do {
      this.#take(whitespace)
      const key = this.#string()
      this.#expect(':')
      members[key] = this.#value(depth + 1)
    } while (this.#accept(','))
    this.#expect('}')
    return members
  }
}
