import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InstructionsUsedUp, RawLua } from '../../helpers/raw-lua.js'

/** Runs `code` and gives what it returns, or the message it raises with the position of its line. */
const messageOf = (lua: RawLua, code: string): string =>
  lua.run(`local ok, e = pcall(function()\n ${code}\nend) return tostring(e)`, 'init.lua')

const answers = async (cases: readonly (readonly [string, string])[]): Promise<void> => {
  const lua = await RawLua.withPrelude()
  for (const [code, expected] of cases) assert.equal(lua.run(`return show(${code})`), expected, code)
}

const refusals = async (cases: readonly (readonly [string, string])[]): Promise<void> => {
  const lua = await RawLua.withPrelude()
  for (const [code, expected] of cases) assert.equal(messageOf(lua, code), `init.lua:2: ${expected}`, code)
}

describe('the string library', () => {
  it('has the names that plugins know and no dump', async () => {
    const lua = await RawLua.withPrelude()
    const names = lua.run(
      'local n = {} for k in next, string do n[#n + 1] = k end raw.table.sort(n) return raw.table.concat(n, " ")',
    )
    const expected =
      'byte char find format gfind gmatch gsub len lower match pack packsize rep reverse sub unpack upper'
    assert.equal(names, expected)
  })

  it('repeats up to the limit and refuses one byte more before it allocates', async () => {
    await answers([
      ['("ab"):rep(3, ",")', 'string:ab,ab,ab'],
      ['("x"):rep(0)', 'string:'],
      ['("x"):rep(-1)', 'string:'],
      ['string.rep(7, "2")', 'string:77'],
      ['string.rep("", 1 << 62)', 'string:'],
      ['string.rep("", math.maxinteger, "")', 'string:'],
      ['#string.rep("x", 16777216)', 'number:16777216'],
    ])
    const large = 'resulting string too large: string.rep makes at most 16777216 bytes'
    await refusals([
      ['("x"):rep(16777217)', large],
      ['("x"):rep(1 << 62)', large],
      ['("x"):rep(math.maxinteger)', large],
      ['string.rep("", 1 << 40, ",")', large],
      ['string.rep("x", 1e8, ",")', large],
      ['string.rep("x")', "bad argument #2 to 'rep' (number expected, got no value)"],
    ])
  })

  it('formats as native code does, without addresses', async () => {
    await answers([
      ['string.format("%d %5.2f %s %q %%", 3.0, 1 / 3, "x", "a\\n")', 'string:3  0.33 x "a\\\n" %'],
      ['string.format("%s %s %s", {}, print, coroutine.create(print))', 'string:table function thread'],
      ['string.format("%s", setmetatable({}, { __tostring = function() return "me" end }))', 'string:me'],
      ['string.format("%-8s|%8s", nil, true)', 'string:nil     |    true'],
      ['string.format("%%p %%s")', 'string:%p %s'],
      ['string.format("%x %i %c %g", 255, 7, 65, 0.5)', 'string:ff 7 A 0.5'],
    ])
    await refusals([
      ['string.format("%p", {})', "invalid conversion '%p' to 'format': plugins see no addresses"],
      ['string.format("%-20p", {})', "invalid conversion '%p' to 'format': plugins see no addresses"],
      ['string.format("%d", "x")', "bad argument #2 to 'format' (number expected, got string)"],
      ['string.format("%s %s", 1)', "bad argument #3 to 'format' (no value)"],
      ['string.format("%99999d", 1)', "invalid conversion specification: '%99999d'"],
    ])
  })

  it('searches for long text in steps and finds it across their borders', async () => {
    await answers([
      ['("a"):rep(3000000):find("b", 1, true)', 'nil:nil'],
      [
        '(("a"):rep(2999990) .. ("b"):rep(10)):find(("a"):rep(100) .. "b", 1, true)',
        'number:2999891|number:2999991',
      ],
      ['("abc"):find("", 10, true)', 'nil:nil'],
      ['("abc"):find("", 4, true)', 'number:4|number:3'],
      ['("abc"):find("c", -1, true)', 'number:3|number:3'],
    ])
  })
})

describe('the table library', () => {
  it('does what native code does within the limits', async () => {
    await answers([
      ['table.concat({ 1, "b", 2.5 }, "-")', 'string:1-b-2.5'],
      ['table.concat({ 1, 2, 3 }, ",", 2, 3)', 'string:2,3'],
      ['table.concat({}, "x")', 'string:'],
      [
        '(function() local t = { 1, 3 } table.insert(t, 2, 2) table.insert(t, 4) return table.unpack(t) end)()',
        'number:1|number:2|number:3|number:4',
      ],
      [
        '(function() local t = { 1, 2, 3 } return table.remove(t, 1), table.remove(t), #t end)()',
        'number:1|number:3|number:1',
      ],
      ['table.remove({})', 'nil:nil'],
      ['table.concat(table.move({ 1, 2, 3 }, 1, 3, 2), ",")', 'string:1,1,2,3'],
      ['(function() local t = { 3, 1, 2 } table.sort(t) return table.concat(t) end)()', 'string:123'],
      [
        '(function() local t = { 3, 1, 2 } table.sort(t, function(a, b) return a > b end) return table.concat(t) end)()',
        'string:321',
      ],
      ['table.getn({ 1, 2 })', 'number:2'],
      ['table.maxn({ [7] = 1, x = 2 })', 'number:7'],
    ])
  })

  it('asks a metatable once and obeys it', async () => {
    await answers([
      [
        `(function()
          local store, asked = { 1, 2, 3 }, 0
          local t = setmetatable({}, {
            __index = store, __newindex = store,
            __len = function() asked = asked + 1 return asked == 1 and 3 or 1 << 40 end,
          })
          table.insert(t, 1, 0)
          return asked, table.concat(store, ",")
        end)()`,
        'number:1|string:0,1,2,3',
      ],
    ])
  })

  it('refuses ranges that no table fills, on the line of the plugin', async () => {
    const huge = 'setmetatable({}, { __len = function() return 1e9 end, __index = function() return "" end })'
    const many = (name: string): string => `table.${name}: too many elements; one call may touch 10000000`
    await refusals([
      [`table.insert(${huge}, 1, 1)`, many('insert')],
      [`table.remove(${huge}, 1)`, many('remove')],
      [`table.concat(${huge})`, many('concat')],
      [`table.sort(${huge})`, many('sort')],
      ['table.concat({}, "", 1, 1e12)', many('concat')],
      ['table.move({}, 1, math.maxinteger - 1, 2)', many('move')],
      ['table.move({}, math.mininteger, math.maxinteger, 2)', many('move')],
      ['table.move({ 1, 2 }, 1, 2, math.maxinteger)', "bad argument #4 to 'move' (destination wrap around)"],
      ['table.insert({}, 5, 1)', "bad argument #2 to 'insert' (position out of bounds)"],
      ['table.insert({}, 1, 2, 3)', "wrong number of arguments to 'insert'"],
      ['table.insert(nil, 1)', "bad argument #1 to 'insert' (table expected, got no value)"],
      ['table.sort({ 1, "x" })', 'attempt to compare string with number'],
      ['table.sort({ 3, 1, 2, 5, 4 }, function() return true end)', 'invalid order function for sorting'],
      [
        'table.insert(setmetatable({}, { __len = function() return "x" end }), 1)',
        'object length is not an integer',
      ],
    ])
  })

  it('can be interrupted while it sorts much without a comparator, or with a native one', async () => {
    for (const comparator of ['', ', math.ult']) {
      const lua = await RawLua.withPrelude()
      lua.run('t = {} for i = 1, 50000 do t[i] = (i * 7919) % 50021 end')
      assert.throws(() => lua.run(`table.sort(t${comparator})`, 'test', 100_000), InstructionsUsedUp)
    }
    const lua = await RawLua.withPrelude()
    lua.run(
      'local a, b = ("x"):rep(1e6), ("x"):rep(1e6) .. "y" t = {} for i = 1, 2000 do t[i] = i % 2 == 0 and a or b end',
    )
    assert.throws(() => lua.run('table.sort(t)', 'test', 20_000), InstructionsUsedUp)
  })
})

describe('the math library', () => {
  it('has the functions of Lua 5.1 that 5.4 has dropped', async () => {
    await answers([
      ['math.pow(2, 10), math.log10(1000), math.mod(-7, 3)', 'number:1024.0|number:3.0|number:-1.0'],
      [
        'math.ldexp(0.5, 4), math.ldexp(1, -1074) > 0, math.ldexp(1, 5000)',
        'number:8.0|boolean:true|number:inf',
      ],
      ['math.frexp(8)', 'number:0.5|number:4'],
      ['math.frexp(-0.3)', 'number:-0.6|number:-1'],
      ['math.frexp(0)', 'number:0.0|number:0'],
      ['math.frexp(2.0 ^ -1074)', 'number:0.5|number:-1073'],
      [
        'math.tanh(0), math.tanh(1e3), math.sinh(0), math.cosh(0), math.atan2(0, 1)',
        'number:0.0|number:1.0|number:0.0|number:1.0|number:0.0',
      ],
    ])
    await refusals([['math.pow({}, 1)', "bad argument #1 to 'pow' (number expected, got table)"]])
  })

  it('seeds from the host and tells no seed', async () => {
    const lua = await RawLua.withPrelude()
    assert.equal(
      lua.run('return show(select("#", math.randomseed()), select("#", math.randomseed(42)))'),
      'number:0|number:0',
    )
    const draws = lua.run(
      'math.randomseed() local a = math.random(1 << 53) math.randomseed() return show(a == math.random(1 << 53))',
    )
    assert.equal(draws, 'boolean:false')
    const same = lua.run(
      'math.randomseed(7) local a = math.random(1 << 53) math.randomseed(7) return show(a == math.random(1 << 53))',
    )
    assert.equal(same, 'boolean:true')
  })
})
