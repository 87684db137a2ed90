import { kvLimits, kvLuaLimits } from '../../base/limits/kv.js'
import { kvCursorInvalid } from '../../kv/errors.js'
import { decodeKey, encodeKey, type KeyRange, type KvKey } from '../../kv/key.js'
import { readInteger, readText } from '../../kv/options.js'
import { continueRange, cursorOfRest, selectRange } from '../../kv/range.js'
import type { ListQuery, StoredEntry, StoredPage } from '../../kv/store.js'
import { showVersionstamp } from '../../kv/versionstamp.js'
import { type LuaObject, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { KvUse } from './bind.js'
import { KvFailure } from './failure.js'
import { keyToLua, storedToLua } from './lua-values.js'
import { readOptions } from './options.js'
import { describe, readKey, readPrefix } from './read-values.js'
import { type Matches, readFilter, Scan } from './scanning.js'

/** Makes the table of an entry; without value and versionstamp where there is none. */
export function entryToLua(key: KvKey, entry: StoredEntry | undefined, keysOnly = false): LuaObject {
  const table = Object.create(null) as LuaObject
  table.key = keyToLua(key)
  if (entry === undefined) return table
  if (!keysOnly) table.value = storedToLua(entry)
  table.versionstamp = showVersionstamp(entry.versionstamp)
  return table
}

/** Reads one entry. */
export function getEntry(use: KvUse, key: LuaValue): LuaObject {
  const parts = readKey(key)
  const [entry] = use.entries.read(use.namespace, [encodeKey(parts)])
  return entryToLua(parts, entry)
}

/**
 * Reads entries at one moment.
 *
 * @throws KvFailure when they take more than one page may.
 */
export function getEntries(use: KvUse, keys: readonly KvKey[]): LuaValue[] {
  if (keys.length > kvLimits.keysMax) {
    throw new LuaRaise(`${keys.length} keys, and ${kvLimits.keysMax} are allowed; read them in parts`)
  }
  use.call.budget.charge(keys.length)
  return use.session.snapshot(() => {
    const found: LuaValue[] = []
    let bytes = 0
    for (let at = 0; at < keys.length; at += kvLuaLimits.entriesPerLook) {
      use.call.budget.checkTime()
      const part = keys.slice(at, at + kvLuaLimits.entriesPerLook)
      const entries = use.entries.read(use.namespace, part.map(encodeKey))
      for (const [place, entry] of entries.entries()) {
        bytes += entry?.data.length ?? 0
        if (bytes > kvLimits.pageBytesMax) throw tooManyBytes()
        found.push(entryToLua(part[place] ?? [], entry))
      }
    }
    return found
  })
}

function tooManyBytes(): KvFailure {
  return new KvFailure(`the entries take more than ${kvLimits.pageBytesMax} bytes; read fewer keys at once`)
}

const rangeOptions = ['prefix', 'start', 'stop']

/** Options of `kv.list`. */
const listOptions = [...rangeOptions, 'limit', 'reverse', 'cursor', 'batch', 'where', 'keys_only']

/** Options of `kv.paginate`. */
const pageOptions = [...rangeOptions, 'limit', 'reverse', 'cursor', 'where', 'keys_only']

interface PagePlan {
  readonly range: KeyRange
  readonly isReverse: boolean
  readonly keysOnly: boolean
  readonly matches: Matches | undefined
}

function planPage(use: KvUse, options: LuaObject, cursor: LuaValue): PagePlan {
  const { prefix, start, stop } = options
  const range = selectRange({
    prefix: readPrefix(prefix),
    ...(start === undefined ? {} : { start: readKey(start, 'start') }),
    ...(stop === undefined ? {} : { end: readKey(stop, 'stop') }),
  })
  const isReverse = readFlag(options.reverse, 'reverse', false)
  // A cursor that came with a request may be anything.
  if (cursor instanceof Uint8Array) throw kvCursorInvalid()
  const from = readText(cursor ?? undefined, 'cursor', undefined)
  return {
    range: continueRange(range, from, isReverse),
    isReverse,
    keysOnly: readFlag(options.keys_only, 'keys_only', false),
    matches: readFilter(use, options.where),
  }
}

/** Reads an option that is true or false. */
export function readFlag(value: LuaValue, name: string, missing: boolean): boolean {
  if (value === undefined) return missing
  if (typeof value === 'boolean') return value
  throw new LuaRaise(`the option ${name} must be true or false, not ${describe(value)}`)
}

const sizes = { min: 1, max: kvLimits.pageEntriesMax }
const limits = { min: 1, max: Number.MAX_SAFE_INTEGER }

/** Part of a list. */
export interface LuaPage {
  readonly entries: LuaValue[]
  /** Where the next one begins; undefined behind the last one. */
  readonly cursor: string | undefined
}

/**
 * Reads the next entries of `kv.list`.
 *
 * @param cursor Of the page before, or the option of the list.
 * @param taken How many entries the list has given so far.
 */
export function listPage(use: KvUse, given: LuaValue, cursor: LuaValue, taken: number): LuaPage {
  const options = readOptions(given, listOptions)
  const limit = readInteger(options.limit, 'limit', limits, Number.POSITIVE_INFINITY)
  const batch = readInteger(options.batch, 'batch', sizes, kvLimits.pageEntriesDefault)
  const plan = planPage(use, options, cursor)
  const page = readPage(use, plan, Math.max(1, Math.min(batch, limit - taken)))
  return toLua(plan, page, page.rest !== undefined)
}

/** Reads a page of `kv.paginate`. */
export function readOnePage(use: KvUse, given: LuaValue): LuaPage {
  const options = readOptions(given, pageOptions)
  const limit = readInteger(options.limit, 'limit', sizes, kvLimits.pageEntriesDefault)
  const plan = planPage(use, options, options.cursor)
  const page = readPage(use, plan, limit)
  return toLua(plan, page, page.rest !== undefined && hasMore(use, page.rest, plan.isReverse))
}

function readPage(use: KvUse, { range, isReverse, matches }: PagePlan, limit: number): StoredPage {
  const scan = new Scan(use)
  const filter = matches === undefined ? {} : { matches: scan.watching(matches) }
  const page = use.entries.list(use.namespace, { range, limit, isReverse, ...filter })
  if (matches === undefined) scan.looked = page.entries.length
  scan.charge()
  return page
}

function hasMore(use: KvUse, range: KeyRange, isReverse: boolean): boolean {
  const { entries, rest } = use.entries.list(use.namespace, { range, isReverse, limit: 1 })
  return entries.length > 0 || rest !== undefined
}

function toLua({ isReverse, keysOnly }: PagePlan, { entries, rest }: StoredPage, goesOn: boolean): LuaPage {
  return {
    entries: entries.map((entry) => entryToLua(decodeKey(entry.key), entry, keysOnly)),
    cursor: goesOn && rest !== undefined ? cursorOfRest(rest, isReverse) : undefined,
  }
}

/** Counts the entries below a prefix, the prefix itself not among them. */
export function countEntries(use: KvUse, prefix: LuaValue, given: LuaValue): number {
  const options = readOptions(given, ['where'])
  const matches = readFilter(use, options.where)
  const range = selectRange({ prefix: readPrefix(prefix) })
  return matches === undefined ? countAll(use, range) : countMatching(use, range, matches)
}

function countAll(use: KvUse, range: KeyRange): number {
  const scan = new Scan(use)
  let total = 0
  let rest: KeyRange | undefined = range
  while (rest !== undefined) {
    const step = use.counter.count(use.namespace, rest, kvLuaLimits.countedEntries)
    total += step.count
    scan.looked = Math.ceil(total / kvLuaLimits.countedPerEntry)
    scan.charge()
    rest = step.rest
  }
  return total
}

function countMatching(use: KvUse, range: KeyRange, matches: Matches): number {
  const scan = new Scan(use)
  const watching = scan.watching(matches)
  let total = 0
  let rest: KeyRange | undefined = range
  while (rest !== undefined) {
    const query: ListQuery = {
      range: rest,
      limit: 1,
      isReverse: false,
      // Nothing is kept of what is only counted.
      matches: (entry: StoredEntry) => {
        if (watching(entry)) total += 1
        return false
      },
    }
    rest = use.entries.list(use.namespace, query).rest
    scan.charge()
  }
  return total
}
