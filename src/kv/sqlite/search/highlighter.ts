import { randomBytes } from 'node:crypto'
import type { Database, Statement } from 'better-sqlite3'
import { kvSearchLimits } from '../../../base/limits/kv.js'
import { compileFields, type DocumentReader } from '../../search/document.js'
import { type IndexDefinition, tokenizerArguments } from '../../search/index-definition.js'
import { type Marks, placeMarks } from '../../search/marks.js'
import type { KvValue } from '../../value.js'

/**
 * Marks what a query finds in values. Each text is put for a moment into a temporary table of its own, with the
 * tokenizer of the index: the index has no texts, and what a query costs there grows with the index.
 */
export class Highlighter {
  readonly #fields: readonly string[]
  readonly #match: string
  readonly #marks: Marks
  readonly #secret: Marks
  readonly #read: DocumentReader
  readonly #insert: Statement<unknown[]>
  readonly #select: Statement<unknown[]>
  readonly #clear: Statement<unknown[]>

  constructor(connection: Database, { fields, tokenizer }: IndexDefinition, match: string, marks: Marks) {
    // A name of the list of tokenizers, as what is known of an index comes from no caller.
    const table = `kv_marked_${tokenizer}`
    const columns = Array.from({ length: kvSearchLimits.fieldsMax }, (_, at) => `f${at}`)
    connection.exec(
      `create virtual table if not exists temp.${table} using fts5(${columns.join(', ')}, tokenize='${tokenizerArguments[tokenizer]}')`,
    )
    const used = columns.slice(0, fields.length)
    const marked = used.map((_, at) => `highlight(${table}, ${at}, ?, ?)`)
    this.#fields = fields
    this.#match = match
    this.#marks = marks
    this.#secret = { open: secretMark(), close: secretMark() }
    this.#read = compileFields(fields)
    this.#insert = connection.prepare<unknown[]>(
      `insert into temp.${table} (rowid, ${used.join(', ')}) values (1, ${used.map(() => '?').join(', ')})`,
    )
    this.#select = connection
      .prepare<unknown[]>(`select ${marked.join(', ')} from temp.${table} where ${table} match ?`)
      .raw()
    this.#clear = connection.prepare<unknown[]>(`delete from temp.${table} where rowid = 1`)
  }

  /** @returns Texts with marks by field, those in which nothing was found left out. */
  mark(value: KvValue): Readonly<Record<string, string>> {
    const document = this.#read(value)
    if (document === undefined) return {}
    this.#clear.run()
    this.#insert.run(...document.texts)
    try {
      const { open, close } = this.#secret
      const marks = this.#fields.flatMap(() => [open, close])
      const row = (this.#select.get(...marks, this.#match) ?? []) as readonly (string | null)[]
      return Object.fromEntries(this.#fields.flatMap((field, at) => this.#place(field, row[at])))
    } finally {
      this.#clear.run()
    }
  }

  #place(field: string, marked: string | null | undefined): [string, string][] {
    if (typeof marked !== 'string') return []
    const text = placeMarks(marked, this.#secret, this.#marks)
    return text === undefined ? [] : [[field, text]]
  }
}

/** A mark that no text contains, as nobody can guess it. */
function secretMark(): string {
  return `\u0001${randomBytes(12).toString('hex')}\u0002`
}
