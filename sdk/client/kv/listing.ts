import { arrayOf, entryFromWire, type KvApi, membersOf, textOf } from './api.js'
import { checkOptions, textOrNull, trueOrFalse, wholeNumber, wrongOption } from './options.js'
import { oddAnswer, refused } from './refusal.js'
import type { KvEntry, KvList, KvListOptions, KvPage, KvPageOptions, KvSelector } from './types.js'
import { keyToWire, type Wire, whereToWire, wholeKeyToWire } from './wire.js'

/** Entries that are asked for at once. */
const batchDefault = 100

/** The server gives no larger pages. */
const batchMax = 1000

const selectorNames = ['prefix', 'start', 'end']

/** Reads one page. */
export async function readPage(api: KvApi, options: KvPageOptions): Promise<KvPage> {
  checkOptions(options, 'paginate', [...selectorNames, 'cursor', 'limit', 'reverse', 'where'])
  const { entries, cursor, hasMore } = await requestPage(api, pageBody(options))
  return { entries: entries.map(({ entry }) => entry), cursor, hasMore }
}

/** Entries page by page; the next page is asked for when the one before has been taken. */
export class EntryList implements KvList {
  cursor: string
  readonly #api: KvApi
  readonly #body: Readonly<Record<string, Wire>>
  readonly #limit: number
  readonly #batch: number
  #isStarted = false

  constructor(api: KvApi, selector: KvSelector, options: KvListOptions) {
    checkOptions(selector, 'list', selectorNames)
    checkOptions(options, 'list', ['limit', 'reverse', 'where', 'cursor', 'batch'])
    const { limit, batch = batchDefault, cursor = '', reverse, where } = options
    wholeNumber(limit, 'limit')
    if (batch > batchMax) throw wrongOption(`the option "batch" is ${batch}; ${batchMax} is the most`)
    wholeNumber(batch, 'batch')
    textOrNull(cursor, 'cursor')
    this.#api = api
    this.#body = pageBody({
      ...selector,
      ...(reverse === undefined ? {} : { reverse }),
      ...(where && { where }),
    })
    this.#limit = limit ?? Number.POSITIVE_INFINITY
    this.#batch = batch
    this.cursor = cursor
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<KvEntry, void, undefined> {
    if (this.#isStarted) {
      throw refused(
        'KV_OPTION_INVALID',
        'a list is followed once; make another one, with its cursor to go on',
      )
    }
    this.#isStarted = true
    let left = this.#limit
    while (left > 0) {
      const limit = Math.min(this.#batch, left)
      const page = await requestPage(this.#api, { ...this.#body, limit, cursor: this.cursor || undefined })
      for (const { entry, cursor } of page.entries) {
        this.cursor = cursor
        yield entry
      }
      left -= page.entries.length
      if (page.cursor === null) return
      // A page may end far behind its last entry, as it passes over those that do not match.
      this.cursor = page.cursor
    }
  }
}

function pageBody(options: KvPageOptions): Readonly<Record<string, Wire>> {
  const { prefix, start, end, cursor, limit, reverse, where } = options
  textOrNull(cursor, 'cursor')
  trueOrFalse(reverse, 'reverse')
  wholeNumber(limit, 'limit')
  return {
    prefix: prefix === undefined ? undefined : keyToWire(prefix),
    start: start === undefined ? undefined : wholeKeyToWire(start),
    end: end === undefined ? undefined : wholeKeyToWire(end),
    cursor: cursor ?? undefined,
    limit,
    reverse,
    where: where === undefined ? undefined : whereToWire(where),
  }
}

interface Page {
  readonly entries: readonly { readonly entry: KvEntry; readonly cursor: string }[]
  readonly cursor: string | null
  readonly hasMore: boolean
}

async function requestPage(api: KvApi, body: Readonly<Record<string, Wire>>): Promise<Page> {
  const answer = await api.object({ method: 'POST', path: '/keys/paginate', body })
  const { cursor, hasMore } = answer
  if (cursor !== null && typeof cursor !== 'string') throw oddAnswer('has no cursor')
  const entries = arrayOf(answer.entries, 'entries').map((wire) => {
    return { entry: entryFromWire(wire), cursor: textOf(membersOf(wire).cursor, 'cursor') }
  })
  return { entries, cursor, hasMore: hasMore === true }
}
