import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BoundedLru } from '../../../../src/gateway/cache/bounded-lru.js'
import { matchesGlob } from '../../../../src/gateway/cache/glob.js'
import { PluginCache } from '../../../../src/gateway/cache/plugin-cache.js'

interface Item {
  readonly id: number
  readonly bytes: number
}

test('an LRU holds what a plain list of the last uses holds', () => {
  const step = fc.record({
    act: fc.constantFrom('add', 'touch', 'remove'),
    id: fc.nat({ max: 12 }),
    bytes: fc.integer({ min: 1, max: 60 }),
  })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 100 }),
      (steps, entriesMax, bytesMax) => {
        const gone: number[] = []
        const lru = new BoundedLru<Item>(entriesMax, bytesMax, ({ id }) => gone.push(id))
        let model: Item[] = []
        let modelGone = 0
        for (const { act, id, bytes } of steps) {
          const held = model.find((item) => item.id === id)
          if (act === 'add' && held === undefined) {
            const item = { id, bytes }
            lru.add(item)
            if (bytes <= bytesMax) model.push(item)
            const sum = () => model.reduce((total, each) => total + each.bytes, 0)
            while (model.length > entriesMax || sum() > bytesMax) {
              model.shift()
              modelGone += 1
            }
          } else if (act === 'touch' && held !== undefined) {
            lru.touch(held)
            model = [...model.filter((item) => item !== held), held]
          } else if (act === 'remove' && held !== undefined) {
            assert.equal(lru.remove(held), true)
            assert.equal(lru.remove(held), false)
            model = model.filter((item) => item !== held)
            modelGone += 1
          }
          assert.deepEqual([...lru.values()], model)
          assert.equal(lru.size, model.length)
          assert.equal(
            lru.bytes,
            model.reduce((total, each) => total + each.bytes, 0),
          )
          assert.equal(gone.length, modelGone)
          assert.ok(lru.size <= entriesMax && lru.bytes <= bytesMax)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('a glob matches what the expression with the same meaning matches', () => {
  const piece = fc.constantFrom('a', 'b', '/', '.', '*', '(', '?')
  const text = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''))
  const expression = (pattern: string) =>
    new RegExp(
      `^${pattern
        .split('*')
        .map((part) => part.replace(/[.?(]/g, '\\$&'))
        .join('.*')}$`,
    )
  fc.assert(
    fc.property(text, text, (pattern, subject) => {
      assert.equal(matchesGlob(pattern, subject), expression(pattern).test(subject))
    }),
    { numRuns: 1000 },
  )
})

test('a glob of many stars takes no time that grows without bound', () => {
  assert.equal(matchesGlob('*a'.repeat(500), 'a'.repeat(2000)), true)
  assert.equal(matchesGlob(`${'*a'.repeat(500)}b`, 'a'.repeat(2000)), false)
})

test('plugins do not see each other, live in their bounds, and lose what was used least recently', () => {
  const step = fc.record({
    act: fc.constantFrom('set', 'get', 'delete', 'tag', 'wait'),
    plugin: fc.constantFrom('a', 'b', 'c'),
    key: fc.constantFrom('x', 'y', 'z'),
    size: fc.integer({ min: 0, max: 300 }),
    tag: fc.constantFrom('red', 'blue'),
    ttlSeconds: fc.integer({ min: 1, max: 5 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let nowMs = 0
      const bounds = { pluginBytesMax: 1500, bytesMax: 2500 }
      const cache = new PluginCache({ ...bounds, now: () => nowMs })
      const last = new Map<string, { json: string; tag: string; endsMs: number } | undefined>()
      for (const { act, plugin, key, size, tag, ttlSeconds } of steps) {
        const name = `${plugin} ${key}`
        if (act === 'wait') nowMs += 700
        else if (act === 'set') {
          const json = JSON.stringify(name + 'v'.repeat(size))
          cache.set(plugin, key, json, { ttlSeconds, tags: [tag] })
          last.set(name, { json, tag, endsMs: nowMs + ttlSeconds * 1000 })
          assert.equal(cache.get(plugin, key), json, 'what was just put in is there')
        } else if (act === 'delete') {
          cache.delete(plugin, key)
          last.set(name, undefined)
        } else if (act === 'tag') {
          cache.invalidateTag(plugin, tag)
          for (const [other, value] of last) {
            if (other.startsWith(`${plugin} `) && value?.tag === tag) last.set(other, undefined)
          }
        }
        const found = cache.get(plugin, key)
        const expected = last.get(name)
        if (expected === undefined || nowMs >= expected.endsMs) assert.equal(found, undefined)
        else assert.ok(found === undefined || found === expected.json)
        assert.ok(cache.bytes <= bounds.bytesMax)
      }
      for (const plugin of ['a', 'b', 'c']) cache.clear(plugin)
      assert.equal(cache.bytes, 0)
    }),
    { numRuns: 200 },
  )
})

test('a plugin that fills its cache pushes out its own values first', () => {
  const cache = new PluginCache({ pluginBytesMax: 4000, bytesMax: 100_000 })
  cache.set('good', 'k', '1', { ttlSeconds: 60 })
  for (let at = 0; at < 1000; at += 1) cache.set('bad', `k${at}`, '"xxxxxxxxxx"', { ttlSeconds: 60 })
  assert.equal(cache.get('good', 'k'), '1')
  assert.equal(cache.get('bad', 'k0'), undefined)
  assert.equal(cache.get('bad', 'k999'), '"xxxxxxxxxx"')
  assert.ok(cache.bytes < 5000)
})

const refused: readonly (readonly [string, string, string, number, readonly string[]])[] = [
  ['an empty key', '', '1', 1, []],
  ['a long key', 'k'.repeat(513), '1', 1, []],
  ['a large value', 'k', JSON.stringify('ü'.repeat(131_072)), 1, []],
  ['no time to live', 'k', '1', 0, []],
  ['a time to live that is no number', 'k', '1', Number.NaN, []],
  ['too many tags', 'k', '1', 1, Array.from({ length: 33 }, (_, at) => `t${at}`)],
  ['an empty tag', 'k', '1', 1, ['']],
  ['a long tag', 'k', '1', 1, ['t'.repeat(129)]],
]
for (const [name, key, json, ttlSeconds, tags] of refused) {
  test(`the cache of plugins refuses ${name} and keeps what it has`, () => {
    const cache = new PluginCache()
    cache.set('a', 'k', '"before"', { ttlSeconds: 60 })
    assert.throws(() => cache.set('a', key, json, { ttlSeconds, tags }), { code: 'PLUGIN_CACHE_REFUSED' })
    assert.equal(cache.get('a', 'k'), '"before"')
  })
}
