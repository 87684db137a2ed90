import { kvWhereLimits } from '../../base/limits/kv.js'
import type { StoredEntry } from '../store.js'
import { decodeValue } from '../stored-value.js'
import { isMembers, type KvObject } from '../value.js'
import type { Where } from '../where.js'
import { type Compilation, describe, isTagged, whereInvalid } from './operands.js'
import { equals, operators, type Predicate } from './operators.js'
import { parsePath, readPath } from './path.js'

/**
 * Compiles a filter. All members of an object must hold, so `{}` matches everything:
 *
 * | member                                   | holds when                                                           |
 * |------------------------------------------|----------------------------------------------------------------------|
 * | `<path>: <text, number, …>`              | as `$eq`                                                             |
 * | `<path>: {<operator>: …}`                | all of its operators hold                                            |
 * | `$and: [<filter>…]`, `$or: […]`          | all of them hold, one of them does; an empty list is refused         |
 * | `$not: <filter>`                         | the filter does not hold; also inside a path, over its operators     |
 * | `$eq $ne $gt $gte $lt $lte`              | it compares so; `$now` values are times                              |
 * | `$between: [low, high]`                  | it is one of both or between them                                    |
 * | `$in: […]`, `$nin: […]`                  | it is one of them, or none                                           |
 * | `$contains $notContains`                 | a text has that part, an array has that item                         |
 * | `$startsWith $endsWith`                  | a text does                                                          |
 * | `$containsi $notContainsi $startsWithi $endsWithi` | the same, whatever the case                                |
 * | `$null $empty $notEmpty`: true or false  | it is null; it is null, `""` or `[]`; it is none of them             |
 *
 * There is no third truth: a missing member counts as null, and what is not so is otherwise. So `$ne: 1`, `$nin: [1]`,
 * `$notContains` and `$not: {$eq: 1}` match where there is no member. Different types are never equal, nor one less
 * than the other; numbers, bigints and counters are one type and compare exactly. Paths are those of `path.ts`.
 * Members whose value is `undefined` are passed over.
 *
 * @param where Bounded by `kvWhereLimits`.
 * @param nowMs Milliseconds since 1970 that `KvNow` and `{"$now":true}` stand for.
 * @returns What tells whether a value matches. It never throws, and its time is bounded by the filter times the value.
 * @throws `KV_WHERE_INVALID`, which names the place, for everything that is not above.
 */
export function compileWhere(where: Where, nowMs: number): Predicate {
  return compileFilter(where, '', 0, { nowMs, operators: 0, items: 0, parts: 0 })
}

/** Compiles a filter over entries as stores keep them; see `compileWhere`. */
export function compileStoredWhere(where: Where, nowMs: number): (entry: StoredEntry) => boolean {
  const matches = compileWhere(where, nowMs)
  return (entry) => matches(decodeValue(entry))
}

function compileFilter(filter: unknown, place: string, depth: number, compilation: Compilation): Predicate {
  const members = readMembers(filter, place, depth)
  const conditions = members.map(([name, member]) => {
    const at = place === '' ? name : `${place}.${name}`
    if (!name.startsWith('$')) return compileField(name, member, at, depth + 1, compilation)
    count(at, compilation)
    if (name === '$not') return negate(compileFilter(member, at, depth + 1, compilation))
    if (name !== '$and' && name !== '$or') throw unknownLogic(at, name)
    const filters = readFilters(member, at).map((item, index) =>
      compileFilter(item, `${at}[${index}]`, depth + 1, compilation),
    )
    return name === '$and' ? every(filters) : some(filters)
  })
  return every(conditions)
}

function compileField(
  name: string,
  condition: unknown,
  place: string,
  depth: number,
  compilation: Compilation,
): Predicate {
  const path = parsePath(name)
  if ('problem' in path) throw whereInvalid(place, path.problem)
  const holds = compileCondition(condition, place, depth, compilation)
  return (value) => holds(readPath(value, path.parts))
}

function compileCondition(
  condition: unknown,
  place: string,
  depth: number,
  compilation: Compilation,
): Predicate {
  if (!isMembers(condition) || isTagged(condition)) {
    count(place, compilation)
    return equals({ value: condition, place }, compilation)
  }
  const members = readMembers(condition, place, depth)
  if (members.length === 0) throw whereInvalid(place, 'no operator is given, such as {"$eq":1}')
  return every(
    members.map(([name, value]) => {
      const at = `${place}.${name}`
      count(at, compilation)
      if (name === '$not') return negate(compileCondition(value, at, depth + 1, compilation))
      const operator = operators.get(name)
      if (operator === undefined) throw unknownOperator(at, name)
      return operator({ value, place: at }, compilation)
    }),
  )
}

function readMembers(filter: unknown, place: string, depth: number): [string, unknown][] {
  if (!isPlain(filter)) throw whereInvalid(place, `an object is needed, and not ${describe(filter)}`)
  if (depth > kvWhereLimits.depthMax) {
    throw whereInvalid(place, `the filter is nested deeper than ${kvWhereLimits.depthMax} levels`)
  }
  return Object.entries(filter).filter(([, member]) => member !== undefined)
}

function readFilters(list: unknown, place: string): unknown[] {
  if (!Array.isArray(list))
    throw whereInvalid(place, `it takes an array of filters, and not ${describe(list)}`)
  if (list.length === 0) throw whereInvalid(place, 'its list is empty. Leave it out, or give it a filter')
  if (list.length > kvWhereLimits.operatorsMax) throw tooMany(place)
  return Array.from(list)
}

function count(place: string, compilation: Compilation): void {
  compilation.operators += 1
  if (compilation.operators > kvWhereLimits.operatorsMax) throw tooMany(place)
}

function tooMany(place: string): Error {
  return whereInvalid(place, `the filter has more than ${kvWhereLimits.operatorsMax} operators`)
}

function isPlain(value: unknown): value is KvObject {
  if (!isMembers(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function unknownLogic(place: string, name: string): Error {
  const hint = operators.has(name)
    ? `"${name}" stands inside of a path: {"path":{"${name}":…}}, or with "" for the value itself`
    : 'beside paths there are $and, $or and $not. A member of that name is the path ["name"] with brackets and quotes'
  return whereInvalid(place, hint)
}

function unknownOperator(place: string, name: string): Error {
  const known = `There are ${[...operators.keys(), '$not'].join(', ')}`
  const hint = name.startsWith('$') ? known : `For a member of a member write the path "a.b". ${known}`
  return whereInvalid(place, `there is no such operator. ${hint}`)
}

function negate(predicate: Predicate): Predicate {
  return (value) => !predicate(value)
}

function every(predicates: readonly Predicate[]): Predicate {
  return (value) => predicates.every((predicate) => predicate(value))
}

function some(predicates: readonly Predicate[]): Predicate {
  return (value) => predicates.some((predicate) => predicate(value))
}
