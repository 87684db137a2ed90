import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cacheLimits } from '../../../../src/base/limits/gateway.js'
import { PluginCache } from '../../../../src/gateway/cache/plugin-cache.js'
import { RequestLog } from '../../../../src/gateway/monitor/request-log.js'
import { gatewayCalls } from '../../../helpers/gateway-calls.js'
import { GatewayVm } from '../../../helpers/gateway-vm.js'

const mebibyte = 1024 * 1024

describe('gateway.cache', () => {
  it('gives back copies of what was kept', async () => {
    const lua = await GatewayVm.create('shop', gatewayCalls())
    assert.deepEqual(
      await lua.run(`
        local given = { n = 1, list = { 1, 2, "three" }, deep = { deeper = { deepest = true } } }
        assert(gateway.cache.set("k", given) == true)
        given.n = 2
        local first, second = gateway.cache.get("k"), gateway.cache.get("k")
        first.list[1] = "changed"
        return json.encode(second), first ~= second
      `),
      ['{"deep":{"deeper":{"deepest":true}},"list":[1,2,"three"],"n":1}', true],
    )
    const kept = `
      local values = { false, true, 0, -1.5, "", "text", math.maxinteger, json.null, {} }
      for at, value in ipairs(values) do
        assert(gateway.cache.set("v" .. at, value))
        local back = gateway.cache.get("v" .. at)
        if type(value) == "table" then assert(type(back) == "table" and next(back) == nil)
        else assert(back == value, "value " .. at .. ": " .. tostring(back)) end
      end
      return select("#", gateway.cache.get("none")), #values`
    assert.deepEqual(await lua.run(kept), [0, 9])
  })

  it('forgets by key, by tag and with time', async () => {
    const time = { ms: 0 }
    const cache = new PluginCache({ now: () => time.ms })
    const lua = await GatewayVm.create('shop', gatewayCalls({ cache }))
    await lua.run(`
      gateway.cache.set("a", 1, { ttl = 10, tags = { "odd", "all" } })
      gateway.cache.set("b", 2, { ttl = "1m", tags = { "all" } })
      gateway.cache.set("c", 3, { ttl = 0.5 })
      gateway.cache.set("d", 4)`)
    const all = `local found = {}
      for _, key in ipairs({ "a", "b", "c", "d" }) do
        if gateway.cache.get(key) then found[#found + 1] = key end
      end
      return table.concat(found)`
    assert.deepEqual(await lua.run(all), ['abcd'])
    time.ms = 500
    assert.deepEqual(await lua.run(all), ['abd'])
    assert.deepEqual(
      await lua.run('return gateway.cache.delete({ tag = "odd" }), gateway.cache.delete({ tag = "odd" })'),
      [1, 0],
    )
    assert.deepEqual(await lua.run(all), ['bd'])
    time.ms = 60_000
    assert.deepEqual(await lua.run(all), ['d'])
    assert.deepEqual(await lua.run('return gateway.cache.delete("d"), gateway.cache.delete("d")'), [1, 0])
    await lua.run('gateway.cache.set("d", 4)')
    time.ms += cacheLimits.pluginTtlSecondsDefault * 1000
    assert.deepEqual(await lua.run(all), [''])
    assert.equal(cache.bytes, 0)
  })

  it('raises for what is no value and for options that mean nothing', async () => {
    const cache = new PluginCache()
    const lua = await GatewayVm.create('shop', gatewayCalls({ cache }))
    const cyclic = '(function() local t = {} t.self = t return t end)()'
    const deep = '(function() local t = {} for _ = 1, 200 do t = { t } end return t end)()'
    const refused: readonly (readonly [args: string, message: RegExp])[] = [
      ['"k", nil', /there is no value/],
      ['"k", print', /function/],
      ['"k", { f = print }', /function/],
      ['"k", 0 / 0', /NaN cannot be encoded/],
      ['"k", { 1 / 0 }', /Infinity cannot be encoded/],
      ['"k", "\\255"', /not valid UTF-8/],
      [`"k", ${cyclic}`, /cycle|nested too deep/],
      [`"k", ${deep}`, /nested too deep/],
      ['"k", coroutine.create(print)', /thread|coroutine/],
      ['nil, 1', /string expected/],
      ['{}, 1', /string expected/],
      ['"k", 1, 60', /must be a table/],
      ['"k", 1, { tll = 60 }', /unknown option "tll"/],
      ['"k", 1, { ttl = 0 }', /the ttl must be more than 0 .*not 0/],
      ['"k", 1, { ttl = -1 }', /not -1/],
      ['"k", 1, { ttl = 0 / 0 }', /not NaN/],
      ['"k", 1, { ttl = math.huge }', /not Infinity/],
      ['"k", 1, { ttl = 1e308 }', /not 1e\+308/],
      ['"k", 1, { ttl = "soon" }', /the ttl "soon" cannot be used/],
      ['"k", 1, { ttl = true }', /not boolean/],
      ['"k", 1, { tags = "x" }', /the tags must be a list/],
      ['"k", 1, { tags = { x = 1 } }', /the tags must be a list/],
      ['"k", 1, { tags = { {} } }', /the tag must be a text/],
    ]
    for (const [args, message] of refused) {
      const raised = await lua.error(`gateway.cache.set(${args})`)
      assert.match(raised, message, args)
      assert.match(raised, /test\.lua:1:/, args)
    }
    for (const args of ['nil', 'true', '{}', '{ tags = "x" }', '{ tag = 1, key = 2 }', '{ tag = {} }']) {
      assert.match(await lua.error(`gateway.cache.delete(${args})`), /gateway\.cache\.delete/, args)
    }
    assert.deepEqual(lua.asked, [])
    const metatables =
      'setmetatable({ 1 }, { __index = error, __len = error, __pairs = error, __name = "x" })'
    assert.deepEqual(
      await lua.run(`gateway.cache.set("k", ${metatables}) return json.encode(gateway.cache.get("k"))`),
      ['[1]'],
    )
  })

  it('refuses what is too large by a message, before it comes to the host, and keeps what was there', async () => {
    const cache = new PluginCache()
    const lua = await GatewayVm.create('shop', gatewayCalls({ cache }))
    await lua.run('gateway.cache.set("k", "before")')
    lua.asked.length = 0
    const long = (characters: number) => `("x"):rep(${characters})`
    const tooLarge = [
      [`"k", ${long(cacheLimits.pluginValueBytesMax)}`, /more than 262144 bytes/],
      [`"k", ${long(10 * mebibyte)}`, /more than 262144 bytes/],
      [`"k", ("\u00e4"):rep(150000)`, /more than 262144 bytes/],
      [`${long(513)}, 1`, /the key has 513 characters; it must have 1 to 512/],
      ['"", 1', /the key has 0 characters/],
      ['"\\255", 1', /the key is not valid UTF-8/],
      [`"k", 1, { tags = { ${long(129)} } }`, /the tag has 129 characters/],
      [
        '"k", 1, { tags = (function() local t = {} for n = 1, 33 do t[n] = "t" end return t end)() }',
        /33 tags; the limit is 32/,
      ],
    ] as const
    for (const [args, message] of tooLarge) {
      const [kept, why] = await lua.run(`return gateway.cache.set(${args})`)
      assert.equal(kept, undefined, args)
      assert.match(String(why), message, args)
    }
    const [none, why] = await lua.run(`return gateway.cache.get(${long(513)})`)
    assert.equal(none, undefined)
    assert.match(String(why), /513 characters/)
    assert.deepEqual(lua.asked, [])
    assert.deepEqual(await lua.run('return gateway.cache.get("k")'), ['before'])
    assert.deepEqual(
      await lua.run(`return gateway.cache.set("k", ${long(cacheLimits.pluginValueBytesMax - 2)})`),
      [true],
    )
  })

  it('is out of reach of other plugins, by keys, tags and floods', async () => {
    const cache = new PluginCache({ pluginBytesMax: mebibyte })
    const calls = gatewayCalls({ cache })
    const [shop, spy] = [await GatewayVm.create('shop', calls), await GatewayVm.create('spy', calls)]
    await shop.run('gateway.cache.set("k", "secret", { tags = { "t" } })')
    assert.deepEqual(await spy.run('return gateway.cache.get("k")'), [])
    for (const key of ['shop:k', 'shop/k', '../shop/k', 'shop\\0k', '__proto__', 'constructor']) {
      assert.deepEqual(await spy.run(`return gateway.cache.get("${key}")`), [], key)
    }
    assert.deepEqual(
      await spy.run('return gateway.cache.delete("k"), gateway.cache.delete({ tag = "t" })'),
      [0, 0],
    )
    await spy.run('for n = 1, 3000 do gateway.cache.set("k" .. n, ("x"):rep(1000)) end')
    assert.ok(cache.bytes < 1.1 * mebibyte, `${cache.bytes} bytes`)
    assert.deepEqual(await shop.run('return gateway.cache.get("k")'), ['secret'])
  })

  it('can be read before writes, and changed only where a plugin works', async () => {
    const lua = await GatewayVm.create('shop', gatewayCalls())
    assert.deepEqual(await lua.run('return gateway.cache.get("k")', 'before_hook'), [])
    assert.deepEqual(await lua.run('return gateway.cache.set("k", 1)', 'stage'), [true])
    assert.match(
      await lua.error('gateway.cache.set("k", 2)', 'before_hook'),
      /gateway\.cache\.set is not allowed inside before-hooks/,
    )
    assert.match(
      await lua.error('gateway.cache.delete("k")', 'before_hook'),
      /not allowed inside before-hooks/,
    )
    assert.match(await lua.error('gateway.cache.get("k")', 'module'), /not allowed at module scope/)
    assert.match(await lua.error('gateway.cache.get = print'), /read-only/)
    assert.match(await lua.error('gateway.cache = {}'), /read-only/)
    assert.deepEqual(await lua.run('return gateway["_cache.get"], gateway.cache["_cache.get"]'), [
      undefined,
      undefined,
    ])
  })
})

describe('gateway.log.query', () => {
  const requestLog = new RequestLog({ size: 1000 })
  for (let n = 0; n < 600; n += 1) {
    requestLog.add({
      url: `/items/${n}?token=secret-${n}`,
      method: n % 2 === 0 ? 'GET' : 'POST',
      ip: n % 3 === 0 ? '2001:db8::1' : '192.0.2.1',
      status: n % 5 === 0 ? 429 : 200,
      durationMs: 1.5,
      isRateLimited: n % 5 === 0,
    })
  }
  const granted = new Set<string>()
  const vm = () => GatewayVm.create('watcher', gatewayCalls({ requestLog, granted }))

  it('shows nothing without an approval, and says how to get one', async () => {
    granted.clear()
    const lua = await vm()
    for (const call of ['log.query()', 'stats()', 'shell.exclude("x")', 'shell.include("x")']) {
      const [value, why] = await lua.run(`return gateway.${call}`)
      assert.equal(value, undefined, call)
      assert.match(
        String(why),
        /plugin "watcher" is not approved for "(log:read|stats:read|shell:write)"; ask for it with gateway_access = \{ "/,
      )
    }
    granted.add('log:read')
    assert.deepEqual(await lua.run('return #gateway.log.query(), (gateway.stats())'), [50, undefined])
    granted.delete('log:read')
    assert.deepEqual(await lua.run('return (gateway.log.query())'), [undefined], 'from the next call on')
  })

  it('gives what fits, newest first, without queries', async () => {
    granted.add('log:read')
    const lua = await vm()
    const count = async (filter: string) => (await lua.run(`return #gateway.log.query(${filter})`))[0]
    assert.equal(await count('{ limit = 500 }'), 500)
    assert.equal(await count('{ limit = 500, ip = "2001:0DB8:0:0::1" }'), 200)
    assert.equal(await count('{ limit = 500, ip = "192.0.2.1", rate_limited = true }'), 80)
    assert.equal(await count('{ limit = 500, status = 429 }'), 120)
    assert.equal(await count('{ limit = 500, status_range = 4 }'), 120)
    assert.equal(await count('{ path = "/items/59" }'), 11)
    assert.equal(await count('{ path = "secret" }'), 0, 'nothing can be learnt of a query')
    const [text] = await lua.run('return json.encode(gateway.log.query({ limit = 2 }))')
    const [first, second] = JSON.parse(String(text)) as Record<string, unknown>[]
    assert.deepEqual([first?.path, second?.path], ['/items/599', '/items/598'])
    assert.deepEqual(Object.keys(first ?? {}).sort(), [
      'duration',
      'id',
      'ip',
      'method',
      'path',
      'rate_limited',
      'status',
      'timestamp',
    ])
    assert.doesNotMatch(String(text), /secret|token/)
  })

  it('raises for a filter that means nothing', async () => {
    const lua = await vm()
    const refused: readonly (readonly [string, RegExp])[] = [
      ['"x"', /must be a table/],
      ['{ limits = 1 }', /unknown option "limits"/],
      ['{ limit = 0 }', /the limit must be a whole number from 1 to 500, not 0/],
      ['{ limit = 501 }', /not 501/],
      ['{ limit = 0 / 0 }', /not NaN/],
      ['{ ip = "localhost" }', /must be an IP address, not "localhost"/],
      ['{ ip = 1 }', /must be an IP address, not 1/],
      ['{ path = "" }', /1 to 512 characters/],
      ['{ path = ("x"):rep(100000) }', /1 to 512 characters/],
      ['{ path = { "x" } }', /not table/],
      ['{ status = 99 }', /not 99/],
      ['{ status_range = 6 }', /not 6/],
      ['{ rate_limited = "yes" }', /true or false, not string/],
    ]
    for (const [filter, message] of refused) {
      assert.match(await lua.error(`gateway.log.query(${filter})`), message, filter)
    }
    assert.deepEqual(lua.asked, [])
  })

  it('costs operations, as it takes time of all requests', async () => {
    granted.add('log:read')
    const lua = await vm()
    assert.match(await lua.error('for _ = 1, 501 do gateway.log.query({ limit = 1 }) end'), /operation/)
  })
})
