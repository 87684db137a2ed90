import { HostError } from '../../base/errors.js'
import type { KvValue } from '../value.js'
import type { Where } from '../where.js'
import { fromWire } from '../wire.js'
import { mismatch, preview } from './preview.js'
import { requestInvalid } from './routes-failures.js'

/** Members of an object of a body, by name. */
export type Members = Readonly<Record<string, unknown>>

/** Bounds of a number, both included. */
export interface Bounds {
  readonly min: number
  readonly max: number
}

/** Reads an object and refuses members that it does not know, by name. `place` is e.g. `mutations[2]`. */
export function readMembers(value: unknown, place: string, known: readonly string[]): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw mismatch(place, 'an object', value)
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const names = known.length === 0 ? 'no members' : `only ${known.join(', ')}`
    throw requestInvalid({
      problem: `${place} has the unknown member ${preview(unknown)}; it takes ${names}.`,
    })
  }
  return value as Members
}

/** Reads an array of a bounded number of items, each with its place. */
export function readItems<T>(
  value: unknown,
  place: string,
  { min, max }: Bounds,
  readItem: (item: unknown, place: string) => T,
): T[] {
  if (!Array.isArray(value)) throw mismatch(place, 'an array', value)
  if (value.length < min || value.length > max) {
    throw requestInvalid({ problem: `${place} has ${value.length} items; it takes ${min} to ${max}.` })
  }
  return value.map((item, at) => readItem(item, `${place}[${at}]`))
}

/** Reads a whole number; undefined when it is missing. */
export function readInteger(value: unknown, place: string, bounds?: Bounds): number | undefined {
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value)) throw mismatch(place, 'a whole number', value)
  const integer = value as number
  if (bounds !== undefined && (integer < bounds.min || integer > bounds.max)) {
    throw requestInvalid({
      problem: `${place} must be from ${bounds.min} to ${bounds.max}, not ${integer}.`,
    })
  }
  return integer
}

/** Reads a boolean; undefined when it is missing. */
export function readBoolean(value: unknown, place: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw mismatch(place, 'true or false', value)
}

/** Reads a text; undefined when it is missing. */
export function readText(value: unknown, place: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw mismatch(place, 'a string', value)
}

/** Reads a text that must be there and not empty. */
export function needText(value: unknown, place: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw mismatch(place, 'a string that is not empty', value)
}

/** Reads a filter; undefined when it is missing. The store checks what is inside. */
export function readWhere(value: unknown, place: string): Where | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw mismatch(place, 'an object', value)
  }
  return value as Where
}

/** Reads a value in tagged JSON that must be there; `null` is one. */
export function needValue(members: Members, place: string): KvValue {
  if (!Object.hasOwn(members, 'value')) throw requestInvalid({ problem: `${place} is missing.` })
  return locate(place, () => fromWire(members.value))
}

/** Puts the place of a value before the message of what cannot be read there. */
export function locate<T>(place: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    throw new HostError(error.code, error.status, `${place}: ${error.message}`, { cause: error })
  }
}

/** Leaves out what is undefined, as options that are missing are not there at all. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
