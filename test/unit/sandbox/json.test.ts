import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { vmLimits } from '../../../src/base/limits/sandbox.js'
import { parseJson } from '../../../src/sandbox/json-parser.js'
import { jsonText, quoteJson } from '../../../src/sandbox/json-text.js'
import { DecodedJson, type LuaValue } from '../../../src/sandbox/lua-value.js'
import { jsonKind } from '../../helpers/probe-module.js'
import { VmFixture } from '../../helpers/vm-fixture.js'

/** An integer that only the exact parser reads rightly: it makes `parseJson` take that way. */
const long = '9007199254740993'

/** Without prototypes, and with the tested integer where the exact parser gave a bigint. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? Number(member) : member)))

function verdict(parse: (text: string) => unknown, text: string): string {
  try {
    return JSON.stringify(plain(parse(text)))
  } catch (error) {
    assert.ok(error instanceof SyntaxError, String(error))
    return 'refused'
  }
}

function agree(text: string): void {
  assert.equal(verdict(parseJson, text), verdict(JSON.parse, text), JSON.stringify(text))
  const exact = `[${text},${long}]`
  assert.equal(verdict(parseJson, exact), verdict(JSON.parse, exact), JSON.stringify(exact))
}

const pieces = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '"\\u00e9"',
    '"\\ud800"',
    '"\\x"',
    '"\\',
    '\\',
    '\t',
    '\n',
    ' ',
  ],
  ...[
    '0',
    '-',
    '-0',
    '01',
    '1.',
    '.5',
    '1e5',
    '1E+',
    '-1.5e-3',
    '1e400',
    'true',
    'false',
    'null',
    'nul',
    'NaN',
  ],
  ...[
    '"\n"',
    '"\u2028"',
    '"\\\u2028"',
    '\u00a0',
    '\ufeff',
    '/**/',
    "'a'",
    '"__proto__"',
    'undefined',
    '\0',
    long,
  ],
]

describe('parseJson', () => {
  it('accepts and refuses what JSON.parse does', () => {
    for (const piece of pieces) agree(piece)
    const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(''))
    fc.assert(fc.property(soup, agree), { numRuns: 200 })
    fc.assert(fc.property(fc.string({ unit: 'binary' }), agree), { numRuns: 100 })
  })

  it('accepts and refuses changed texts as JSON.parse does', () => {
    const changed = fc
      .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(2), fc.constantFrom(...pieces))
      .map(([text, at, cut, piece]) => {
        const place = at % (text.length + 1)
        return text.slice(0, place) + piece + text.slice(place + cut)
      })
    fc.assert(fc.property(changed, agree), { numRuns: 200 })
    fc.assert(fc.property(fc.json({ maxDepth: 4 }), agree), { numRuns: 100 })
  })

  it('rounds no integer of 64 bits', () => {
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    const member = (text: string) => (parseJson(text) as { a: number | bigint }).a
    fc.assert(
      fc.property(int64, (value) => BigInt(member(`{"a":${value}}`)) === value),
      { numRuns: 200 },
    )
    assert.equal(parseJson('9223372036854775808'), 2 ** 63)
    assert.equal(parseJson('-9223372036854775808'), -(2n ** 63n))
    assert.ok(Object.is(parseJson('-0'), -0))
    assert.ok(Object.is((parseJson(`[-0,${long}]`) as LuaValue[])[0], -0))
    assert.equal((parseJson(`{"a":1,"a":${long}}`) as { a: bigint }).a, 9007199254740993n)
  })

  it('makes members of the names of prototypes', () => {
    for (const more of ['', `,"n":${long}`]) {
      const value = parseJson(`{"__proto__":{"polluted":1},"constructor":2${more}}`) as Record<
        string,
        unknown
      >
      assert.ok(Object.hasOwn(value, '__proto__'))
      assert.equal(value.polluted, undefined)
    }
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
  })

  it('reads the longest strings and refuses too many values before it makes them', () => {
    const text = 'a\\n'.repeat(3_000_000)
    assert.equal((parseJson(`["${text}",${long}]`) as string[])[0]?.length, 6_000_000)
    const { marshalNodesMax } = vmLimits
    const list = (count: number, item: string, end = '0') => `[${`${item},`.repeat(count - 1)}${end}]`
    assert.equal((parseJson(list(marshalNodesMax - 1, '1')) as LuaValue[]).length, marshalNodesMax - 1)
    for (const item of ['1', '[]', '{}', '{"a":1}', '""']) {
      assert.throws(() => parseJson(list(5_000_000 / item.length, item)), /more than 250000 values/, item)
    }
    assert.throws(() => parseJson('['.repeat(1_000_000)), /more than 250000 values/)
    assert.throws(() => parseJson(`${'['.repeat(100)}${long}`), SyntaxError)
    assert.equal((parseJson(`["${'[\\",{'.repeat(1_000_000)}"]`) as string[])[0]?.length, 4_000_000)
  })
})

describe('JSON text of Lua values', () => {
  it('is what JSON.parse reads back', async () => {
    const lua = await VmFixture.create()
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4, noUnicodeString: false }), async (value) => {
        lua.services.gift = { value } as LuaValue
        const text = await lua.json('return probe.give()')
        assert.deepEqual(emptied(JSON.parse(text)), emptied(JSON.parse(JSON.stringify({ value }))))
        await lua.run('probe.take(probe.give())')
        assert.equal(jsonText(lua.services.taken).replaceAll('[]', '{}'), text.replaceAll('[]', '{}'))
      }),
      { numRuns: 100 },
    )
  })

  it('has sorted keys, all digits, escapes for pages, and both kinds of empty tables', async () => {
    const lua = await VmFixture.create()
    const cases: readonly (readonly [string, string])[] = [
      ['{ b = 1, a = 2, [10] = 3, ["9"] = 4 }', '{"10":3,"9":4,"a":2,"b":1}'],
      [
        '{ math.maxinteger, math.mininteger, 3.0, -0.0, 0.1, 1e21, 2^53 }',
        '[9223372036854775807,-9223372036854775808,3,0,0.1,1e+21,9007199254740992]',
      ],
      ['"</script>&\\u{2028}\\u{2029}"', '"\\u003c/script\\u003e\\u0026\\u2028\\u2029"'],
      ['"\\0\\1\\n\\t\\"\\\\\\127é"', '"\\u0000\\u0001\\n\\t\\"\\\\\x7fé"'],
      ['{ ["<"] = 1, ["\\n"] = 2 }', '{"\\n":2,"\\u003c":1}'],
      ['{}', '{}'],
      ['probe.echo(probe.null)', 'null'],
      ['{ 1, probe.null, 3 }', '[1,null,3]'],
      ['{ true, false }', '[true,false]'],
      ['nil', 'null'],
    ]
    for (const [code, text] of cases) assert.equal(await lua.json(`return ${code}`), text, code)
    lua.services.gift = [{ empty: [], none: {} }]
    assert.equal(await lua.json('return probe.give()'), '[{"empty":[],"none":{}}]')
  })

  it('does not exist for what JSON cannot hold', async () => {
    const lua = await VmFixture.create()
    const cases: readonly (readonly [string, RegExp])[] = [
      ['{ a = 0/0 }', /NaN cannot be encoded as JSON at a$/],
      ['{ 1, math.huge }', /Infinity cannot be encoded as JSON at \[2\]$/],
      ['-math.huge', /-Infinity cannot be encoded/],
      ['{ a = { "\\xff" } }', /string is not valid UTF-8 at a\[1\]$/],
      ['"\\xed\\xa0\\x80"', /not valid UTF-8/],
      ['{ f = print }', /a function cannot be encoded at f$/],
      ['(function() local t = {} t.t = t return t end)()', /a cycle/],
      ['{ [1] = 1, ["1"] = 2 }', /become the same text/],
    ]
    for (const [code, message] of cases) {
      const result = await lua.attempt(`return ${code}`, {}, jsonKind)
      assert.ok(!result.ok, code)
      assert.match(result.message, message, code)
    }
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Buffer.from([0xff]), new DecodedJson(1)]) {
      assert.throws(() => jsonText(value), { name: 'LuaRaise' })
    }
  })

  it('stays within the limit however much its escapes add, and costs little on the way', () => {
    const { marshalBytesMax } = vmLimits
    for (const unit of ['<', '\u0001', '"', '\u2028', '\ud800']) {
      assert.throws(() => quoteJson(unit.repeat(marshalBytesMax)), /JSON text too large/, unit)
      const piece = unit.repeat(500_000)
      assert.throws(() => jsonText(Array.from({ length: 30 }, () => piece)), /too large/, unit)
    }
    assert.equal(quoteJson('x'.repeat(marshalBytesMax)).length, marshalBytesMax + 2)
    const mixed = '\u{1f600}<'.repeat(50_001)
    assert.equal(JSON.parse(quoteJson(mixed)), mixed)
    assert.ok(!quoteJson(`a${'\u{1f600}<'.repeat(50_001)}`).includes('\\ud83d'))
  })

  it('cannot take more memory of the host than a string may have', async () => {
    const lua = await VmFixture.create()
    const large = 'local s = ("x"):rep(16777216) .. "y"'
    assert.match(
      await lua.error(`${large} probe.take(s)`),
      /string too large: 16777217 bytes; the limit is 16777216/,
    )
    assert.match(await lua.error(`${large} probe.fail(s)`), /string too large/)
    assert.match(
      await lua.error('local s = ("x"):rep(8388609) probe.many(s, s)'),
      /too large: more than 16777216/,
    )
    assert.match(await lua.error(`${large} return s`), /string too large/)
  })
})

function emptied(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? {} : value.map(emptied)
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, emptied(member)]))
}
