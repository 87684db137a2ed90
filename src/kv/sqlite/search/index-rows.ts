import type { IndexDefinition, Tokenizer } from '../../search/index-definition.js'
import type { KvSession } from '../session.js'

/** A search index, as its row says. */
export interface IndexRow extends IndexDefinition {
  readonly id: number
  /** Encoded. */
  readonly prefix: Buffer
  /** From which key on existing entries have still to be taken in; undefined when all have been. */
  readonly backfillFrom: Buffer | undefined
}

type Row = readonly [
  id: number,
  prefix: Buffer,
  fields: string,
  tokenizer: string,
  backfillFrom: Buffer | null,
]

/** Reads the indexes of a namespace in the order of their prefixes, without removed ones. */
export function readIndexes(session: KvSession, namespaceId: number): readonly IndexRow[] {
  const rows = session
    .statement(
      'select id, prefix, fields, tokenizer, backfill_from from kv_indexes where namespace = ? and removed_at is null order by prefix',
    )
    .all(namespaceId) as Row[]
  return rows.map(([id, prefix, fields, tokenizer, backfillFrom]) => ({
    id,
    prefix,
    fields: JSON.parse(fields) as string[],
    tokenizer: tokenizer as Tokenizer,
    backfillFrom: backfillFrom ?? undefined,
  }))
}

/** Name of the table with the words of an index; numbers are all that names are made of. */
export function indexTable(id: number): string {
  return `kv_fts_${Math.trunc(id)}`
}

/** Tells whether a key is below the prefix of an index; the prefix itself is not, as in lists. */
export function isBelow(prefix: Buffer, key: Buffer): boolean {
  return key.length > prefix.length && key.subarray(0, prefix.length).equals(prefix)
}
