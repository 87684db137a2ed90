import type { Statement } from 'better-sqlite3'
import { kvSearchLimits } from '../../../base/limits/kv.js'
import { compileFields, type DocumentReader, type SearchDocument } from '../../search/document.js'
import type { KvValue } from '../../value.js'
import type { KvSession, NamespaceState } from '../session.js'
import { type IndexRow, indexTable } from './index-rows.js'

type DocumentRow = readonly [id: number, bytes: number]

/** Writes the documents of one index, inside the transaction of its caller. */
export class DocumentWriter {
  readonly prefix: Buffer
  readonly #session: KvSession
  readonly #indexId: number
  readonly #bytesPerByte: number
  readonly #read: DocumentReader
  readonly #insertText: Statement<unknown[]>
  readonly #deleteText: Statement<unknown[]>

  constructor(session: KvSession, { id, prefix, fields, tokenizer }: IndexRow) {
    const table = indexTable(id)
    const columns = fields.map((_, at) => `f${at}`)
    this.prefix = prefix
    this.#session = session
    this.#indexId = id
    this.#bytesPerByte = tokenizer === 'trigram' ? kvSearchLimits.trigramFactor : 1
    this.#read = compileFields(fields)
    // Kept here and not by the session, so that they go when the index does.
    this.#insertText = session.connection.prepare<unknown[]>(
      `insert into ${table} (rowid, ${columns.join(', ')}) values (?, ${columns.map(() => '?').join(', ')})`,
    )
    this.#deleteText = session.connection.prepare<unknown[]>(`delete from ${table} where rowid = ?`)
  }

  /** Makes the document of a value; undefined where no field has a text, and where the entry is gone. */
  read(value: KvValue | undefined): SearchDocument | undefined {
    return value === undefined ? undefined : this.#read(value)
  }

  /** Bytes of the text of a document, as quotas count them. */
  textBytesOf(document: SearchDocument | undefined): number {
    return (document?.bytes ?? 0) * this.#bytesPerByte
  }

  /** Replaces the document of an entry, which is of `read`. Counts bytes to the namespace. */
  write(state: NamespaceState, key: Buffer, document: SearchDocument | undefined): void {
    const known = this.#find(key)
    if (known === undefined) {
      if (document !== undefined) this.#insert(state, key, document)
      return
    }
    const [id, bytes] = known
    this.#deleteText.run(id)
    state.bytes -= bytes
    if (document === undefined) {
      this.#session.statement('delete from kv_documents where id = ?').run(id)
      return
    }
    const newBytes = this.#bytesOf(key, document)
    if (newBytes !== bytes) {
      this.#session.statement('update kv_documents set bytes = ? where id = ?').run(newBytes, id)
    }
    state.bytes += newBytes
    this.#insertText.run(id, ...document.texts)
  }

  /** Writes the document of an entry that has none; one that is there is newer than what the caller has read. */
  writeMissing(state: NamespaceState, key: Buffer, value: KvValue): void {
    const document = this.#read(value)
    if (document !== undefined && this.#find(key) === undefined) this.#insert(state, key, document)
  }

  #find(key: Buffer): DocumentRow | undefined {
    return this.#session
      .statement('select id, bytes from kv_documents where index_id = ? and key = ?')
      .get(this.#indexId, key) as DocumentRow | undefined
  }

  #insert(state: NamespaceState, key: Buffer, document: SearchDocument): void {
    const bytes = this.#bytesOf(key, document)
    const { lastInsertRowid } = this.#session
      .statement('insert into kv_documents (index_id, key, bytes) values (?, ?, ?)')
      .run(this.#indexId, key, bytes)
    this.#insertText.run(lastInsertRowid, ...document.texts)
    state.bytes += bytes
  }

  #bytesOf(key: Buffer, document: SearchDocument): number {
    return kvSearchLimits.documentBytes + key.length + this.textBytesOf(document)
  }
}
