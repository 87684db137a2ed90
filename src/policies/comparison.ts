import type { Comparison, JsonValue, Scalar } from './policy.js'
import type { Truth } from './truth.js'

/** Claims of a subject, or attributes of a resource. */
export type Members = { readonly [name: string]: JsonValue }

/**
 * Makes the check of a comparison. What is not there is equal to nothing, so that only `neq`, and `exists` with false,
 * hold of it; what is there in a form that cannot be compared is an error, as a policy that denies by it must not
 * lose its effect.
 */
export function compileComparison(comparison: Comparison): (members: Members) => Exclude<Truth, 'pending'> {
  const { name, operator = 'eq', value } = comparison
  const path = name.split('.')
  const find = (members: Members): JsonValue | undefined =>
    Object.hasOwn(members, name) ? members[name] : path.length === 1 ? undefined : findDeep(members, path)
  if (operator === 'exists') {
    const isWanted = value !== false
    return (members) => (find(members) !== undefined) === isWanted
  }
  const compare = comparers[operator]
  return (members) => {
    const actual = find(members)
    return actual === undefined ? operator === 'neq' : compare(actual, value as Scalar & readonly Scalar[])
  }
}

function findDeep(members: Members, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = members
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    if (!Object.hasOwn(value, name)) return undefined
    value = (value as Members)[name]
  }
  return value
}

type Comparer = (actual: JsonValue, value: Scalar & readonly Scalar[]) => boolean | 'error'

const comparers: Readonly<Record<Exclude<NonNullable<Comparison['operator']>, 'exists'>, Comparer>> = {
  eq: (actual, value) => (isScalar(actual) ? actual === value : 'error'),
  neq: (actual, value) => (isScalar(actual) ? actual !== value : 'error'),
  gt: ordered((actual, value) => actual > value),
  lt: ordered((actual, value) => actual < value),
  gte: ordered((actual, value) => actual >= value),
  lte: ordered((actual, value) => actual <= value),
  contains(actual, value) {
    if (Array.isArray(actual)) return actual.includes(value)
    return typeof actual === 'string' && typeof value === 'string' ? actual.includes(value) : 'error'
  },
  in(actual, values) {
    if (isScalar(actual)) return values.includes(actual)
    return Array.isArray(actual) ? actual.some((member) => values.includes(member)) : 'error'
  },
}

function ordered(holds: (actual: number, value: number) => boolean): Comparer {
  return (actual, value) =>
    typeof actual === 'number' && !Number.isNaN(actual) ? holds(actual, Number(value)) : 'error'
}

function isScalar(value: JsonValue): value is Scalar {
  return typeof value !== 'object' || value === null
}
