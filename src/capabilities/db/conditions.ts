import { type LuaObject, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { aggregateFrom } from './aggregates.js'
import { DbFailure } from './failure.js'
import { allOf, type FilterScope } from './filter-scope.js'
import { excerpt } from './names.js'
import { aggregateTag } from './operators.js'
import type { Comparison, Filter } from './plan.js'

const operators: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ['=', '='],
  ['<>', '<>'],
  ['!=', '<>'],
  ['>', '>'],
  ['<', '<'],
  ['>=', '>='],
  ['<=', '<='],
  ['LIKE', 'like'],
])

/**
 * Reads a condition list: `{ "col", op, value }`, `{ "AND", { ... } }`, `{ "NOT", c }`, or a list of those that
 * must all hold.
 *
 * @throws DbFailure when an item is not understood, or the tree is too deep or too large.
 */
export function parseConditions(list: LuaValue[], scope: FilterScope): Filter {
  return parseNode(list, scope, 0)
}

function parseNode(node: LuaValue, scope: FilterScope, depth: number): Filter {
  if (!Array.isArray(node)) throw notACondition(node, scope)
  const [head] = node
  if (head instanceof Tagged) return parseAggregateLeaf(head, node, scope, depth)
  if (typeof head !== 'string') return parseList(node, scope, depth, 'and')
  const keyword = head.toUpperCase()
  if (keyword !== 'AND' && keyword !== 'OR' && keyword !== 'NOT') return parseLeaf(node, scope, depth)
  scope.countNode(depth + 1)
  if (node.length !== 2) throw new DbFailure(`${scope.clause}: ${keyword} takes exactly one table after it`)
  if (keyword === 'NOT') return { op: 'not', of: parseNode(node[1], scope, depth + 1) }
  const items = node[1]
  if (!Array.isArray(items)) {
    throw new DbFailure(
      `${scope.clause}: ${keyword} takes a list of conditions, and a list with holes is non-contiguous`,
    )
  }
  return parseList(items, scope, depth + 1, keyword === 'AND' ? 'and' : 'or')
}

function parseList(items: readonly LuaValue[], scope: FilterScope, depth: number, op: 'and' | 'or'): Filter {
  if (items.length === 0) throw new DbFailure(`${scope.clause}: a list of conditions is empty`)
  return allOf(
    op,
    items.map((item) => parseNode(item, scope, depth)),
  )
}

function parseLeaf(node: readonly LuaValue[], scope: FilterScope, depth: number): Filter {
  scope.countNode(depth)
  const [name, operator, value] = node
  const on = scope.subject(name)
  if (typeof operator !== 'string') {
    throw new DbFailure(`${scope.nameOf(on)}: invalid condition operator; write { "column", "=", value }`)
  }
  const word = operator.trim().replace(/\s+/g, ' ').toUpperCase()
  if (word === 'IS NULL' || word === 'IS NOT NULL') {
    expectLength(node, 2, scope.nameOf(on))
    return { op: word === 'IS NULL' ? 'null' : 'not null', on }
  }
  if (word === 'IN') {
    expectLength(node, 3, scope.nameOf(on))
    return scope.member('in', on, value)
  }
  if (word === 'BETWEEN') {
    expectLength(node, 3, scope.nameOf(on))
    const [low, high, ...rest] = Array.isArray(value) ? value : []
    if (rest.length > 0)
      throw new DbFailure(`${scope.nameOf(on)}: BETWEEN requires two non-nil values, got more`)
    return scope.range(on, low, high)
  }
  const comparison = operators.get(word)
  if (comparison === undefined) {
    throw new DbFailure(
      `${scope.nameOf(on)}: invalid condition operator "${excerpt(operator)}"; use = <> != > < >= <= LIKE, IN, BETWEEN, IS NULL or IS NOT NULL`,
    )
  }
  if (node.length > 3)
    throw new DbFailure(`${scope.nameOf(on)}: a condition has three parts, this one has more`)
  return scope.compare(comparison, on, value)
}

function parseAggregateLeaf(
  head: Tagged,
  node: readonly LuaValue[],
  scope: FilterScope,
  depth: number,
): Filter {
  scope.countNode(depth)
  if (head.tag !== aggregateTag || scope.clause !== 'having') throw notACondition(head, scope)
  const on = aggregateFrom(head)
  const [, operator, value] = node
  const comparison = typeof operator === 'string' ? operators.get(operator.trim()) : undefined
  if (comparison === undefined || comparison === 'like') {
    throw new DbFailure(
      `having "${on.alias}": invalid condition operator; an aggregate takes = <> != > < >= <=`,
    )
  }
  expectLength(node, 3, `having "${on.alias}"`)
  return scope.compare(comparison, on, value)
}

function expectLength(node: readonly LuaValue[], length: number, subject: string): void {
  if (node.length === length) return
  throw new DbFailure(`${subject}: this condition has ${length} parts, got ${node.length} (nil ends a list)`)
}

function notACondition(node: LuaValue, scope: FilterScope): DbFailure {
  if (node instanceof Tagged) {
    return new DbFailure(
      `${scope.clause}: an operator such as db.eq() belongs to the map style, { column = db.eq(1) }; an aggregate belongs to having`,
    )
  }
  if (isObject(node) && Object.keys(node).some((key) => /^\d+$/.test(key))) {
    const mixed = Object.keys(node).some((key) => !/^\d+$/.test(key))
    return new DbFailure(
      mixed
        ? `${scope.clause}: cannot mix string keys and list items in a condition`
        : `${scope.clause}: non-contiguous condition (one of its parts is nil)`,
    )
  }
  return new DbFailure(`${scope.clause}: each condition must be a list such as { "column", "=", value }`)
}

function isObject(value: LuaValue): value is LuaObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}
