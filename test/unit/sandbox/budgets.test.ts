import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Allowance } from '../../../src/sandbox/budget.js'
import { Results } from '../../../src/sandbox/lua-value.js'
import type { VmResult } from '../../../src/sandbox/vm.js'
import { VmFixture } from '../../helpers/vm-fixture.js'

/** Every way in which plugin code could try to outlive its end. */
const clinging: Readonly<Record<string, string>> = {
  loop: 'while true do end',
  pcall: 'while true do pcall(function() while true do end end) end',
  xpcall: 'local function spin() while true do end end xpcall(spin, spin) spin()',
  handler: 'xpcall(error, function() while true do end end)',
  coroutine: 'while true do coroutine.resume(coroutine.create(function() while true do end end)) end',
  wrap: 'for _ = 1, math.huge do pcall(coroutine.wrap(function() while true do end end)) end',
  close:
    'local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end',
  closing:
    'local c = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() while true do end end }) coroutine.yield() end) coroutine.resume(c) while true do pcall(coroutine.close, c) end',
  sort: 'table.sort({ 3, 2, 1 }, function() while true do end end)',
  gsub: 'while true do pcall(string.gsub, "abc", ".", function() while true do end end) end',
  index:
    'local t = setmetatable({}, { __index = function() while true do end end }) pcall(function() return t.x end) while true do end',
  tostring:
    'pcall(tostring, setmetatable({}, { __tostring = function() while true do end end })) while true do end',
  iterator: 'for _ in function() while true do end end do end',
}

const failed = (result: VmResult): string => (result.ok ? 'ok' : result.code)

describe('the end of a call', () => {
  it('cannot be caught when instructions run out', async () => {
    for (const [name, code] of Object.entries(clinging)) {
      const lua = await VmFixture.create()
      const result = await lua.attempt(`${code} probe.count(1)`, { instructionsMax: 200_000 })
      assert.equal(failed(result), 'INSTRUCTIONS', name)
      assert.match(result.ok ? '' : result.message, /used more than 200000 Lua instructions/)
      assert.equal(lua.vm.dead, 'INSTRUCTIONS')
      assert.equal(lua.services.counters[1], 0, name)
    }
  })

  it('cannot be caught when time runs out', async () => {
    for (const name of ['pcall', 'close', 'gsub', 'coroutine'] as const) {
      const lua = await VmFixture.create({ settings: { instructionsMax: Number.MAX_SAFE_INTEGER } })
      const started = performance.now()
      const result = await lua.attempt(String(clinging[name]), { deadlineMs: started + 60 })
      assert.equal(failed(result), 'TIMEOUT', name)
      assert.ok(performance.now() - started >= 60)
      assert.equal(lua.vm.dead, 'TIMEOUT')
    }
  })

  it('comes to module scope too', async () => {
    const { fixture, loaded } = await VmFixture.load({
      init: 'pcall(function() while true do end end)',
      settings: { instructionsMax: 100_000 },
    })
    assert.equal(failed(loaded), 'INSTRUCTIONS')
    assert.equal(fixture.vm.dead, 'INSTRUCTIONS')
  })

  it('comes while the call waits, and a late result changes nothing', async () => {
    const lua = await VmFixture.create()
    const result = await lua.attempt('pcall(probe.never) probe.count(1)', {
      deadlineMs: performance.now() + 30,
    })
    assert.equal(failed(result), 'TIMEOUT')
    const late = await VmFixture.create()
    const outcome = await late.attempt('probe.wait(60, 1) probe.count(1)', {
      deadlineMs: performance.now() + 20,
    })
    assert.equal(failed(outcome), 'TIMEOUT')
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.equal(late.services.counters[1], 0)
    assert.equal(late.vm.dead, 'TIMEOUT')
  })

  it('runs what was to happen at the end, also after a kill', async () => {
    const lua = await VmFixture.create()
    await lua.run('return probe.enter(5)')
    assert.equal(lua.services.counters[5], 0)
    await lua.attempt('probe.enter(5) error("no")')
    assert.equal(lua.services.counters[5], 0)
    await lua.attempt('probe.enter(5) while true do end', { instructionsMax: 10_000 })
    assert.equal(lua.services.counters[5], 0)
  })
})

describe('operations', () => {
  it('raise when they are used up, again at the next try, and are new in the next call', async () => {
    const lua = await VmFixture.create()
    const limits: Partial<Allowance> = { operationsMax: 3 }
    const code = `
      for _ = 1, 3 do probe.paid() end
      local first, message = pcall(probe.paid)
      local second = pcall(probe.paid)
      return first, second, message, probe.left()`
    for (let round = 0; round < 2; round += 1) {
      const result = await lua.attempt(code, limits)
      assert.deepEqual(result.ok ? result.values : result, [
        false,
        false,
        'exceeded maximum operations per execution (3): operation limit exceeded',
        0,
      ])
    }
    assert.equal(failed(await lua.attempt('for _ = 1, 4 do probe.paid() end', limits)), 'ERROR')
    const bulk = await lua.attempt(
      'local ok = pcall(probe.charge, 4) return ok, probe.left(), pcall(probe.paid)',
      limits,
    )
    assert.deepEqual(bulk.ok && bulk.values.slice(0, 3), [false, 0, false])
    assert.equal(lua.vm.dead, undefined)
  })
})

describe('memory', () => {
  const mebibyte = 1024 * 1024

  for (const mebibytes of [1, 4, 8, 32]) {
    it(`is capped at ${mebibytes} MiB`, async () => {
      const settings = { memoryBytesMax: mebibytes * mebibyte }
      const small = await VmFixture.create({ settings })
      const kept = `local t = {} for i = 1, 200 do t[i] = ("x"):rep(1000) .. i end return #t`
      assert.deepEqual(await small.run(kept), [200])
      assert.equal(small.vm.dead, undefined)
      const grow = 'local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end'
      const result = await small.attempt(grow)
      assert.equal(failed(result), 'MEMORY')
      assert.notEqual(small.vm.dead, undefined)
      const catching = await VmFixture.create({ settings })
      const double = 'local s = ("x"):rep(1000) while true do s = s .. s end'
      const caught = await catching.attempt(
        `local ok, e = pcall(function() ${double} end) return ok, e, collectgarbage("count")`,
      )
      assert.ok(caught.ok, failed(caught))
      assert.deepEqual(caught.values.slice(0, 2), [false, 'not enough memory'])
      assert.ok(Number(caught.values[2]) <= mebibytes * 1024)
      assert.equal(catching.vm.dead, 'out of memory')
      const doubling = await VmFixture.create({ settings })
      assert.equal(failed(await doubling.attempt('local s = "x" while true do s = s .. s end')), 'MEMORY')
      const clinging = await VmFixture.create({ settings })
      const code = `while true do pcall(function() ${grow} end) end`
      assert.equal(failed(await clinging.attempt(code)), 'MEMORY')
    })
  }

  it('bounds what the host pushes', async () => {
    const settings = { memoryBytesMax: 4 * mebibyte }
    for (const gift of ['x'.repeat(8 * mebibyte), Array.from({ length: 9 }, () => 'x'.repeat(mebibyte))]) {
      for (const give of ['probe.give', 'probe.wait_gift']) {
        const lua = await VmFixture.create({ settings })
        lua.services.gift = gift
        const result = await lua.attempt(`${give}()`)
        assert.ok(!result.ok, give)
        assert.match(result.message, /not enough memory|the VM broke/, give)
        assert.notEqual(lua.vm.dead, undefined, give)
      }
    }
  })
})

describe('waiting', () => {
  it('gives results and errors where the plugin waits', async () => {
    const lua = await VmFixture.create()
    const cases: readonly (readonly [string, readonly unknown[]])[] = [
      ['return probe.wait(1, "a")', ['a']],
      ['return (probe.wait(1, { 1, { b = 2 } }))[2].b', [2]],
      ['return probe.wait_fail("no")', [undefined, 'no']],
      ['return pcall(probe.wait, 1, "a")', [true, 'a']],
      ['local ok, e = pcall(probe.wait_raise, "no") return ok, e', [false, 'no']],
      [
        'local ok, e = pcall(function()\n local x = probe.wait_raise("no")\n return x end) return ok, e',
        [false, 'tester/test.lua:2: no'],
      ],
      ['return coroutine.wrap(function() return probe.wait(1, "b") end)()', ['b']],
      [
        'local co = coroutine.wrap(function() coroutine.yield(probe.wait(1, 1)) coroutine.yield(probe.wait(1, 2)) end) return co(), co()',
        [1, 2],
      ],
      [
        'local s = 0 for i in function(_, n) return probe.wait(1, n < 3 and n + 1 or nil) end, nil, 0 do s = s + i end return s',
        [6],
      ],
      [
        'local co = coroutine.create(function() return pcall(function() return coroutine.wrap(function() return probe.wait(1, 9) end)() end) end) return select(3, coroutine.resume(co))',
        [9],
      ],
      [
        'return coroutine.resume(coroutine.create(function() local x = probe.wait_raise("deep") return x end))',
        [false, 'tester/test.lua:1: deep'],
      ],
      ['return setmetatable({}, { __index = function(_, k) return probe.wait(1, k) end }).key', ['key']],
    ]
    for (const [code, values] of cases) assert.deepEqual(await lua.run(code), values, code)
    assert.equal(lua.vm.dead, undefined)
  })

  it('is refused, before anything happens, where Lua cannot wait', async () => {
    const lua = await VmFixture.create()
    const places = [
      'table.sort({ 2, 1 }, function(a, b) probe.wait_count(1) return a < b end)',
      'string.gsub("a", "a", function() probe.wait_count(1) end)',
      'coroutine.wrap(function() table.sort({ 2, 1 }, function(a, b) probe.wait_count(1) return a < b end) end)()',
    ]
    for (const code of places) {
      assert.match(
        await lua.error(code),
        /^tester\/test.lua:1: this function waits, which is not possible in a callback/,
        code,
      )
    }
    assert.match(
      await lua.error('table.sort({ 2, 1 }, function(a, b) coroutine.yield() return a < b end)'),
      /outside a coroutine/,
    )
    assert.equal(lua.services.counters[1], 0)
    assert.equal(lua.vm.dead, undefined)
    assert.deepEqual(await lua.run('return probe.wait_count(1)'), [0])
  })

  it('raises in Lua for results that cannot be pushed', async () => {
    const lua = await VmFixture.create()
    lua.services.gift = new Results(1, 2n ** 64n)
    assert.deepEqual(await lua.run('local ok, e = pcall(probe.wait_gift) return ok, e'), [
      false,
      'integer 18446744073709551616 does not fit 64 bits',
    ])
    assert.deepEqual(await lua.run('return 1'), [1])
    assert.equal(lua.vm.dead, undefined)
  })

  it('tells plugins nothing of faults of the host, but its owner', async () => {
    const lua = await VmFixture.create()
    assert.match(
      await lua.error('local x = probe.fault() return x'),
      /^tester\/test.lua:1: internal error of the host/,
    )
    assert.match(String(lua.reports[0]?.[1].message), /a bug of the host/)
    assert.match(await lua.error('local x = probe.raise("misuse") return x'), /^tester\/test.lua:1: misuse$/)
    assert.match(await lua.error('return probe.raise("misuse")'), /^misuse$/)
    assert.equal(lua.vm.dead, undefined)
  })
})
