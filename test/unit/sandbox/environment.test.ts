import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VmFixture } from '../../helpers/vm-fixture.js'

const baseNames =
  '_G _VERSION assert collectgarbage coroutine error getmetatable ipairs math next pairs pcall print probe require select setmetatable string table tonumber tostring type unpack utf8 xpcall'
const memberNames: Readonly<Record<string, string>> = {
  string:
    'byte char find format gfind gmatch gsub len lower match pack packsize rep reverse sub unpack upper',
  table: 'concat getn insert maxn move pack remove sort unpack',
  math: 'abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max maxinteger min mininteger mod modf pi pow rad random randomseed sin sinh sqrt tan tanh tointeger type ult',
  utf8: 'char charpattern codepoint codes len offset',
  coroutine: 'close create isyieldable resume running status wrap yield',
}

/** Names of Lua 5.1 to 5.4, of wasmoon and of the prelude that plugins must not see. */
const forbidden =
  `arg bit bit32 debug dofile getfenv io jit load loadfile loadstring log10 module newproxy os package
  rawequal rawget rawlen rawset setfenv warn _ENV Promise Error null host operations libraries limits environment
  globals install freeze run seal chain process require_js js ffi __newindex __index __metatable`.split(/\s+/)
const forbiddenMembers =
  `string.dump table.foreach table.foreachi table.setn math.randomfloat coroutine.running_main
  coroutine.isrunning utf8.codes_raw string.__index string.rawrep table.native`.split(/\s+/)

describe('what a plugin can reach', () => {
  it('is this list of globals and library members and nothing else', async () => {
    const lua = await VmFixture.create()
    const candidates = [...baseNames.split(' '), ...forbidden].map((name) => `"${name}"`).join(',')
    const found = await lua.run(
      `local n = {} for _, k in ipairs { ${candidates} } do if _G[k] ~= nil then n[#n + 1] = k end end table.sort(n) return table.concat(n, ' ')`,
    )
    assert.deepEqual(found, [baseNames])
    assert.deepEqual(await lua.run('local n = 0 for _ in pairs(_G) do n = n + 1 end return n, next(_G)'), [
      0,
      undefined,
    ])
    const everyName = Object.values(memberNames).join(' ').split(' ')
    const members = [
      ...new Set([...everyName, 'dump', 'create', 'setn', 'foreach', 'foreachi', 'getupvalue']),
    ]
    for (const [library, names] of Object.entries(memberNames)) {
      const list = members.map((name) => `"${name}"`).join(',')
      const code = `local n = {} for _, k in ipairs { ${list} } do if ${library}[k] ~= nil then n[#n + 1] = k end end table.sort(n) return table.concat(n, ' ')`
      assert.deepEqual(await lua.run(code), [names], library)
    }
    for (const path of forbiddenMembers) assert.deepEqual(await lua.run(`return ${path}`), [undefined], path)
  })

  it('cannot be changed', async () => {
    const lua = await VmFixture.create()
    for (const module of ['string', 'table', 'math', 'utf8', 'coroutine', 'probe']) {
      const refusals = [
        [`${module}.added = 1`, `cannot modify frozen module "${module}": key "added" is read-only`],
        [`setmetatable(${module}, {})`, 'cannot change a protected metatable'],
        [`${module} = nil`, `cannot reassign the read-only global "${module}"`],
        [`_G.${module} = {}`, `cannot reassign the read-only global "${module}"`],
        [`table.insert(${module}, 1)`, `cannot modify frozen module "${module}"`],
        [`table.move({ 1 }, 1, 1, 1, ${module})`, `cannot modify frozen module "${module}"`],
      ]
      for (const [code = '', message = ''] of refusals) {
        assert.ok((await lua.error(code)).includes(message), `${code}: ${await lua.error(code)}`)
      }
      const looks = `local n = 0 for _ in pairs(${module}) do n = n + 1 end return n, #${module}, next(${module}), getmetatable(${module})`
      assert.deepEqual(await lua.run(looks), [0, 0, undefined, 'protected'])
    }
    assert.match(await lua.error('string.rep = print'), /key "rep" is read-only/)
    assert.match(await lua.error('pcall = nil'), /read-only global "pcall"/)
    assert.match(await lua.error('setmetatable(_G, {})'), /protected metatable/)
    assert.deepEqual(await lua.run('return getmetatable(""), getmetatable(_G), probe.answer, probe.absent'), [
      'protected',
      'protected',
      42,
      undefined,
    ])
    assert.match(await lua.error('getmetatable("").__index = {}'), /attempt to index a|attempt to/)
    assert.deepEqual(await lua.run('return ("x"):rep(2), ("x").dump'), ['xx', undefined])
    assert.match(await lua.error('setmetatable({}, { __gc = print })'), /'__gc' is not allowed in plugins/)
    assert.deepEqual(await lua.run('local m = {} local t = setmetatable({}, m) m.__gc = 1 return type(t)'), [
      'table',
    ])
  })

  it('tells no addresses and draws different random numbers in each VM', async () => {
    const lua = await VmFixture.create()
    const values = '{}, print, coroutine.create(print), string.rep, probe.null, probe'
    const [text] = await lua.run(
      `local t = {} for i, v in ipairs { ${values} } do t[i] = tostring(v) .. ("%s"):format(v) end return table.concat(t, ' ')`,
    )
    assert.equal(text, 'tabletable functionfunction threadthread functionfunction nullnull tabletable')
    assert.match(
      await lua.error('error(setmetatable({}, { __tostring = function() return "x" end }))'),
      /error object is a table/,
    )
    const random = 'return math.random(0), math.random(0)'
    const drawn: unknown[] = []
    for (let round = 0; round < 3; round += 1) drawn.push(...(await (await VmFixture.create()).run(random)))
    assert.equal(new Set(drawn).size, 6)
  })

  it('may print, to the host and not to its terminal', async () => {
    const lua = await VmFixture.create()
    await lua.run('print("a", 1, nil, {}, true) print() print(("x"):rep(20000))')
    assert.deepEqual(lua.printed.slice(0, 2), ['a\t1\tnil\ttable\ttrue', ''])
    assert.equal(lua.printed[2], `${'x'.repeat(8192)}…`)
    assert.match(await lua.error('collectgarbage()'), /only 'count' is available/)
    assert.match(await lua.error('collectgarbage("stop")'), /only 'count' is available/)
  })
})

describe('globals', () => {
  it('of a call are gone in the next, also after an error; those of the module stay', async () => {
    const lua = await VmFixture.create({ init: 'kept = 1 cleared = 2' })
    await lua.run('kept = kept + 1 mine = 1 _G.other = 2 table.insert(_G, 3) cleared = nil')
    const looked = 'return kept, mine, other, _G[1], cleared'
    assert.deepEqual(await lua.run(looked), [2, undefined, undefined, undefined, undefined])
    await lua.error('mine = 1 cleared = 3 error("no")')
    assert.deepEqual(await lua.run(looked), [2, undefined, undefined, undefined, 3])
    await lua.run(
      'pcall(function() mine = 1 end) coroutine.wrap(function() other = 2 end)() probe.wait(1) _G[1] = 1',
    )
    assert.deepEqual(await lua.run(looked), [2, undefined, undefined, undefined, 3])
    assert.deepEqual(await lua.run('mine = 1 mine = nil mine = 2 return mine'), [2])
    assert.deepEqual(await lua.run('return mine'), [undefined])
  })

  it('cannot be made to last by a module that is left half loaded', async () => {
    const lua = await VmFixture.create({ lib: { half: 'coroutine.yield() return 1' } })
    await lua.run('coroutine.wrap(function() require("half") end)() mine = "secret"')
    await lua.run('other = "secret"')
    assert.deepEqual(await lua.run('return other'), [undefined])
    assert.deepEqual(await lua.run('return coroutine.wrap(function() return require("half") end)()'), [])
  })
})

describe('require', () => {
  it('loads files of lib by name, once, and nothing else', async () => {
    const lua = await VmFixture.create({
      lib: {
        twice: 'loads = (loads or 0) + 1 return { name = ... }',
        none: 'runs = (runs or 0) + 1',
        self: 'return require("self")',
        broken: '\nlocal x = = 1',
        raising: '\nerror({})',
      },
    })
    assert.deepEqual(
      await lua.run('return require("twice").name, require("twice") == require("twice"), loads'),
      ['twice', true, 1],
    )
    assert.deepEqual(await lua.run('return loads'), [1])
    await lua.run('require("none") require("none")')
    assert.deepEqual(await lua.run('return runs'), [2])
    const simple = /module name must be a simple name/
    const cases: readonly (readonly [string, RegExp])[] = [
      ['"../init"', simple],
      ['"a..b"', simple],
      ['"a/b"', simple],
      ['"a\\\\b"', simple],
      ['"a\\0b"', simple],
      ['"a\\nb"', simple],
      ['""', simple],
      ['nil', /bad argument #1 to 'require' \(string expected, got nil\)/],
      ['{}', /string expected, got table/],
      ['"absent"', /module 'absent' not found: the plugin has no lib\/absent.lua/],
      ['"init"', /not found/],
      ['"self"', /module 'self' requires itself/],
      ['"broken"', /tester\/lib\/broken.lua:2: unexpected symbol near '='/],
      ['"raising"', /error loading module 'raising': table/],
    ]
    for (const [name, message] of cases) {
      const text = await lua.error(`local m = require(${name}) return m`)
      assert.match(text, message, name)
      assert.ok(!text.includes('/work'), text)
    }
  })
})

describe('coroutines', () => {
  it('work as in Lua', async () => {
    const lua = await VmFixture.create()
    const cases: readonly (readonly [string, readonly unknown[]])[] = [
      [
        'local c = coroutine.create(function(a) local b = coroutine.yield(a + 1) return b * 2 end) return coroutine.resume(c, 1), select(2, coroutine.resume(c, 5)), coroutine.status(c)',
        [true, 10, 'dead'],
      ],
      [
        'local f = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) return f(), f(), f()',
        [1, 2, 3],
      ],
      [
        'local ok, e = pcall(coroutine.wrap(function() error("in") end)) return ok, e',
        [false, 'tester/test.lua:1: in'],
      ],
      ['local _, main = coroutine.running() return main, coroutine.isyieldable()', [true, false]],
      [
        'return coroutine.wrap(function() local _, main = coroutine.running() return main, coroutine.isyieldable() end)()',
        [false, true],
      ],
      [
        'local n = 0 local c = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() n = n + 1 end }) coroutine.yield() end) coroutine.resume(c) return coroutine.close(c), n, coroutine.status(c)',
        [true, 1, 'dead'],
      ],
      [
        'local c = coroutine.create(print) coroutine.resume(c) return coroutine.resume(c)',
        [false, 'cannot resume dead coroutine'],
      ],
      ['return pcall(coroutine.resume, 1)', [false, "bad argument #1 to 'resume' (coroutine expected)"]],
    ]
    for (const [code, values] of cases) assert.deepEqual(await lua.run(code), values, code)
    assert.match(await lua.error('coroutine.yield(1)'), /attempt to yield from outside a coroutine/)
    assert.match(await lua.error('coroutine.resume(coroutine.running()) error("on")'), /on$/)
  })

  it('do not outlive their call', async () => {
    const lua = await VmFixture.create({ init: 'kept = {}' })
    await lua.run('kept.co = coroutine.create(function() coroutine.yield() end) coroutine.resume(kept.co)')
    await lua.run('kept.wrapped = coroutine.wrap(function() probe.count(1) end)')
    await lua.run('kept.main = coroutine.running()')
    const stale = 'cannot resume a coroutine that was created in an earlier call'
    assert.deepEqual(await lua.run('return coroutine.resume(kept.co)'), [false, stale])
    assert.deepEqual(await lua.run('return pcall(kept.wrapped)'), [false, stale])
    assert.deepEqual(await lua.run('return coroutine.resume(kept.main)'), [false, stale])
    assert.equal((await lua.run('return pcall(coroutine.close, kept.main)'))[0], false)
    assert.equal(lua.services.counters[1], 0)
    assert.equal(lua.vm.dead, undefined)
  })
})
