import { kvLimits, kvSearchLimits } from '../../base/limits/kv.js'
import { kvIndexInvalid } from '../errors.js'
import type { KvIndexOptions } from '../kv.js'
import { parsePath } from '../where/path.js'

/** Name of what splits texts into words. */
export type Tokenizer = NonNullable<KvIndexOptions['tokenize']>

/** What an index takes in, checked. */
export interface IndexDefinition {
  /** Paths of the fields, each once. */
  readonly fields: readonly string[]
  readonly tokenizer: Tokenizer
}

/** What FTS5 is told for each tokenizer; nothing else ever reaches the text of a statement. */
export const tokenizerArguments: Readonly<Record<Tokenizer, string>> = {
  unicode61: 'unicode61',
  porter: 'porter unicode61',
  ascii: 'ascii',
  trigram: 'trigram',
}

/**
 * Checks the options of an index.
 *
 * @throws `KV_INDEX_INVALID` for no fields, too many, the same field twice, a path that is none and a tokenizer that
 *   does not exist.
 */
export function readIndexDefinition(options: KvIndexOptions): IndexDefinition {
  const { fields, tokenize = 'unicode61' } = options
  if (!Array.isArray(fields) || fields.length === 0) {
    throw invalid('it has no fields. Give it at least one path, or "" for values that are texts.')
  }
  if (fields.length > kvSearchLimits.fieldsMax) {
    throw invalid(`it has ${fields.length} fields, and ${kvSearchLimits.fieldsMax} are allowed.`)
  }
  for (const [at, field] of fields.entries()) checkField(field, at, fields)
  if (typeof tokenize !== 'string' || !Object.hasOwn(tokenizerArguments, tokenize)) {
    const names = Object.keys(tokenizerArguments).join(', ')
    throw invalid(`there is no tokenizer ${show(tokenize)}. There are ${names}.`)
  }
  return { fields: [...fields], tokenizer: tokenize }
}

function checkField(field: unknown, at: number, fields: readonly unknown[]): void {
  if (typeof field !== 'string') throw invalid(`field ${at + 1} is not a text but ${show(field)}.`)
  const path = parsePath(field)
  if ('problem' in path) throw invalid(`field ${at + 1}, ${show(field)}: ${path.problem}.`)
  if (fields.indexOf(field) !== at) throw invalid(`the field ${show(field)} is there twice.`)
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : `of the type ${typeof value}`
  return text.length > kvLimits.shownCharacters ? `${text.slice(0, kvLimits.shownCharacters)}…` : text
}

function invalid(problem: string): Error {
  return kvIndexInvalid({ problem })
}
