import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rateLimitLimits } from '../../../../src/base/limits/gateway.js'
import { PluginLimits } from '../../../../src/gateway/rate-limit/plugin-limits.js'
import { storagePhases } from '../../../../src/sandbox/phase.js'
import { gatewayCalls } from '../../../helpers/gateway-calls.js'
import { GatewayVm } from '../../../helpers/gateway-vm.js'

async function setUp(plugin = 'shop', limits = new PluginLimits()) {
  return GatewayVm.create(plugin, gatewayCalls({ limits }))
}

/** A limit whose clock the test turns. */
function timed() {
  const time = { ms: 0 }
  return { time, limits: new PluginLimits({ clock: () => time.ms }) }
}

const show = `
local function show(allowed, state)
  assert(type(allowed) == "boolean")
  return json.encode({ allowed, state.limit, state.remaining, state.reset, state.retry_after })
end
`
const take = (key: string, options: string) => `${show} return show(gateway.rate_limit(${key}, ${options}))`

describe('gateway.rate_limit', () => {
  it('allows a limit in a window, then tells when to come again', async () => {
    const { time, limits } = timed()
    const lua = await setUp('shop', limits)
    const login = take('"login:ann"', '{ limit = 2, window = "1m" }')
    assert.deepEqual(await lua.run(login), ['[true,2,1,30,0]'])
    assert.deepEqual(await lua.run(login), ['[true,2,0,60,0]'])
    assert.deepEqual(await lua.run(login), ['[false,2,0,60,30]'])
    time.ms = 29_000
    assert.deepEqual(await lua.run(login), ['[false,2,0,31,1]'], 'what is refused takes nothing')
    time.ms = 30_000
    assert.deepEqual(await lua.run(login), ['[true,2,0,60,0]'])
    assert.deepEqual(await lua.run(take('"login:bob"', '{ limit = 2, window = "1m" }')), ['[true,2,1,30,0]'])
  })

  it('takes a cost as a whole or not at all', async () => {
    const { limits } = timed()
    const lua = await setUp('shop', limits)
    const of = (cost: number) => take('"tenant"', `{ limit = 10, window = 10, cost = ${cost} }`)
    assert.deepEqual(await lua.run(of(8)), ['[true,10,2,8,0]'])
    assert.deepEqual(await lua.run(of(3)), ['[false,10,2,8,1]'])
    assert.deepEqual(await lua.run(of(2)), ['[true,10,0,10,0]'])
  })

  it('reads windows as the configuration does: units, seconds and whole floats', async () => {
    const { limits } = timed()
    const lua = await setUp('shop', limits)
    for (const [window, seconds] of [
      ['"30s"', 30],
      ['"30"', 30],
      ['30', 30],
      ['30.0', 30],
      ['"2h"', 7200],
      ['"31d"', 2_678_400],
    ] as const) {
      const taken = await lua.run(
        take(`"${window.length}:${seconds}:" .. ${window}`, `{ limit = 1, window = ${window} }`),
      )
      assert.deepEqual(taken, [`[true,1,0,${seconds},0]`], window)
    }
  })

  it('gives other options of the same key a bucket of their own', async () => {
    const { limits } = timed()
    const lua = await setUp('shop', limits)
    for (const options of [
      '{ limit = 1, window = 60 }',
      '{ limit = 1, window = 61 }',
      '{ limit = 2, window = 60 }',
    ]) {
      assert.match(String(await lua.run(take('"k"', options))), /^\[true/, options)
    }
    assert.match(String(await lua.run(take('"k"', '{ limit = 1, window = "1m" }'))), /^\[false/)
  })

  it('raises for what makes no limit, and counts nothing then', async () => {
    const lua = await setUp()
    const refused: readonly (readonly [key: string, options: string, message: RegExp])[] = [
      ['"k"', 'nil', /bad argument #2|the limit must be/],
      ['"k"', '5', /must be a table/],
      ['"k"', '{}', /the limit must be a whole number from 1 to 1000000, not nil/],
      ['"k"', '{ limit = 5 }', /the window must be .*not nil/],
      ['"k"', '{ limit = 0 / 0, window = 60 }', /the limit must be .*not NaN/],
      ['"k"', '{ limit = 1e308, window = 60 }', /not 1e\+308/],
      ['"k"', '{ limit = math.huge, window = 60 }', /not Infinity/],
      ['"k"', '{ limit = math.maxinteger, window = 60 }', /not 9223372036854775807/],
      ['"k"', '{ limit = 0, window = 60 }', /not 0/],
      ['"k"', '{ limit = -1, window = 60 }', /not -1/],
      ['"k"', '{ limit = 1.5, window = 60 }', /not 1.5/],
      ['"k"', '{ limit = "5", window = 60 }', /not string/],
      ['"k"', '{ limit = 5, window = 0 }', /the window must be/],
      ['"k"', '{ limit = 5, window = 0.5 }', /the window must be/],
      ['"k"', '{ limit = 5, window = 0 / 0 }', /the window must be .*not NaN/],
      ['"k"', '{ limit = 5, window = 1e308 }', /the window must be/],
      ['"k"', '{ limit = 5, window = "-1m" }', /"-1m" cannot be used/],
      ['"k"', '{ limit = 5, window = "1 week" }', /cannot be used/],
      ['"k"', '{ limit = 5, window = "32d" }', /cannot be used/],
      ['"k"', '{ limit = 5, window = ("9"):rep(100000) }', /"9{32}\.\.\." cannot be used/],
      ['"k"', '{ limit = 5, window = true }', /not boolean/],
      ['"k"', '{ limit = 5, window = 60, cost = -3 }', /the cost must be a whole number from 0 to 5, not -3/],
      ['"k"', '{ limit = 0, window = 60 }', /the limit must be a whole number from 1 to/],
      ['"k"', '{ limit = 5, window = 60, cost = 6 }', /not 6/],
      ['"k"', '{ limit = 5, window = 60, cost = 0 / 0 }', /not NaN/],
      ['"k"', '{ limit = 5, window = 60, costs = 1 }', /unknown option "costs"/],
      ['"k"', '{ limit = 5, window = 60, [1] = 1 }', /unknown option/],
      ['""', '{ limit = 5, window = 60 }', /the key is empty/],
      ['nil', '{ limit = 5, window = 60 }', /string expected/],
      ['{}', '{ limit = 5, window = 60 }', /string expected/],
      ['"k"', 'setmetatable({}, { __index = function() return 5 end })', /the limit must be .*not nil/],
    ]
    for (const [key, options, message] of refused) {
      const code = `gateway.rate_limit(${key}, ${options})`
      const raised = await lua.error(code)
      assert.match(raised, message, code)
      assert.match(raised, /gateway\.rate_limit/, code)
      assert.match(raised, /test\.lua:1:/, `${code}: the line of the plugin`)
    }
    assert.deepEqual(lua.asked, [])
  })

  it('takes keys of any size and any bytes, and sends the host none that is long', async () => {
    const lua = await setUp()
    const one = '{ limit = 1, window = 60 }'
    const keys = [
      '("x"):rep(100000)',
      '("x"):rep(100000) .. "y"',
      '"\\255\\254"',
      '"\\255\\255"',
      '"a\\0b"',
      '"a"',
      '7',
    ]
    for (const key of keys) assert.match(String(await lua.run(take(key, one))), /^\[true/, key)
    for (const key of keys) assert.match(String(await lua.run(take(key, one))), /^\[false/, key)
    for (const { payload } of lua.asked) {
      assert.ok((payload as { key: string }).key.length <= rateLimitLimits.keyLengthMax)
    }
  })

  it('keeps the keys of plugins apart', async () => {
    const limits = new PluginLimits()
    const [shop, spy] = [await setUp('shop', limits), await setUp('spy', limits)]
    const once = take('"k"', '{ limit = 1, window = 60 }')
    await shop.run(once)
    assert.match(String(await shop.run(once)), /^\[false/)
    assert.match(String(await spy.run(once)), /^\[true/)
    assert.match(String(await shop.run(once)), /^\[false/)
  })

  it('stays bounded in a flood of keys, which frees no key that is in use', async () => {
    const limits = new PluginLimits({ bucketsMax: 100 })
    const lua = await setUp('shop', limits)
    await lua.run('gateway.rate_limit("used", { limit = 1, window = 60 })')
    await lua.run(`for n = 1, 2000 do
      gateway.rate_limit("flood" .. n, { limit = 1, window = 60 })
      if n % 50 == 0 then assert(not gateway.rate_limit("used", { limit = 1, window = 60 })) end
    end`)
  })

  it('can be called where a plugin works, in stages and before writes, not at module scope', async () => {
    const lua = await setUp()
    for (const phase of [...storagePhases, 'before_hook'] as const) {
      const taken = await lua.run(take(`"${phase}"`, '{ limit = 1, window = 60 }'), phase)
      assert.match(String(taken), /^\[true/, phase)
    }
    for (const phase of ['module', 'manifest'] as const) {
      assert.match(
        await lua.error('gateway.rate_limit("k", { limit = 1, window = 60 })', phase),
        /gateway\.rate_limit is not allowed at module scope/,
      )
    }
  })
})
