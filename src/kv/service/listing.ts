import { kvLimits } from '../../base/limits/kv.js'
import type { KeyRange } from '../key.js'
import type { KvEntry, KvList, KvListOptions, KvPage, KvPageOptions, KvSelector } from '../kv.js'
import { checkOptions, invalid, readBoolean, readInteger, readText } from '../options.js'
import { continueRange, cursorOfRest, selectorOptions, selectRange, showCursor } from '../range.js'
import type { StoredEntry, StoredPage } from '../store.js'
import { toEntry } from './entry.js'
import type { Matches, Reader } from './reader.js'

/** Makes the filter of a list; undefined when everything is wanted. */
export type CompileWhere = (where: unknown) => Matches | undefined

/** What lists read from. */
export interface ListDoors {
  readonly namespace: string
  readonly reader: Reader
  readonly compileWhere: CompileWhere
}

interface ListPlan {
  readonly range: KeyRange
  readonly isReverse: boolean
  readonly matches: Matches | undefined
}

const batchRange = { min: 1, max: kvLimits.pageEntriesMax }

/** Makes the list of `Kv.list`; nothing is read before it is asked for an entry. */
export function openList(doors: ListDoors, selector: KvSelector = {}, options: KvListOptions = {}): KvList {
  checkOptions(selector, 'list', selectorOptions)
  checkOptions(options, 'list', ['limit', 'reverse', 'where', 'cursor', 'batch'])
  const plan = planList(doors, selector, options)
  const limit = readInteger(options.limit, 'limit', { min: 1, max: Number.MAX_SAFE_INTEGER }, undefined)
  const batch = readInteger(options.batch, 'batch', batchRange, kvLimits.pageEntriesDefault)
  return new EntryList(doors, plan, limit ?? Number.POSITIVE_INFINITY, batch, options.cursor ?? '')
}

/** Reads the page of `Kv.paginate`. */
export async function readPage(doors: ListDoors, options: KvPageOptions = {}): Promise<KvPage> {
  checkOptions(options, 'paginate', [...selectorOptions, 'cursor', 'limit', 'reverse', 'where'])
  const plan = planList(doors, options, options)
  const limit = readInteger(options.limit, 'limit', batchRange, kvLimits.pageEntriesDefault)
  const { entries, rest } = await readSteps(doors, plan, limit)
  const hasMore = rest !== undefined && (await doors.reader.hasMore(doors.namespace, rest, plan.isReverse))
  return {
    entries: entries.map(toEntry),
    cursor: rest !== undefined && hasMore ? cursorOfRest(rest, plan.isReverse) : null,
    hasMore,
  }
}

type PlanOptions = Pick<KvPageOptions, 'cursor' | 'reverse' | 'where'>

function planList(doors: ListDoors, selector: KvSelector, options: PlanOptions): ListPlan {
  const isReverse = readBoolean(options.reverse, 'reverse', false)
  const cursor = options.cursor === null ? undefined : readText(options.cursor, 'cursor', undefined)
  return {
    range: continueRange(selectRange(selector), cursor, isReverse),
    isReverse,
    matches: doors.compileWhere(options.where),
  }
}

/** Reads steps until the page is full, or has looked at as much as one page may. */
async function readSteps(doors: ListDoors, plan: ListPlan, limit: number): Promise<StoredPage> {
  const entries: StoredEntry[] = []
  let rest: KeyRange | undefined = plan.range
  const stepsMax = Math.ceil(kvLimits.scanEntriesMax / kvLimits.filterStepEntries)
  let bytes = 0
  for (let step = 0; step < stepsMax && rest !== undefined; step += 1) {
    const page: StoredPage = await readStored(doors, plan, rest, limit - entries.length)
    for (const entry of page.entries) bytes += entry.key.length + entry.data.length
    entries.push(...page.entries)
    rest = page.rest
    if (entries.length >= limit || plan.matches === undefined || bytes >= kvLimits.pageBytesMax) break
  }
  return { entries, rest }
}

function readStored(
  { namespace, reader }: ListDoors,
  { isReverse, matches }: ListPlan,
  range: KeyRange,
  limit: number,
): Promise<StoredPage> {
  const filter = matches && { matches, lookedMax: kvLimits.filterStepEntries }
  return reader.page(namespace, { range, limit, isReverse, ...filter })
}

class EntryList implements KvList {
  cursor: string
  readonly #doors: ListDoors
  readonly #plan: ListPlan
  readonly #limit: number
  readonly #batch: number
  #isStarted = false

  constructor(doors: ListDoors, plan: ListPlan, limit: number, batch: number, cursor: string) {
    this.#doors = doors
    this.#plan = plan
    this.#limit = limit
    this.#batch = batch
    this.cursor = cursor
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<KvEntry, void, undefined> {
    if (this.#isStarted) throw invalid('A list is followed once. Make another one, with its cursor to go on.')
    this.#isStarted = true
    let left = this.#limit
    let range: KeyRange | undefined = this.#plan.range
    while (range !== undefined && left > 0) {
      const page: StoredPage = await readStored(this.#doors, this.#plan, range, Math.min(this.#batch, left))
      for (const entry of page.entries) {
        this.cursor = showCursor(entry.key)
        yield toEntry(entry)
      }
      left -= page.entries.length
      range = page.rest
      if (range !== undefined) this.cursor = cursorOfRest(range, this.#plan.isReverse)
    }
  }
}
