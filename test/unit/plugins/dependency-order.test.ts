import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type DependencyNode, orderByDependencies } from '../../../src/plugins/dependency-order.js'

function nodes(spec: Readonly<Record<string, string>>): readonly DependencyNode[] {
  return Object.entries(spec).map(([name, needed]) => ({
    name,
    dependencies: needed === '' ? [] : needed.split(' '),
  }))
}

describe('orderByDependencies', () => {
  it('puts each plugin after those that it needs, and ties in alphabetical order', () => {
    const { order, failed } = orderByDependencies(nodes({ c: '', a: 'c', b: '', d: 'a b' }))
    assert.deepEqual(order, ['b', 'c', 'a', 'd'])
    assert.equal(failed.size, 0)
  })

  it('fails a plugin with a missing dependency and its dependants, and names the chain', () => {
    const { order, failed } = orderByDependencies(nodes({ a: 'b', b: 'ghost', other: '' }))
    assert.deepEqual(order, ['other'])
    assert.match(failed.get('b') ?? '', /dependency "ghost" was not found/)
    assert.match(failed.get('a') ?? '', /"b" is not running.*a -> b -> ghost/)
    assert.equal(failed.has('other'), false)
  })

  it('fails the plugins of a circle and those that need it, and names the circle', () => {
    const { order, failed } = orderByDependencies(nodes({ a: 'b', b: 'a', c: 'a', self: 'self', free: '' }))
    assert.deepEqual(order, ['free'])
    assert.match(failed.get('a') ?? '', /^circular dependency: a -> b -> a$/)
    assert.match(failed.get('b') ?? '', /^circular dependency: b -> a -> b$/)
    assert.match(failed.get('c') ?? '', /"a" is not running: circular dependency: a -> b -> a/)
    assert.match(failed.get('self') ?? '', /^circular dependency: self -> self$/)
  })

  it('fails exactly those that reach a missing plugin or a circle, for any graph', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const graph = fc.uniqueArray(
      fc.record({
        name: fc.constantFrom(...names),
        dependencies: fc.uniqueArray(fc.constantFrom(...names, 'ghost'), { maxLength: 3 }),
      }),
      { selector: ({ name }) => name, maxLength: 6 },
    )
    fc.assert(
      fc.property(graph, (given) => {
        const { order, failed } = orderByDependencies(given)
        assert.deepEqual([...order, ...failed.keys()].sort(), given.map(({ name }) => name).sort())
        const byName = new Map(given.map((node) => [node.name, node.dependencies]))
        for (const [index, name] of order.entries()) {
          for (const needed of byName.get(name) ?? []) {
            assert.ok(order.indexOf(needed) < index && order.includes(needed))
          }
        }
        for (const name of failed.keys()) {
          const dependencies = byName.get(name) ?? []
          assert.ok(dependencies.some((needed) => !byName.has(needed) || failed.has(needed)))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('gives the same order whatever the order of the plugins', () => {
    const given = nodes({ a: 'd', b: '', c: 'b a', d: '', e: 'ghost' })
    fc.assert(
      fc.property(fc.shuffledSubarray([...given], { minLength: given.length }), (shuffled) => {
        assert.deepEqual(orderByDependencies(shuffled), orderByDependencies(given))
      }),
      { numRuns: 50 },
    )
  })
})
