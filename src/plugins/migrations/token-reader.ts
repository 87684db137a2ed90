import { migrationLimits } from '../../base/limits/plugins.js'
import { isTableName, physicalName } from '../../capabilities/db/names.js'
import { SqlRefused } from './sql-refused.js'
import type { Token } from './sql-tokens.js'
import { reservedWords } from './sql-words.js'

/** Walks over the tokens of one statement, and knows which tables its plugin may name. */
export class TokenReader {
  readonly plugin: string
  /** All tables that the statement names, in lower case. */
  readonly tables = new Set<string>()
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(plugin: string, tokens: readonly Token[]) {
    this.plugin = plugin
    this.#tokens = tokens
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  /** The next token; undefined at the end. */
  get next(): Token | undefined {
    return this.#tokens[this.#at]
  }

  /** The token after the next. */
  get second(): Token | undefined {
    return this.#tokens[this.#at + 1]
  }

  take(): Token {
    const token = this.next
    if (token === undefined) throw this.refusal('the statement ends too early')
    this.#at += 1
    return token
  }

  /** Takes the next token when it is this word or symbol. */
  skip(sql: string): boolean {
    if (!isSql(this.next, sql)) return false
    this.#at += 1
    return true
  }

  /** Takes these words or symbols. */
  expect(...all: readonly string[]): void {
    for (const sql of all) {
      if (!this.skip(sql)) throw this.refusal(`${sql.toUpperCase()} is expected here, not ${this.shown}`)
    }
  }

  /** Takes a name that is no table: of a column, or an alias. */
  takeName(what: string): string {
    const token = this.next
    if (token === undefined || !isName(token))
      throw this.refusal(`${what} is expected here, not ${this.shown}`)
    this.#at += 1
    return token.value
  }

  /** Takes the name of a table of the plugin. */
  takeTable(): string {
    const name = this.takeName('the name of a table')
    if (isSql(this.next, '.')) {
      throw this.refusal(`"${name}." names a database; write the name of the table alone`)
    }
    if (!isOwnTable(this.plugin, name)) {
      throw this.refusal(
        `the table "${name}" is none of this plugin; its tables are called ${physicalName(this.plugin, '<name>')}`,
      )
    }
    this.tables.add(name)
    return name
  }

  /** Takes the name of an index of the plugin. */
  takeIndex(): string {
    const name = this.takeName('the name of an index')
    if (isSql(this.next, '.')) {
      throw this.refusal(`"${name}." names a database; write the name of the index alone`)
    }
    if (!isOwnIndex(this.plugin, name)) {
      throw this.refusal(
        `the index "${name}" is none of this plugin; its indexes are called ${physicalName(this.plugin, '<name>')}`,
      )
    }
    return name
  }

  /** Makes the refusal of what comes next. */
  refusal(reason: string): SqlRefused {
    const token = this.next ?? this.#tokens.at(-1)
    return new SqlRefused(reason, token?.line ?? 1)
  }

  /** The next token for a message. */
  get shown(): string {
    const { next } = this
    return next === undefined ? 'the end of the statement' : next.sql.slice(0, 40)
  }
}

/** Tells whether a token is this keyword (in lower case) or symbol. */
export function isSql(token: Token | undefined, sql: string): boolean {
  return token !== undefined && (token.kind === 'word' || token.kind === 'symbol') && token.value === sql
}

/** Tells whether a token can name something. */
export function isName(token: Token): boolean {
  return token.kind === 'name' || (token.kind === 'word' && !reservedWords.has(token.value))
}

/** Tells whether a name, in lower case, can be that of a table of the plugin; the registry decides whether it is. */
export function isOwnTable(plugin: string, name: string): boolean {
  const prefix = physicalName(plugin, '')
  return name.startsWith(prefix) && isTableName(plugin, name.slice(prefix.length))
}

/** Tells whether a name, in lower case, can be that of an index of the plugin; `db.create_index` makes `idx_` ones. */
export function isOwnIndex(plugin: string, name: string): boolean {
  const prefix = physicalName(plugin, '')
  return [prefix, `idx_${prefix}`].some((start) => name.startsWith(start) && name.length > start.length)
}

/** Refuses parentheses that are nested too deeply. */
export function checkDepth(reader: TokenReader, depth: number): void {
  if (depth <= migrationLimits.depthMax) return
  throw reader.refusal(`parentheses are nested deeper than ${migrationLimits.depthMax}`)
}
