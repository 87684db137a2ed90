import type { KvValue } from '../value.js'
import { compare, fold, isEqual, type Scalar } from './compare.js'
import {
  type Compilation,
  checkPart,
  type Operand,
  readBoolean,
  readOrdered,
  readPart,
  readScalar,
  readScalars,
  whereInvalid,
} from './operands.js'

/** Answers for one value. It never throws. */
export type Predicate = (value: KvValue) => boolean

type Operator = (operand: Operand, compilation: Compilation) => Predicate

/** What can be asked of a value at a path, but `$not`. A map, so that no name finds what objects inherit. */
export const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['$eq', equals],
  ['$ne', opposite(equals)],
  ['$gt', ordered((order) => order > 0)],
  ['$gte', ordered((order) => order >= 0)],
  ['$lt', ordered((order) => order < 0)],
  ['$lte', ordered((order) => order <= 0)],
  ['$between', between],
  ['$in', isAmong],
  ['$nin', opposite(isAmong)],
  ['$contains', contains],
  ['$notContains', opposite(contains)],
  ['$startsWith', text((found, part) => found.startsWith(part))],
  ['$endsWith', text((found, part) => found.endsWith(part))],
  ['$containsi', containsFolded],
  ['$notContainsi', opposite(containsFolded)],
  ['$startsWithi', foldedText((found, part) => found.startsWith(part))],
  ['$endsWithi', foldedText((found, part) => found.endsWith(part))],
  ['$null', flag((value) => value === null)],
  ['$empty', flag(isEmpty)],
  ['$notEmpty', flag((value) => !isEmpty(value))],
])

/** The condition that a bare value stands for. */
export function equals(operand: Operand, compilation: Compilation): Predicate {
  const scalar = readScalar(operand, compilation)
  return (value) => isEqual(value, scalar)
}

function opposite(operator: Operator): Operator {
  return (operand, compilation) => {
    const predicate = operator(operand, compilation)
    return (value) => !predicate(value)
  }
}

function ordered(holds: (order: number) => boolean): Operator {
  return (operand, compilation) => {
    const scalar = readOrdered(operand, compilation)
    return (value) => {
      const order = compare(value, scalar)
      return order !== undefined && holds(order)
    }
  }
}

function between({ value: bounds, place }: Operand, compilation: Compilation): Predicate {
  if (!Array.isArray(bounds) || bounds.length !== 2) {
    throw whereInvalid(place, 'it takes an array of the least and the greatest value')
  }
  const low = readOrdered({ value: bounds[0], place: `${place}[0]` }, compilation)
  const high = readOrdered({ value: bounds[1], place: `${place}[1]` }, compilation)
  if (compare(low, high) === undefined) throw whereInvalid(place, 'its two values have different types')
  return (value) => (compare(value, low) ?? -1) >= 0 && (compare(value, high) ?? 1) <= 0
}

function isAmong(operand: Operand, compilation: Compilation): Predicate {
  const scalars = readScalars(operand, compilation)
  return (value) => scalars.some((scalar) => isEqual(value, scalar))
}

/** In a text, its characters in a row; in an array, an item. */
function contains(operand: Operand, compilation: Compilation): Predicate {
  const scalar: Scalar = readScalar(operand, compilation)
  if (typeof scalar === 'string') checkPart(scalar, operand.place, compilation)
  return (value) => {
    if (Array.isArray(value)) return (value as readonly KvValue[]).some((item) => isEqual(item, scalar))
    return typeof value === 'string' && typeof scalar === 'string' && value.includes(scalar)
  }
}

function containsFolded(operand: Operand, compilation: Compilation): Predicate {
  const part = fold(readPart(operand, compilation))
  const isPart = (item: KvValue) => typeof item === 'string' && fold(item) === part
  return (value) => {
    if (Array.isArray(value)) return (value as readonly KvValue[]).some(isPart)
    return typeof value === 'string' && fold(value).includes(part)
  }
}

function text(holds: (found: string, part: string) => boolean): Operator {
  return (operand, compilation) => {
    const part = readPart(operand, compilation)
    return (value) => typeof value === 'string' && holds(value, part)
  }
}

function foldedText(holds: (found: string, part: string) => boolean): Operator {
  return (operand, compilation) => {
    const part = fold(readPart(operand, compilation))
    return (value) => typeof value === 'string' && holds(fold(value), part)
  }
}

function flag(holds: Predicate): Operator {
  return (operand) => {
    const wanted = readBoolean(operand)
    return (value) => holds(value) === wanted
  }
}

function isEmpty(value: KvValue): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}
