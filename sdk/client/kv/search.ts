import { arrayOf, entryFromWire, type KvApi, membersOf, numberOf, textOf } from './api.js'
import { checkOptions, wholeNumber } from './options.js'
import type { KvHit, KvIndex, KvIndexOptions, KvSearchOptions } from './types.js'
import type { KvKey } from './value.js'
import { keyFromWire, keyText, keyToWire, type Wire, whereToWire } from './wire.js'

/** Full-text search in a namespace; called itself, it finds entries as `search` does, to be iterated over. */
export interface KvSearch {
  (prefix: KvKey, query: string, options?: KvSearchOptions): AsyncIterable<KvHit>
  /** Makes an index over the entries below a prefix, existing ones included, or replaces the one that there is. */
  createIndex(prefix: KvKey, options: KvIndexOptions): Promise<void>
  /** False when there is none. */
  removeIndex(prefix: KvKey): Promise<boolean>
  indexes(): Promise<readonly KvIndex[]>
  /** Finds entries by words, best first. */
  search(prefix: KvKey, query: string, options?: KvSearchOptions): Promise<readonly KvHit[]>
}

/** Makes the search of a namespace. */
export function createSearch(api: KvApi): KvSearch {
  async function search(prefix: KvKey, query: string, options: KvSearchOptions = {}) {
    checkOptions(options, 'search', ['limit', 'where', 'highlight'])
    const { limit, where, highlight } = options
    wholeNumber(limit, 'limit')
    const given = { limit, highlight, where: where === undefined ? undefined : whereToWire(where) }
    const body = { prefix: keyToWire(prefix), query, options: given }
    return (await api.array({ method: 'POST', path: '/search', body })).map(hitFromWire)
  }
  async function* iterate(prefix: KvKey, query: string, options?: KvSearchOptions): AsyncIterable<KvHit> {
    yield* await search(prefix, query, options)
  }
  return Object.assign(iterate, {
    search,
    async createIndex(prefix: KvKey, options: KvIndexOptions): Promise<void> {
      checkOptions(options, 'createIndex', ['fields', 'tokenize'])
      const { fields, tokenize } = options
      const body = { prefix: keyToWire(prefix), options: { fields, tokenize } }
      await api.object({ method: 'POST', path: '/indexes', body })
    },
    async removeIndex(prefix: KvKey): Promise<boolean> {
      const query = { prefix: keyText(prefix) }
      const { deletedCount } = await api.object({ method: 'DELETE', path: '/indexes', query })
      return numberOf(deletedCount, 'deletedCount') > 0
    },
    async indexes(): Promise<readonly KvIndex[]> {
      return (await api.array({ method: 'GET', path: '/indexes' })).map(indexFromWire)
    },
  })
}

function indexFromWire(wire: Wire): KvIndex {
  const { prefix, fields, tokenize, isComplete } = membersOf(wire)
  return {
    prefix: keyFromWire(prefix),
    fields: arrayOf(fields, 'fields').map((field) => textOf(field, 'fields')),
    tokenize: textOf(tokenize, 'tokenize') as KvIndex['tokenize'],
    isComplete: isComplete === true,
  }
}

function hitFromWire(wire: Wire): KvHit {
  const { score, highlights } = membersOf(wire)
  return {
    ...entryFromWire(wire),
    score: numberOf(score, 'score'),
    ...(highlights === undefined ? {} : { highlights: highlights as Readonly<Record<string, string>> }),
  }
}
