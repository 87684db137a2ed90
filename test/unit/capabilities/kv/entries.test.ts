import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kvLimits } from '../../../../src/base/limits/kv.js'
import { KvPlugins } from '../../../helpers/kv-plugins.js'

describe('kv: entries', () => {
  it('are written, read and deleted, and absence is an entry without value', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    assert.deepEqual(
      await plugin.json(`
        local before = assert(kv.get({ "users", 42 }))
        local set = assert(kv.set({ "users", 42 }, { name = "ann", tags = { "a", "b" } }))
        local after = assert(kv.get({ "users", 42 }))
        local gone = assert(kv.delete({ "users", 42 }))
        return { before = before, set = set, after = after, gone = gone, again = kv.delete({ "users", 42 }) }
      `),
      {
        before: { key: ['users', 42] },
        set: { ok: true, versionstamp: '00000000000000000001' },
        after: {
          key: ['users', 42],
          value: { name: 'ann', tags: ['a', 'b'] },
          versionstamp: '00000000000000000001',
        },
        gone: 1,
        again: 0,
      },
    )
  })

  it('are read at one moment, in the order of the keys', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    assert.deepEqual(
      await plugin.json(`
        kv.set({ "a" }, 1)
        local found = {}
        for at, entry in ipairs(assert(kv.get_many({ { "b" }, { "a" }, { "a" } }))) do
          found[at] = entry.value or json.null
        end
        return { found = found, none = kv.get_many({}) }
      `),
      { found: [null, 1, 1], none: [] },
    )
  })

  it('have the same key for 1 and 1.0, and another one for other types', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    assert.deepEqual(
      await plugin.json(`
        kv.set({ 1 }, "number")
        kv.set({ "1" }, "string")
        kv.set({ true }, "boolean")
        kv.set({ kv.bytes("1") }, "bytes")
        kv.set({ kv.bigint(1) }, "bigint")
        local texts = {}
        for entry in kv.list() do texts[#texts + 1] = entry.value end
        return { kv.get({ 1.0 }).value, kv.get({ 0x1 }).value, texts }
      `),
      ['number', 'number', ['bytes', 'string', 'number', 'bigint', 'boolean']],
    )
  })

  it('come back as they were written', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    assert.deepEqual(
      await plugin.run(`
        local function round(value)
          assert(kv.set({ "v" }, value))
          return assert(kv.get({ "v" })).value
        end
        assert(round("text") == "text")
        assert(round("") == "")
        assert(round("\\255\\0") == "\\255\\0")
        assert(round(kv.bytes("plain")) == "plain")
        assert(round(9007199254740993) == 9007199254740993)
        assert(round(math.mininteger) == math.mininteger)
        assert(round(2.5) == 2.5)
        assert(math.type(round(3.0)) == "integer")
        assert(round(true) == true and round(false) == false)
        assert(round(json.null) == json.null)
        assert(round(kv.u64(7)) == 7)
        assert(round(kv.u64("9223372036854775807")) == math.maxinteger)
        local huge = round(kv.u64("18446744073709551615"))
        assert(type(huge) == "table" and tostring(huge) == "18446744073709551615" and huge.value == tostring(huge))
        assert(tostring(round(huge)) == "18446744073709551615")
        assert(tostring(round(kv.bigint("-123456789012345678901234567890"))) == "-123456789012345678901234567890")
        local table = round({ list = { 1, json.null, 3 }, none = json.null, bytes = kv.bytes("\\0"), big = 2^53 })
        assert(#table.list == 3 and table.list[2] == json.null and table.none == nil)
        assert(table.bytes == "\\0" and table.big == 2^53)
        assert(json.encode(round(json.array())) == "[]" and json.encode(round({})) == "{}")
        assert(round({ ["__proto__"] = { x = 1 }, ["__type"] = "u64", value = "x" })["__type"] == "u64")
        local part = kv.list({ prefix = {} })
        kv.set({ "k", kv.bytes("\\255"), 9007199254740993 }, 1)
        for entry in kv.list({ prefix = { "k" } }) do
          assert(tostring(entry.key[2]) == "\\255" and entry.key[2].value == "\\255")
          assert(entry.key[3] == 9007199254740993)
          assert(kv.get(entry.key).value == 1)
        end
        return "done"
      `),
      ['done'],
    )
  })

  it('take the time of the write where it stands', async (t) => {
    const plugins = await KvPlugins.create(t)
    const plugin = await plugins.plugin('shop')
    assert.deepEqual(
      await plugin.json(`
        kv.set({ "now" }, { at = kv.now(), later = { kv.now():add(1000) }, earlier = kv.now(500):sub(1000) })
        return kv.get({ "now" }).value
      `),
      { at: plugins.nowMs, later: [plugins.nowMs + 1000], earlier: plugins.nowMs - 500 },
    )
    assert.match(await plugin.error('kv.now("x")'), /kv\.now: expected a whole number of milliseconds/)
    assert.match(await plugin.error('kv.now().add(1)'), /call it with a colon/)
    assert.match(await plugin.error('kv.now():add(0.5)'), /kv\.now/)
  })

  it('expire: at once, for reads, lists, counts, checks and sums', async (t) => {
    const plugins = await KvPlugins.create(t)
    const plugin = await plugins.plugin('shop')
    await plugin.run('assert(kv.set({ "s", 1 }, 5, { expires_in = 1000 }))')
    plugins.nowMs += 999
    assert.deepEqual(await plugin.run('return kv.get({ "s", 1 }).value, kv.count({ "s" })'), [5, 1])
    plugins.nowMs += 1
    assert.deepEqual(
      await plugin.json(`
        local list = {}
        for entry in kv.list({ prefix = { "s" } }) do list[#list + 1] = entry end
        local sum = kv.atomic():check({ "s", 1 }, nil):sum({ "s", 1 }, 2):commit()
        return { count = kv.count({ "s" }) - 1, list = json.array(list), sum = sum.ok, now = kv.get({ "s", 1 }).value }
      `),
      { count: 0, list: [], sum: true, now: 2 },
    )
  })

  it('refuse times to live that are none', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    for (const time of [
      '0',
      '-1',
      '0/0',
      '1.5',
      '2^53',
      '1e300',
      '"5"',
      'true',
      '{}',
      `${kvLimits.expiryMsMax + 1}`,
    ]) {
      assert.match(
        await plugin.error(`kv.set({ "a" }, 1, { expires_in = ${time} })`),
        /kv\.set: The option "expires_in" is/,
        time,
      )
    }
    assert.deepEqual(await plugin.run('return kv.get({ "a" }).value'), [undefined])
  })

  it('are refused when they are misuse, with the line of the plugin', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    const cases: readonly (readonly [string, RegExp])[] = [
      ['kv.get("users")', /kv\.get: the key must be a list of parts such as \{"users", 42\}, not a string/],
      ['kv.get()', /kv\.get: the key must be a list of parts .* not nil/],
      ['kv.get({})', /kv\.get: The key cannot be used: it is empty/],
      ['kv.get({ a = 1 })', /not a table with other keys/],
      ['kv.get({ {} })', /part 1 of the key is a table with other keys; parts are strings/],
      ['kv.get({ "a", 0/0 })', /part 2 is NaN/],
      ['kv.get({ "\\255" })', /part 1 of the key is a string that is not valid UTF-8: wrap it in kv\.bytes/],
      ['kv.get({ json.null })', /part 1 of the key is null/],
      ['kv.get({ kv.u64(1) })', /part 1 of the key is a table of kv\.u64/],
      ['kv.get({ kv.now() })', /part 1 of the key is a table of kv\.now/],
      ['kv.get({ db.eq(1) })', /a table of db\.condition cannot be stored/],
      ['kv.get({ ("x"):rep(1025) })', /1024 bytes are allowed/],
      ['local key = {} for n = 1, 21 do key[n] = n end kv.get(key)', /21 parts, and 20 are allowed/],
      ['kv.get_many({ { "a" }, "b" })', /kv\.get_many: key 2 must be a list/],
      ['kv.get_many("a")', /kv\.get_many: keys must be a list of keys/],
      ['kv.set({ "a" })', /kv\.set: the value is nil: use kv\.delete/],
      ['kv.set({ "a" }, 0/0)', /NaN is no number of JSON/],
      ['kv.set({ "a" }, { x = { 1/0 } })', /Infinity at x\[0\]/],
      ['kv.set({ "a" }, print)', /a function cannot be passed/],
      ['kv.set({ "a" }, { f = print })', /a function cannot be passed to the host at f/],
      ['local t = {} t.t = t kv.set({ "a" }, t)', /contains itself/],
      ['kv.set({ "a" }, db.eq(1))', /a table of db\.condition cannot be stored/],
      ['kv.set({ "a" }, 1, { expiresIn = 5 })', /unknown option "expiresIn"; there are expires_in/],
      ['kv.set({ "a" }, 1, "5")', /the options must be a table/],
      ['kv.set({ "a" }, 1, { 5 })', /the options must be a table/],
      ['kv.delete({ "a" }, { exact = "no" })', /the option exact must be true or false/],
      ['kv.delete({})', /it is empty/],
      ['kv.bytes(1)', /kv\.bytes: expected a string, got a number/],
      ['kv.u64(-1)', /kv\.u64: .*-1 is not from 0/],
      ['kv.u64("18446744073709551616")', /is not from 0 to 18446744073709551615/],
      ['kv.u64(1.5)', /expected an integer/],
      ['kv.bigint("1e5")', /expected an integer/],
      ['kv.bigint(("9"):rep(20000))', /expected an integer/],
    ]
    for (const [code, message] of cases) {
      const text = await plugin.error(code)
      assert.match(text, message, code)
      assert.match(text, /^shop\/test\.lua:1: /, code)
    }
  })

  it('are refused with nil and a message when they are too large or the namespace is full', async (t) => {
    const plugins = await KvPlugins.create(t, 300_000)
    const plugin = await plugins.plugin('shop')
    assert.match(
      await plugin.failure('return kv.set({ "a" }, ("x"):rep(65536))'),
      /^The value takes 65538 bytes, and 65536 are allowed/,
    )
    assert.deepEqual(
      await plugin.run(`
        local stored, message = 0, nil
        for n = 1, 100 do
          local ok, err = kv.set({ "fill", n }, ("x"):rep(60000))
          if not ok then message = err break end
          stored = n
        end
        assert(message:find("holds %d+ bytes, and 300000 are allowed"), message)
        assert(kv.count({ "fill" }) == stored)
        assert(kv.delete({ "fill", 1 }) == 1)
        assert(kv.set({ "fill", 1 }, ("x"):rep(60000)))
        return stored
      `),
      [4],
    )
  })

  it('below a key are deleted with it, and no others', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    assert.deepEqual(
      await plugin.json(
        `
        for n = 1, 250 do kv.set({ "users", n }, { even = n % 2 == 0 }) end
        for _, key in ipairs({ { "users" }, { "users2", 1 }, { "users\\0" }, { "user" }, { "Users", 1 } }) do kv.set(key, 1) end
        local filtered = kv.delete({ "users" }, { exact = false, where = { even = true } })
        local one = kv.delete({ "users", 1 }, { where = { even = true } })
        local rest = kv.delete({ "users" }, { exact = false })
        local left = kv.count()
        return { filtered, one, rest, left, kv.delete({}, { exact = false }), kv.count() }
      `,
      ),
      [125, 0, 126, 4, 4, 0],
    )
  })

  it('are told to other threads once for each commit, and not for reads', async (t) => {
    const plugins = await KvPlugins.create(t)
    const plugin = await plugins.plugin('shop')
    await plugin.run('kv.set({ "a" }, 1) kv.get({ "a" }) kv.count() kv.atomic():sum({ "b" }, 1):commit()')
    assert.equal(plugins.committed, 2)
  })
})
