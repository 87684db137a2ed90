import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type KvPlugin, KvPlugins } from '../../../helpers/kv-plugins.js'

const fill =
  'for n = 1, 250 do kv.set({ "n", n }, { n = n, odd = n % 2 == 1 }) end kv.set({ "m" }, 0) kv.set({ "n" }, 0)'

const collect = (options: string): string => `
  local found = {}
  for entry in kv.list(${options}) do found[#found + 1] = entry.key[2] or entry.key[1] end
  return json.array(found)
`

async function filled(plugins: KvPlugins): Promise<KvPlugin> {
  const plugin = await plugins.plugin('shop')
  await plugin.run(fill)
  return plugin
}

const numbers = (from: number, to: number): number[] => {
  const step = from <= to ? 1 : -1
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, at) => from + step * at)
}

describe('kv.list', () => {
  it('gives what is below a prefix, between two keys, forwards and backwards, in batches of any size', async (t) => {
    const plugin = await filled(await KvPlugins.create(t))
    const cases: readonly (readonly [string, readonly unknown[]])[] = [
      ['{ prefix = { "n" } }', numbers(1, 250)],
      ['{ prefix = { "n" }, reverse = true, batch = 7 }', numbers(250, 1)],
      ['{ prefix = { "n" }, start = { "n", 10 }, stop = { "n", 14 } }', numbers(10, 13)],
      ['{ prefix = { "n" }, start = { "a" }, stop = { "z" }, limit = 3 }', numbers(1, 3)],
      ['{ prefix = { "n" }, start = { "n", 240 }, reverse = true, limit = 2, batch = 1 }', [250, 249]],
      ['{ prefix = { "n" }, start = { "z" } }', []],
      ['{ prefix = { "n" }, start = { "n", 9 }, stop = { "n", 3 } }', []],
      ['{ prefix = { "nothing" } }', []],
      ['{ limit = 3 }', ['m', 'n', 1]],
      ['{ prefix = { "n" }, where = { n = { ["$in"] = { 3, 200 } } } }', [3, 200]],
      ['{ prefix = { "n" }, where = { n = { ["$in"] = {} } } }', []],
      ['{ prefix = { "n" }, where = { odd = true }, limit = 3, reverse = true }', [249, 247, 245]],
    ]
    for (const [options, expected] of cases)
      assert.deepEqual(await plugin.json(collect(options)), expected, options)
    assert.equal(((await plugin.json(collect(''))) as unknown[]).length, 252)
  })

  it('has a cursor at each place, by which another list goes on', async (t) => {
    const plugin = await filled(await KvPlugins.create(t))
    assert.deepEqual(
      await plugin.json(`
        local function after(count, reverse, options)
          options = options or {}
          options.prefix, options.reverse, options.batch = { "n" }, reverse, 10
          local list, seen = kv.list(options), 0
          if count == 0 then return list:cursor() end
          for _ in list do
            seen = seen + 1
            if seen == count then return list:cursor() end
          end
          return list:cursor()
        end
        local function first(cursor, reverse)
          for entry in kv.list({ prefix = { "n" }, reverse = reverse, cursor = cursor }) do return entry.key[2] end
        end
        return {
          after(0) == nil, first(after(3)), first(after(10)), first(after(15, true), true), after(9999) == nil,
          first(after(5, false, { limit = 5 })), first(after(9999, false, { limit = 20 })),
          after(0, false, { cursor = after(3) }) == after(3),
        }
      `),
      [true, 4, 11, 235, true, 6, 21, true],
    )
  })

  it('leaves values out when only keys are asked for', async (t) => {
    const plugin = await filled(await KvPlugins.create(t))
    assert.deepEqual(
      await plugin.run(`
        for entry in kv.list({ prefix = { "n" }, keys_only = true, limit = 3 }) do
          assert(entry.value == nil and entry.versionstamp and entry.key[2])
        end
        return kv.paginate({ keys_only = true, limit = 1 }).entries[1].value
      `),
      [undefined],
    )
  })

  it('goes on over entries that come and go', async (t) => {
    const plugin = await filled(await KvPlugins.create(t))
    assert.deepEqual(
      await plugin.json(
        `
        local seen = 0
        for entry in kv.list({ prefix = { "n" }, batch = 10 }) do
          seen = seen + 1
          kv.delete(entry.key)
          if entry.key[2] == 5 then kv.delete({ "n", 100 }) kv.set({ "n", 0.5 }, 1) kv.set({ "n", 1000 }, 1) end
        end
        return { seen, kv.count({ "n" }) }
      `,
        { operationsMax: 10_000 },
      ),
      [250, 1],
    )
  })

  it('raises what fails, at the line of the loop', async (t) => {
    const plugins = await KvPlugins.create(t)
    const plugin = await filled(plugins)
    for (const [options, message] of [
      ['{ prefix = "n" }', /kv\.list: the prefix must be a list/],
      ['{ limit = 0 }', /The option "limit" is 0; it must be an integer from 1/],
      ['{ limit = 1.5 }', /The option "limit" is 1\.5/],
      ['{ batch = 1001 }', /The option "batch" is 1001/],
      ['{ ["end"] = { "n" } }', /unknown option "end"; there are prefix, start, stop/],
      ['{ cursor = 5 }', /The option "cursor" is 5/],
      ['{ cursor = "x" }', /kv\.list: The cursor does not belong to this list/],
      ['{ where = { n = { ["$gtt"] = 1 } } }', /The filter is wrong at/],
      ['{ where = "n" }', /where must be a table/],
      ['{ keys_only = 1 }', /the option keys_only must be true or false/],
      ['{ reverse = "yes" }', /the option reverse must be/],
      ['{ 1 }', /the options must be a table/],
      ['5', /bad argument #1 to 'kv\.list' \(table expected, got number\)/],
    ] as const) {
      const text = await plugin.error(`for _ in kv.list(${options}) do end`)
      assert.match(text, message, options)
      assert.match(text, /^shop\/test\.lua:1: /, options)
    }
    assert.match(await plugin.error('kv.list().cursor()'), /call it with a colon/)
  })

  it('costs an operation for each hundred entries that it looks at', async (t) => {
    const plugin = await filled(await KvPlugins.create(t))
    const few = collect('{ prefix = { "n" }, where = { n = 250 } }')
    await plugin.run(few, { operationsMax: 3 })
    assert.match(await plugin.error(few, { operationsMax: 2 }), /exceeded maximum operations/)
    await plugin.run(collect('{ batch = 1000 }'), { operationsMax: 3 })
    assert.match(await plugin.error(collect('{ batch = 1000 }'), { operationsMax: 2 }), /exceeded maximum/)
    assert.match(await plugin.error(collect('{ batch = 10 }'), { operationsMax: 25 }), /exceeded maximum/)
    assert.match(
      await plugin.error('kv.count({ "n" }, { where = { n = 1 } })', { operationsMax: 2 }),
      /exceeded maximum/,
    )
    assert.deepEqual(await plugin.run('return kv.count({ "n" })', { operationsMax: 1 }), [250])
  })

  it('ends a call whose time is over between two entries', async (t) => {
    const plugin = await filled(await KvPlugins.create(t))
    const scan = 'while true do kv.count({ "n" }, { where = { n = -1 } }) end'
    const result = await plugin.attempt(scan, { timeoutMs: 100, operationsMax: 2 ** 50 })
    assert.ok(!result.ok && result.code === 'TIMEOUT', JSON.stringify(result))
  })
})

describe('kv.paginate', () => {
  it('gives page after page, and says where there is no more', async (t) => {
    const plugin = await filled(await KvPlugins.create(t))
    assert.deepEqual(
      await plugin.json(`
        local seen, pages, cursor = {}, 0, json.null
        repeat
          local page = assert(kv.paginate({ prefix = { "n" }, limit = 125, cursor = cursor, reverse = true }))
          pages, cursor = pages + 1, page.cursor
          for _, entry in ipairs(page.entries) do seen[#seen + 1] = entry.key[2] end
          assert(page.has_more == (cursor ~= nil))
        until not page.has_more
        return { pages, #seen, seen[1], seen[250] }
      `),
      [2, 250, 250, 1],
    )
  })

  it('gives nil and a message for a cursor that is none of the range', async (t) => {
    const plugins = await KvPlugins.create(t)
    const plugin = await filled(plugins)
    const other = await plugins.plugin('other')
    await other.run('for n = 1, 9 do kv.set({ "secret", n }, n) end')
    const [cursor] = await other.run('return kv.paginate({ prefix = { "secret" }, limit = 1 }).cursor')
    for (const forged of [`"${cursor}"`, '"%%%"', '"AA"', '("A"):rep(10000)', '"//8"', '"\\255"']) {
      assert.match(
        await plugin.failure(`return kv.paginate({ prefix = { "n" }, cursor = ${forged} })`),
        /The cursor does not belong to this list/,
        forged,
      )
    }
    // As a place among the plugin's own keys it is a place like any other.
    assert.deepEqual(await plugin.json(`return kv.paginate({ cursor = "${cursor}" }).entries`), [])
  })
})
