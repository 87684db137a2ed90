import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KvPlugins } from '../../../helpers/kv-plugins.js'

describe('kv.atomic', () => {
  it('applies all of its steps in order, or none', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    assert.deepEqual(
      await plugin.json(`
        local first = kv.get({ "n" })
        local done = kv.atomic():check(first):set({ "n" }, 1):sum({ "n" }, 2):max({ "n" }, 10):min({ "n" }, 7)
          :append({ "l" }, { "b" }):prepend({ "l" }, { "a" }):delete({ "x" }):commit()
        local stale = kv.atomic():check(first):set({ "n" }, 100):commit()
        local fresh = kv.atomic():check({ "n" }, done.versionstamp):delete({ "n" }):commit()
        local absent = kv.atomic():check({ "n" }, nil):check({ "l" }, kv.get({ "l" }).versionstamp):commit()
        return { done.ok, stale, fresh.ok, absent.ok, kv.get({ "l" }).value, kv.get({ "n" }).value == nil }
      `),
      [true, { ok: false }, true, true, ['a', 'b'], true],
    )
  })

  it('keeps the type of counters, and refuses what they cannot hold, with everything else of the commit', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    await plugin.run(`
      assert(kv.set({ "u" }, kv.u64("18446744073709551614")))
      assert(kv.set({ "n" }, 9007199254740990))
      assert(kv.set({ "s" }, "text"))
      assert(kv.set({ "f" }, 1.5))
      assert(kv.atomic():sum({ "u" }, 1):sum({ "b" }, kv.bigint("100000000000000000000")):commit().ok)
      assert(tostring(kv.get({ "u" }).value) == "18446744073709551615")
    `)
    const cases: readonly (readonly [string, RegExp])[] = [
      [':sum({ "u" }, 1)', /The result of "sum" at the key \["u"\] is 18446744073709551616/],
      [':sum({ "u" }, -18446744073709551616)', /"sum"|integer|number/],
      [':sum({ "n" }, 2)', /outside of what a number holds/],
      [':sum({ "s" }, 1)', /"sum" needs an integer, but the key \["s"\] holds a string/],
      [':sum({ "f" }, 1)', /needs an integer, but the key \["f"\] holds a number/],
      [':max({ "s" }, 1)', /"max" needs an integer/],
      [':min({ "s" }, 1)', /"min" needs an integer/],
      [':append({ "s" }, { 1 })', /"append" needs an array/],
      [':prepend({ "n" }, { 1 })', /"prepend" needs an array/],
    ]
    for (const [step, message] of cases) {
      const code = `return kv.atomic():set({ "mark" }, 1)${step}:commit()`
      const result = await plugin.attempt(code)
      assert.match(result.ok ? String(result.values[1]) : result.message, message, step)
    }
    assert.deepEqual(await plugin.run('return kv.get({ "mark" }).versionstamp'), [undefined])
  })

  it('refuses misuse, naming the step', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    const cases: readonly (readonly [string, RegExp])[] = [
      ['kv.atomic():sum({ "a" }, 1.5):commit()', /"sum" needs an integer/],
      ['kv.atomic():sum({ "a" }, "1"):commit()', /"sum" needs an integer/],
      ['kv.atomic():sum({ "a" }):commit()', /step 1, sum: the value is nil/],
      ['kv.atomic():append({ "a" }, 1):commit()', /"append" needs an array/],
      ['kv.atomic():append({ "a" }, { x = 1 }):commit()', /"append" needs an array/],
      ['kv.atomic():delete({ "b" }):set("a", 1):commit()', /step 2, set: the key must be a list/],
      ['kv.atomic():check({ "a" }):commit()', /check needs an entry, or a key and a versionstamp/],
      ['kv.atomic():check({ "a" }, "x"):commit()', /"x" is not a versionstamp/],
      ['kv.atomic():check({ "a" }, 1):commit()', /is not a versionstamp/],
      ['kv.atomic():check({ "a" }, {}):commit()', /"an object" is not a versionstamp/],
      ['kv.atomic().set({ "a" }, 1)', /call it with a colon: kv\.atomic\(\):set/],
      ['kv.atomic().commit()', /call it with a colon/],
      ['kv.atomic():set({ "a" }, 1, { queue = "x" }):commit()', /unknown option "queue"/],
      ['kv.atomic():enqueue(1, { queue = "No" }):commit()', /"No" is not the name of a queue/],
      ['kv.atomic():enqueue(nil):commit()', /the value is nil/],
      ['kv.atomic().x = 1', /kv\.Atomic has no fields to set/],
      ['local a = kv.atomic() a:commit() a:commit()', /this atomic commit has ended/],
      ['local a = kv.atomic() a:commit() a:set({ "a" }, 1)', /this atomic commit has ended/],
    ]
    for (const [code, message] of cases) {
      const text = await plugin.error(code)
      assert.match(text, message, code)
      assert.match(text, /^shop\/test\.lua:1: /, code)
    }
    assert.deepEqual(await plugin.run('return kv.count()'), [0])
  })

  it('gives nil and a message for a commit that is too large, and can be tried again when it could not be tried', async (t) => {
    const plugins = await KvPlugins.create(t)
    const plugin = await plugins.plugin('shop')
    const large =
      'local a = kv.atomic() for n = 1, 20 do a:set({ n }, ("x"):rep(60000)) end return a:commit()'
    assert.match(await plugin.failure(large), /bytes of keys and values, and 1048576 are allowed/)
    const many = 'local a = kv.atomic() for n = 1, 101 do a:check({ n }, nil) end return a:commit()'
    assert.match(await plugin.failure(many), /101 checks, and 100 are allowed/)
    const other = plugins.connection()
    other.prepare('begin immediate').run()
    assert.match(
      await plugin.failure('pending = kv.atomic():set({ "a" }, 1) return pending:commit()'),
      /the store is busy/,
    )
    assert.deepEqual(await plugin.run('return kv.get({ "a" }).value'), [undefined])
    other.prepare('rollback').run()
    const again = `
      local a = kv.atomic():set({ "a" }, 1)
      local ok = a:commit()
      return ok.ok
    `
    assert.deepEqual(await plugin.run(again), [true])
  })

  it('counts its steps as operations', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    const code = 'kv.atomic():set({ "a" }, 1):set({ "b" }, 2):check({ "c" }, nil):commit()'
    await plugin.run(code, { operationsMax: 3 })
    assert.match(await plugin.error(code, { operationsMax: 2 }), /exceeded maximum operations/)
  })
})

describe('kv.transaction', () => {
  it('commits what its function wrote, with checks of what it read', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('bank')
    assert.deepEqual(
      await plugin.json(`
        kv.set({ "a" }, 10)
        local result = kv.transaction(function(tx)
          local a = tx:get({ "a" })
          tx:set({ "a" }, a.value - 4):sum({ "b" }, 4)
          assert(tx:get({ "a" }).value == 10, "reads do not see its own writes")
          return a.value
        end)
        return { result.ok, result.value, type(result.versionstamp), kv.get({ "a" }).value, kv.get({ "b" }).value }
      `),
      [true, 10, 'string', 6, 4],
    )
  })

  it('runs again when others wrote what it read, and gives up in the end', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('bank')
    assert.deepEqual(
      await plugin.json(`
        local runs = 0
        local result = kv.transaction(function(tx)
          runs = runs + 1
          local n = tx:get({ "n" }).value or 0
          if runs < 3 then kv.set({ "n" }, 100 * runs) end
          tx:set({ "n" }, n + 1)
        end)
        local tries = 0
        local lost = kv.transaction(function(tx)
          tries = tries + 1
          tx:get({ 1.0 })
          kv.set({ 1 }, tries)
        end, { max_retries = 4 })
        return { runs, result.ok, kv.get({ "n" }).value, tries, lost }
      `),
      [3, true, 201, 5, { ok: false, error: 'conflict' }],
    )
  })

  it('passes errors on and writes nothing then', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('bank')
    assert.deepEqual(
      await plugin.json(`
        local kept
        local ok, message = pcall(kv.transaction, function(tx)
          kept = tx
          tx:set({ "a" }, 1)
          error("no")
        end)
        local late, why = pcall(kept.set, kept, { "a" }, 1)
        local thrown = { "any" }
        local _, same = pcall(kv.transaction, function() error(thrown) end)
        return { ok, message, late, why, same == thrown, kv.count() }
      `),
      [false, 'bank/test.lua:7: no', false, 'this transaction has ended; begin another one', true, 0],
    )
    for (const [code, message] of [
      ['kv.transaction()', /bad argument #1 to 'kv\.transaction' \(function expected, got nil\)/],
      ['kv.transaction(function() end, { max_retries = -1 })', /The option "max_retries" is -1/],
      [
        'kv.transaction(function() end, { retry_delay = 1 })',
        /unknown option "retry_delay"; there are max_retries/,
      ],
      ['kv.transaction(function(tx) tx.get({ "a" }) end)', /call it with a colon/],
      ['kv.transaction(function(tx) tx:get("a") end)', /kv\.get: the key must be a list/],
    ] as const) {
      const text = await plugin.error(code)
      assert.match(text, message)
      assert.match(text, /^bank\/test\.lua:1: /)
    }
  })
})

describe('kv inside db.transaction', () => {
  const table = 'db.define_table("t", { columns = { { name = "n", type = "integer" } } })'

  it('is committed and undone with it', async (t) => {
    const plugins = await KvPlugins.create(t)
    const plugin = await plugins.plugin('shop')
    await plugin.run(table)
    assert.deepEqual(
      await plugin.json(`
        local before = kv.set({ "x" }, 0).versionstamp
        local ok = db.transaction(function()
          db.insert("t", { n = 1 })
          kv.set({ "a" }, 1)
          assert(kv.get({ "a" }).value == 1)
          local refused, err = kv.atomic():set({ "half" }, 1):sum({ "a" }, 1):append({ "a" }, { 1 }):commit()
          assert(refused == nil and err)
          error("undo")
        end)
        local between = kv.get({ "a" }).value
        local done = db.transaction(function() db.insert("t", { n = 2 }) kv.set({ "b" }, 2) kv.set({ "c" }, 2) end)
        local after = kv.get({ "c" }).versionstamp
        return { ok, between == nil, done, kv.get({ "b" }).value, db.count("t"), before, after, kv.get({ "half" }).value == nil }
      `),
      [false, true, true, 2, 1, '00000000000000000001', '00000000000000000003', true],
    )
    assert.equal(plugins.committed, 2)
  })

  it('is undone when the call is killed, and consumes no versionstamp', async (t) => {
    const plugins = await KvPlugins.create(t)
    const plugin = await plugins.plugin('shop')
    const killed = await plugin.attempt(
      'db.transaction(function() kv.set({ "a" }, 1) while true do end end)',
      { timeoutMs: 200 },
    )
    assert.equal(killed.ok, false)
    const next = await plugins.plugin('shop')
    assert.deepEqual(await next.run('return kv.get({ "a" }).value, kv.set({ "b" }, 1).versionstamp'), [
      undefined,
      '00000000000000000001',
    ])
    assert.equal(plugins.committed, 1)
  })

  it('raises once the transaction is over', async (t) => {
    const plugins = await KvPlugins.create(t)
    const plugin = await plugins.plugin('shop')
    assert.match(
      await plugin.error(
        `
        local message
        db.transaction(function()
          kv.set({ "a" }, 1)
          for _ = 1, 1e9 do
            local ok, err = pcall(kv.get, { "a" })
            if not ok then message = err break end
          end
        end)
        error(message)
      `,
        { operationsMax: 2 ** 52 },
      ),
      /the transaction took longer than/,
    )
    assert.deepEqual(await plugin.run('return kv.get({ "a" }).value'), [undefined])
  })
})
