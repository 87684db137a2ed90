import { kvLimits } from '../../base/limits/kv.js'
import { retryWhileBusy } from '../../database/busy-retry.js'
import { decodeKey, encodePrefix, type KvKey } from '../key.js'
import type { KvHit, KvIndex, KvIndexOptions, KvSearch, KvSearchOptions } from '../kv.js'
import { checkOptions, invalid, readInteger, readText, show } from '../options.js'
import type { EntrySearch } from '../sqlite/search/entry-search.js'
import type { SearchIndexes } from '../sqlite/search/search-indexes.js'
import { toEntry } from './entry.js'
import type { CompileWhere } from './listing.js'
import type { Reader } from './reader.js'

/** What the search of a namespace acts on. */
export interface SearchDoors {
  readonly namespace: string
  readonly indexes: SearchIndexes
  readonly search: EntrySearch
  readonly reader: Reader
  readonly compileWhere: CompileWhere
  readonly clock: () => number
  /** Throws `KV_CLOSED` once the store is closed. */
  readonly assertOpen: () => void
}

/** The search of one namespace on the HTTP thread: a locked file is tried again on a timer. */
export class NamespaceSearch implements KvSearch {
  readonly #doors: SearchDoors

  constructor(doors: SearchDoors) {
    this.#doors = doors
  }

  async createIndex(prefix: KvKey, options: KvIndexOptions): Promise<void> {
    if (options === undefined) throw invalid('The options of "createIndex" are missing; "fields" is needed.')
    checkOptions(options, 'createIndex', ['fields', 'tokenize'])
    const encoded = encodePrefix(prefix)
    const { indexes, namespace, clock } = this.#doors
    await this.#write(() => indexes.create(namespace, encoded, options, clock()))
  }

  async removeIndex(prefix: KvKey): Promise<boolean> {
    const encoded = encodePrefix(prefix)
    const { indexes, namespace, clock } = this.#doors
    return this.#write(() => indexes.remove(namespace, encoded, clock()))
  }

  async indexes(): Promise<readonly KvIndex[]> {
    const { indexes, namespace, reader } = this.#doors
    const rows = await reader.run(() => indexes.list(namespace))
    return rows.map(({ prefix, fields, tokenizer, backfillFrom }) => ({
      prefix: decodeKey(prefix),
      fields,
      tokenize: tokenizer,
      isComplete: backfillFrom === undefined,
    }))
  }

  async search(prefix: KvKey, query: string, options: KvSearchOptions = {}): Promise<readonly KvHit[]> {
    checkOptions(options, 'search', ['limit', 'where', 'highlight'])
    const { search, namespace, reader, compileWhere, clock } = this.#doors
    const request = {
      prefix: encodePrefix(prefix),
      query: readText(query, 'query', ''),
      limit: readInteger(options.limit, 'limit', limits, undefined),
      matches: compileWhere(options.where),
      highlight: readMarks(options.highlight),
    }
    const hits = await reader.run(() => search.search(namespace, request, clock()))
    return hits.map(({ entry, score, highlights }) => ({
      ...toEntry(entry),
      score,
      ...(highlights && { highlights }),
    }))
  }

  #write<T>(work: () => T): Promise<T> {
    return retryWhileBusy(() => {
      this.#doors.assertOpen()
      return work()
    })
  }
}

const limits = { min: 1, max: kvLimits.pageEntriesMax }

function readMarks(marks: KvSearchOptions['highlight']): KvSearchOptions['highlight'] {
  if (marks === undefined) return undefined
  if (typeof marks !== 'object' || marks === null) {
    throw invalid(`The option "highlight" is ${show(marks)}; it must be an object with "open" and "close".`)
  }
  checkOptions(marks, 'highlight', ['open', 'close'])
  return marks
}
