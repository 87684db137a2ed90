import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type JsonFault, parseJson } from '../../../src/config/json-source.js'

function faultOf(source: string): JsonFault {
  const result = parseJson(source)
  if (result.ok) assert.fail(`${source} was read`)
  return result
}

test('any JSON value is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (source) => {
      const result = parseJson(source)
      assert.ok(result.ok)
      assert.equal(JSON.stringify(result.value), JSON.stringify(JSON.parse(source)))
    }),
    { numRuns: 150 },
  )
})

test('any text is refused exactly when JSON.parse refuses it', () => {
  const characters = fc.constantFrom(...'{}[]:,"\\ \n\t01-+.eEtrufalsn/u0041\u0000\u2028')
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 12 }), (source) => {
      let valid = true
      try {
        JSON.parse(source)
      } catch {
        valid = false
      }
      assert.equal(parseJson(source).ok, valid)
    }),
    { numRuns: 200 },
  )
})

test('each key has its line', () => {
  const result = parseJson('{\n  "a": 1,\n  "b": {\n    "c": [\n      {"d": "x\\ny"}]}}')
  assert.ok(result.ok)
  assert.deepEqual(
    [...result.lines],
    [
      ['a', 2],
      ['b', 3],
      ['b.c', 4],
      ['b.c.0.d', 5],
    ],
  )
})

const faults: readonly (readonly [string, number, number, RegExp])[] = [
  ['', 1, 1, /a value/],
  ['{', 1, 2, /a key/],
  ['{"a": tru}', 1, 7, /a value/],
  ['{\n  "a": 1\n  "b": 2\n}', 3, 3, /"," or "}"/],
  ['{"a": 1,}', 1, 9, /a key/],
  ['[1 2]', 1, 4, /"," or "\]"/],
  ['{"a" 1}', 1, 6, /":"/],
  ['{"a": "x\n"}', 1, 7, /control characters/],
  ['{"a": "x', 1, 7, /a closing double quote/],
  ['{} {}', 1, 4, /the end/],
  ['// hello\n{}', 1, 1, /a value/],
]

for (const [source, line, column, expected] of faults) {
  test(`${JSON.stringify(source)} is wrong at line ${line}, column ${column}`, () => {
    const fault = faultOf(source)
    assert.deepEqual([fault.line, fault.column], [line, column])
    assert.match(fault.expected, expected)
  })
}

test('a key that stands twice is told, and the last one wins', () => {
  const result = parseJson('{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}')
  assert.ok(result.ok)
  assert.deepEqual(result.duplicates, ['b.c', 'a'])
  assert.equal(JSON.stringify(result.value), '{"a":3,"b":{"c":2}}')
})

test('__proto__ is a key like any other', () => {
  const result = parseJson('{"__proto__": {"polluted": true}, "constructor": 1}')
  assert.ok(result.ok)
  assert.deepEqual(result.duplicates, [])
  assert.equal(JSON.stringify(result.value), '{"__proto__":{"polluted":true},"constructor":1}')
  assert.equal('polluted' in {}, false)
})

test('nesting has a limit at 32 levels', () => {
  assert.equal(parseJson('['.repeat(32) + ']'.repeat(32)).ok, true)
  assert.match(faultOf('['.repeat(100_000)).expected, /at most 32 levels/)
})

test('a text as long as a whole file is read', () => {
  const long = 'x'.repeat(1024 * 1024)
  const result = parseJson(JSON.stringify({ long }))
  assert.ok(result.ok)
  assert.deepEqual({ ...(result.value as object) }, { long })
})
