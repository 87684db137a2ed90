import { kvLimits, kvLuaLimits } from '../../base/limits/kv.js'
import { encodeKey, type KeyRange, keyRange } from '../../kv/key.js'
import type { KvEnqueueOptions, KvSetOptions } from '../../kv/kv.js'
import { MutationList } from '../../kv/mutation-list.js'
import { subtreeRange } from '../../kv/range.js'
import type { CommitResult, StoredEntry } from '../../kv/store.js'
import type { KvU64, KvValue } from '../../kv/value.js'
import { parseVersionstamp, showVersionstamp } from '../../kv/versionstamp.js'
import { type LuaObject, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { callDepthOf } from '../call-depth.js'
import { type KvUse, writing } from './bind.js'
import { toTable } from './lua-values.js'
import { readOptions } from './options.js'
import { describe, readKey, readKeys, readPrefix, readValue } from './read-values.js'
import { readFlag } from './reading.js'
import { type Matches, readFilter, Scan } from './scanning.js'

/** Writes one entry. */
export function setEntry(use: KvUse, key: LuaValue, value: LuaValue, options: LuaValue): LuaObject {
  const list = new MutationList(use.clock)
  list.set(readKey(key), readValue(value), readExpiry(options))
  return resultToLua(commit(use, list))
}

/** Puts a message into a queue. */
export function enqueueMessage(use: KvUse, value: LuaValue, options: LuaValue): LuaObject {
  const list = new MutationList(use.clock)
  list.enqueue(readValue(value), readMessageOptions(options))
  return toTable({ ok: true, id: String(commit(use, list).messageIds[0]) })
}

/** One step of an atomic commit, as the Lua part hands it over. */
type Step = (list: MutationList, step: LuaObject) => void

const steps: Readonly<Record<string, Step>> = {
  check: (list, { key, name, versionstamp }) =>
    list.check(readChecked(key, name), readVersionstamp(versionstamp)),
  set: (list, { key, value, options }) => list.set(readKey(key), readValue(value), readExpiry(options)),
  delete: (list, { key }) => list.delete(readKey(key)),
  sum: combine('sum'),
  min: combine('min'),
  max: combine('max'),
  append: extend('append'),
  prepend: extend('prepend'),
  enqueue: (list, { value, options }) => list.enqueue(readValue(value), readMessageOptions(options)),
}

/** The Lua part names the keys that a transaction has read by what `_name` made of them. */
function readChecked(key: LuaValue, name: LuaValue): Buffer {
  return typeof name === 'string' ? Buffer.from(name, 'base64url') : encodeKey(readKey(key))
}

function combine(type: 'sum' | 'min' | 'max'): Step {
  // What is no integer is refused by the list, as for every caller of the store.
  return (list, { key, value, options }) =>
    list.combine(type, readKey(key), readValue(value) as number | bigint | KvU64, readExpiry(options))
}

function extend(type: 'append' | 'prepend'): Step {
  return (list, { key, value, options }) => {
    const items = readValue(value)
    const isEmpty = typeof items === 'object' && items !== null && Object.keys(items).length === 0
    list.extend(type, readKey(key), (isEmpty ? [] : items) as readonly KvValue[], readExpiry(options))
  }
}

/** Tells whether a commit looks at what is there. */
export function hasChecks(given: LuaValue): boolean {
  return Array.isArray(given) && given.some((step) => isStep(step) && step.type === 'check')
}

/** Applies the steps of `kv.atomic` or `kv.transaction` as one commit. */
export function commitSteps(use: KvUse, given: LuaValue): LuaObject {
  const all = Array.isArray(given) ? given : []
  if (all.length > kvLimits.mutationsMax + kvLimits.checksMax) {
    throw new LuaRaise(`${all.length} checks and mutations are more than one commit can have`)
  }
  use.call.budget.charge(Math.max(1, all.length))
  const list = new MutationList(use.clock)
  for (const [at, step] of all.entries()) apply(list, step, at)
  return resultToLua(commit(use, list))
}

function apply(list: MutationList, step: LuaValue, at: number): void {
  const act = isStep(step) && typeof step.type === 'string' ? steps[step.type] : undefined
  if (act === undefined) throw new LuaRaise(`step ${at + 1} is none`)
  try {
    act(list, step as LuaObject)
  } catch (error) {
    if (!(error instanceof LuaRaise)) throw error
    throw new LuaRaise(`step ${at + 1}, ${(step as LuaObject).type}: ${error.message}`)
  }
}

function isStep(step: LuaValue): step is LuaObject {
  return typeof step === 'object' && step !== null && Object.getPrototypeOf(step) === null
}

/** Deletes one entry, or the entries at and below a key; gives how many there were. */
export function deleteEntries(use: KvUse, key: LuaValue, given: LuaValue): number {
  const options = readOptions(given, ['exact', 'where'])
  const isExact = readFlag(options.exact, 'exact', true)
  const matches = readFilter(use, options.where)
  const parts = isExact ? readKey(key) : readPrefix(key, 'the key')
  if (!isExact) return deleteRange(use, subtreeRange(parts), matches)
  const encoded = encodeKey(parts)
  if (matches !== undefined) return deleteRange(use, keyRange(encoded), matches)
  const list = new MutationList(use.clock)
  list.delete(parts)
  return commit(use, list).deleted
}

/**
 * Deletes in steps of one commit each; a filter is applied before the lock is taken, and what has changed by then is
 * looked at again, so that nothing is deleted that does not match.
 */
function deleteRange(use: KvUse, range: KeyRange, matches: Matches | undefined): number {
  const scan = new Scan(use)
  const watching = scan.watching(matches)
  let deleted = 0
  let rest: KeyRange | undefined = range
  while (rest !== undefined) {
    const query = { range: rest, limit: kvLuaLimits.deleteEntries, isReverse: false, matches: watching }
    const page = use.entries.list(use.namespace, query)
    const result = deletePage(use, page.entries)
    if (result.ok) {
      deleted += result.deleted
      rest = page.rest
    }
    scan.charge()
  }
  return deleted
}

function deletePage(use: KvUse, entries: readonly StoredEntry[]): Pick<CommitResult, 'ok' | 'deleted'> {
  if (entries.length === 0) return { ok: true, deleted: 0 }
  use.call.budget.charge(1)
  const checks = entries.map(({ key, versionstamp }) => ({ key, versionstamp }))
  const mutations = entries.map(({ key }) => ({ type: 'delete', key }) as const)
  const { depth } = callDepthOf(use.call)
  return writing(use, () => use.entries.commit(use.namespace, { checks, mutations, depth }))
}

/** Makes the table that a commit gives. */
function resultToLua({ ok, versionstamp }: CommitResult): LuaObject {
  return toTable(ok ? { ok, versionstamp: showVersionstamp(versionstamp) } : { ok })
}

function commit(use: KvUse, { checks, mutations }: MutationList): CommitResult {
  const { depth } = callDepthOf(use.call)
  return writing(use, () => use.entries.commit(use.namespace, { checks, mutations, depth }))
}

function readVersionstamp(value: LuaValue): number | null {
  return value === undefined || value === null ? null : parseVersionstamp(value)
}

function readExpiry(given: LuaValue): KvSetOptions {
  const { expires_in } = readOptions(given, ['expires_in'])
  return expires_in === undefined ? {} : { expiresIn: asNumber(expires_in, 'expires_in') }
}

function readMessageOptions(given: LuaValue): KvEnqueueOptions {
  const { queue, delay, backoff_schedule, keys_if_undelivered } = readOptions(given, [
    'queue',
    'delay',
    'backoff_schedule',
    'keys_if_undelivered',
  ])
  return {
    ...(queue === undefined ? {} : { queue: (queue ?? '') as string }),
    ...(delay === undefined ? {} : { delay: asNumber(delay, 'delay') }),
    ...(backoff_schedule === undefined ? {} : { backoffSchedule: readPauses(backoff_schedule) }),
    ...(keys_if_undelivered === undefined
      ? {}
      : { keysIfUndelivered: readKeys(keys_if_undelivered, 'keys_if_undelivered') }),
  }
}

/** What is no number is refused where its range is checked, but for null, which counts as missing there. */
function asNumber(value: LuaValue, name: string): number {
  if (value === null) throw new LuaRaise(`the option ${name} is null: leave it out`)
  return value as number
}

function readPauses(value: LuaValue): readonly number[] {
  if (Array.isArray(value)) return value.map((pause) => asNumber(pause, 'backoff_schedule'))
  if (isStep(value) && Object.keys(value).length === 0) return []
  throw new LuaRaise(`backoff_schedule must be a list of milliseconds, not ${describe(value)}`)
}
