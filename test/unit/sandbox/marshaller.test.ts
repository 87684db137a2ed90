import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { vmLimits } from '../../../src/base/limits/sandbox.js'
import { DecodedJson, type LuaValue, Results, Rows } from '../../../src/sandbox/lua-value.js'
import { VmFixture } from '../../helpers/vm-fixture.js'

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => {
  const rounded = Number(value)
  return Number.isSafeInteger(rounded) ? rounded : value
})
const hostileKeys = [
  '__proto__',
  'constructor',
  'toJSON',
  'then',
  'hasOwnProperty',
  '1',
  '-0',
  '',
  'a\0b',
  '\u{1f600}',
]
const key = fc.oneof(fc.constantFrom(...hostileKeys), fc.string({ unit: 'binary', maxLength: 60 }))
/** Bytes that are no UTF-8, as those that are cross as text. */
const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.concat([Buffer.from([0xff]), array]))
const scalar = fc.oneof(
  fc.boolean(),
  fc.integer(),
  fc.double(),
  int64,
  fc.constantFrom(-0, 2 ** 53, 2 ** 53 - 1, Number.POSITIVE_INFINITY, Number.NaN),
  fc.string({ unit: 'binary', maxLength: 100 }),
  bytes,
  fc.constant(null),
)
const { value: anyValue } = fc.letrec<{ value: LuaValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: false }),
  ) as fc.Arbitrary<LuaValue>,
}))

/** What a value looks like after it has been in Lua: integral floats are integers, no object has a prototype. */
function expected(value: LuaValue): unknown {
  if (Array.isArray(value)) return value.map(expected)
  if (value instanceof Uint8Array || value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).map(([name, member]) => [name, expected(member as LuaValue)])
  const object = Object.create(null) as Record<string, unknown>
  for (const [name, member] of entries) object[String(name)] = member
  return entries.length === 0 ? [] : object
}

/** An empty table tells nothing of what it was, so empty objects are compared as empty arrays. */
function emptied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(emptied)
  if (value instanceof Uint8Array || value === null || typeof value !== 'object') return value
  assert.equal(Object.getPrototypeOf(value), null)
  const object = Object.create(null) as Record<string, unknown>
  for (const [name, member] of Object.entries(value)) object[name] = emptied(member)
  return Object.keys(object).length === 0 ? [] : object
}

const nested = (depth: number): LuaValue => {
  let value: LuaValue = 1
  for (let level = 0; level < depth; level += 1) value = [value]
  return value
}

const luaNested = (depth: number) => `local t = 1 for _ = 1, ${depth} do t = { t } end probe.take(t)`

describe('values that cross the border', () => {
  it('come back from Lua as they went in', async () => {
    const lua = await VmFixture.create()
    await fc.assert(
      fc.asyncProperty(anyValue, async (value) => {
        lua.services.gift = value
        await lua.run('probe.take(probe.give())')
        assert.deepEqual(emptied(lua.services.taken), expected(value))
      }),
      { numRuns: 200 },
    )
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
  })

  it('keep the kind of number that Lua gave them', async () => {
    const lua = await VmFixture.create()
    const code = 'return 3.0, -0.0, math.maxinteger, math.mininteger, 2^53 | 0, 0.1, 1e300, -(2^53 | 0) - 1'
    const found = await lua.run(code)
    const wanted = [3, -0, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 0.1, 1e300, -(2n ** 53n) - 1n]
    assert.deepEqual(found, wanted)
    lua.services.gift = new Results(-0, 5, 2 ** 60, 9n)
    assert.deepEqual(
      await lua.run('local a, b, c, d = probe.give() return 1/a, math.type(b), math.type(c), math.type(d)'),
      [Number.NEGATIVE_INFINITY, 'integer', 'float', 'integer'],
    )
    lua.services.gift = 2n ** 63n
    assert.match(await lua.error('probe.give()'), /integer 9223372036854775808 does not fit 64 bits/)
  })

  it('keep every byte of a string', async () => {
    const lua = await VmFixture.create()
    const strings = [
      'a\0b',
      '\u{10ffff}\u{1f600}',
      'x'.repeat(100_000),
      'é'.repeat(20_000),
      `${'a'.repeat(47)}é`,
    ]
    for (const text of strings) {
      lua.services.gift = text
      const bytes = Buffer.from(text).length
      assert.deepEqual(await lua.run('local s = probe.give() return s, #s'), [text, bytes])
    }
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    lua.services.gift = all
    assert.deepEqual(await lua.run('local s = probe.give() return s, s:byte(1), s:byte(256)'), [all, 0, 255])
    assert.deepEqual(await lua.run('return "\\xed\\xa0\\x80", "\\xc0\\x80"'), [
      Buffer.from('eda080', 'hex'),
      Buffer.from('c080', 'hex'),
    ])
  })

  it('may be nested 64 levels deep and not one more', async () => {
    const lua = await VmFixture.create()
    for (const depth of [63, 64]) {
      lua.services.gift = nested(depth)
      await lua.run('probe.take(probe.give())')
      assert.deepEqual(lua.services.taken, nested(depth))
      await lua.run(luaNested(depth))
    }
    for (const depth of [65, 200, 5000]) {
      lua.services.gift = nested(depth)
      assert.match(
        await lua.error('probe.give()'),
        /^tester\/test.lua:1: table nested too deep: more than 64/,
      )
      assert.match(
        await lua.error(luaNested(depth)),
        /^tester\/test.lua:1: table nested too deep.* at \[1\]\[1\]/,
      )
    }
    assert.equal(lua.vm.dead, undefined)
  })

  it('are limited in number and in bytes', async () => {
    const lua = await VmFixture.create()
    const { marshalNodesMax, marshalBytesMax } = vmLimits
    const list = (count: number) =>
      `local t = {} for i = 1, ${count} do t[i] = i end return #t, probe.take(t)`
    await lua.run(list(marshalNodesMax))
    assert.match(await lua.error(list(marshalNodesMax + 1)), /too many values: more than 250000/)
    lua.services.gift = Array.from({ length: marshalNodesMax + 1 }, () => 1)
    assert.match(await lua.error('probe.give()'), /too many values/)
    lua.services.gift = Array.from({ length: 17 }, () => 'x'.repeat(1024 * 1024))
    assert.match(await lua.error('probe.give()'), /value too large: more than 16777216 bytes/)
    const half = `local s = ("x"):rep(${marshalBytesMax / 2})`
    await lua.run(`${half} probe.take({ s, s })`)
    assert.match(await lua.error(`${half} probe.take({ s, s, "x" })`), /value too large/)
    assert.match(await lua.error(`${half} probe.take({ [s .. "1"] = 1, [s .. "2"] = 1 })`), /value too large/)
    assert.equal(lua.vm.dead, undefined)
  })

  it('become an array only when their keys are 1..n', async () => {
    const lua = await VmFixture.create()
    const cases: readonly (readonly [string, unknown])[] = [
      ['{ 1, 2, 3 }', [1, 2, 3]],
      ['{ [3] = "c", [1] = "a", [2] = "b" }', ['a', 'b', 'c']],
      ['{ [1.0] = "a" }', ['a']],
      ['{ 1, nil, 3 }', { 1: 1, 3: 3 }],
      ['{ [0] = 1, [1] = 2 }', { 0: 1, 1: 2 }],
      ['{ [1e6] = 1 }', { 1000000: 1 }],
      ['{ [1.5] = 1, [-1] = 2 }', { 1.5: 1, '-1': 2 }],
      ['{ 1, 2, n = 2 }', { 1: 1, 2: 2, n: 2 }],
      ['{}', {}],
    ]
    for (const [code, wanted] of cases) {
      const [found] = await lua.run(`return ${code}`)
      assert.equal(Array.isArray(found), Array.isArray(wanted), code)
      assert.deepEqual(Array.isArray(found) ? found : { ...(found as object) }, wanted, code)
    }
  })

  it('never merge two keys, and only text and numbers are keys', async () => {
    const lua = await VmFixture.create()
    const merging = [
      '{ [1] = "a", ["1"] = "b" }',
      '{ a = { [1.5] = 1, ["1.5"] = 2 } }',
      '{ [math.maxinteger] = 1, ["9223372036854775807"] = 2 }',
    ]
    for (const table of merging) {
      assert.match(await lua.error(`return ${table}`), /two keys of the table become the same text/, table)
    }
    const keys = ['true', '{}', 'print', 'coroutine.create(print)', 'probe.null']
    for (const bad of keys) {
      assert.match(
        await lua.error(`return { a = { [${bad}] = 1 } }`),
        /table key must be a string or a number/,
        bad,
      )
    }
    assert.match(await lua.error('return { ["\\xff"] = 1 }'), /table key is not valid UTF-8/)
  })

  it('name the place of what cannot cross', async () => {
    const lua = await VmFixture.create()
    const cases: readonly (readonly [string, RegExp])[] = [
      ['print', /a function cannot be passed to the host$/],
      ['{ a = { b = { 1, 2, print } } }', /a function cannot be passed to the host at a\.b\[3\]$/],
      ['{ list = { {}, { co = coroutine.create(print) } } }', /a thread cannot .* at list\[2\]\.co$/],
      ['(function() local t = {} t.me = t return t end)()', /table contains itself \(a cycle\) at me$/],
      ['(function() local a, b = {}, {} a.b = b b.a = { a } return a end)()', /a cycle\) at b\.a\[1\]$/],
    ]
    for (const [code, message] of cases) assert.match(await lua.error(`return ${code}`), message, code)
    assert.deepEqual(await lua.run('local t = { 1 } return { t, t, { t } }'), [[[1], [1], [[1]]]])
  })

  it('are read without running any code of the plugin', async () => {
    const lua = await VmFixture.create()
    const found = await lua.run(`
      local function stop() error('ran') end
      local meta = { __index = stop, __pairs = stop, __len = stop, __tostring = stop, __eq = stop, __name = 7 }
      return setmetatable({ 1, 2 }, meta), setmetatable({ a = setmetatable({}, meta) }, meta)`)
    assert.deepEqual(JSON.stringify(found), '[[1,2],{"a":{}}]')
  })

  it('do not lend a prototype to anything', async () => {
    const lua = await VmFixture.create()
    const [found] = await lua.run(
      'return { __proto__ = { polluted = true }, constructor = { prototype = { polluted = true } }, toJSON = 1 }',
    )
    assert.deepEqual(Object.keys(found as object).sort(), ['__proto__', 'constructor', 'toJSON'])
    assert.equal(Object.getPrototypeOf(found), null)
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
    lua.services.gift = { toString: 'x' } as LuaValue
    assert.deepEqual(await lua.run('local t = probe.give() return t.toString, t.constructor, t.__proto__'), [
      'x',
      undefined,
      undefined,
    ])
  })
})

describe('special values of the host', () => {
  it('are rows without nulls, an array also when there are none', async () => {
    const lua = await VmFixture.create()
    lua.services.gift = new Rows(
      ['id', 'name'],
      [
        [1, null],
        [2n ** 60n, 'b'],
      ],
    )
    const code = 'local r = probe.give() return #r, r[1].id, r[1].name, r[2].id, r[2].name, probe.describe(r)'
    assert.deepEqual(await lua.run(code), [2, 1, undefined, 2n ** 60n, 'b', 'array 2'])
    lua.services.gift = new Rows(['id'], [])
    assert.deepEqual(await lua.run('return probe.describe(probe.give()), probe.describe({})'), [
      'array 0',
      'object',
    ])
    lua.services.gift = [new Rows(['id'], [[1]]), { rows: new Rows(['id'], [[2]]) }]
    assert.deepEqual(
      JSON.stringify(await lua.run('return probe.give()')),
      '[[[{"id":1}],{"rows":[{"id":2}]}]]',
    )
  })

  it('are decoded JSON whose null members are absent, and no others', async () => {
    const lua = await VmFixture.create()
    lua.services.gift = new DecodedJson({ a: null, list: [null, 1], b: { c: null, d: 2 } })
    assert.equal(await lua.json('return probe.give()'), '{"b":{"d":2},"list":[null,1]}')
    lua.services.gift = [new DecodedJson({ a: null }), { kept: null }]
    assert.equal(await lua.json('return probe.give()'), '[{},{"kept":null}]')
    assert.deepEqual(await lua.run('local t = probe.give() return t[2].kept == probe.null, t[1].a == nil'), [
      true,
      true,
    ])
  })

  it('are tagged tables, which Lua code cannot make, change the tag of, or look behind', async () => {
    const lua = await VmFixture.create()
    assert.deepEqual(
      await lua.run(
        'local t = probe.tag("db.condition", { 1 }) return probe.describe(t), probe.describe(probe.echo(t))',
      ),
      ['tagged db.condition', 'tagged db.condition'],
    )
    assert.deepEqual(
      await lua.run(`
        local tagged = probe.tag('db.condition', { 1 })
        local copy = {}
        for key, value in pairs(tagged) do copy[key] = value end
        local wrapped = setmetatable({ fields = { 1 } }, { __metatable = getmetatable(tagged), __name = 'db.condition' })
        local changed, changing = pcall(setmetatable, tagged, {})
        local borrowed = pcall(setmetatable, {}, getmetatable(tagged))
        return getmetatable(tagged), probe.describe(copy), probe.describe(wrapped), changed, borrowed, changing`),
      ['protected', 'object', 'object', false, false, 'cannot change a protected metatable'],
    )
    lua.services.gift = new DecodedJson({ tag: 'db.condition', fields: { fields: [1] } })
    assert.deepEqual(await lua.run('return probe.describe(probe.give())'), ['object'])
  })
})

describe('many values', () => {
  it('cross as arguments and results up to their limits', async () => {
    const lua = await VmFixture.create()
    const { hostArgumentsMax } = vmLimits
    assert.deepEqual(await lua.run('return select("#", probe.many(table.unpack({}, 1, 200)))'), [
      hostArgumentsMax + 1,
    ])
    assert.match(
      await lua.error('probe.many(table.unpack({}, 1, 201))'),
      /too many arguments to 'probe.many' \(201;/,
    )
    lua.services.gift = new Results(...Array.from({ length: 1000 }, (_, at) => at))
    assert.deepEqual(await lua.run('local t = { probe.give() } return #t, t[1000]'), [1000, 999])
    const values = await lua.run('local t = {} for i = 1, 1000 do t[i] = i end return table.unpack(t)')
    assert.equal(values.length, 1000)
    assert.equal(values[999], 1000)
    assert.equal(lua.vm.dead, undefined)
  })

  it('leave neither stack slots nor memory behind after 500 calls', async () => {
    const lua = await VmFixture.create()
    const code = `
      local t = {} for i = 1, 300 do t[i] = { i } end
      pcall(probe.take, t) pcall(probe.raise, 'no') pcall(probe.take, { print })
      return table.unpack(t)`
    const used = async () => {
      await lua.run(code)
      await lua.error(`${code} , nil + 1`)
      return Number(
        (await lua.run('local n repeat local m = n n = collectgarbage("count") until m return n'))[0],
      )
    }
    for (let warm = 0; warm < 20; warm += 1) await used()
    const samples: number[] = []
    for (let calls = 0; calls < 250; calls += 1) samples.push(await used())
    const lowest = (from: number) => Math.min(...samples.slice(from, from + 100))
    assert.ok(lowest(150) - lowest(0) < 20, `grew from ${lowest(0)} to ${lowest(150)} KiB`)
    assert.equal(lua.vm.dead, undefined)
  })
})
