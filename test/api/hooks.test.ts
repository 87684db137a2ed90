import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { HostError } from '../../src/base/errors.js'
import type { HookRow } from '../../src/content/hook-runner.js'
import type { EmbeddedHookOptions } from '../../src/plugins/hooks/embedded-hooks.js'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { until } from '../helpers/until.js'

const asVisitor = { actor: 'ann', requestId: 'r1' } satisfies EmbeddedHookOptions

/** Runs hooks; again where a machine beyond its cores gave none of them a VM in time. */
function run(host: TestHost, event: string, table: string, row: object = {}): Promise<HookRow> {
  return until(`${event} on ${table} has a VM`, async () => {
    try {
      return await host.host.hooks.run(event, table, row as HookRow, asVisitor)
    } catch (error) {
      if (error instanceof HostError && error.code === 'HOOK_UNAVAILABLE') return undefined
      throw error
    }
  })
}

/** Runs a before-hook and gives the error that it must end in. */
async function refusal(host: TestHost, event: string, table: string, row: object = {}): Promise<HostError> {
  try {
    await run(host, event, table, row)
  } catch (error) {
    assert.ok(error instanceof HostError, String(error))
    return error
  }
  assert.fail(`${event} on ${table} was allowed`)
}

/** A table that a plugin writes to from its after-hooks, and a route that shows it. */
const notebook = [
  'local function open() db.define_table("seen", { columns = { { name = "note", type = "text" } } }) end',
  'function on_init() open() end',
  'function note(text) local _, err = db.insert("seen", { note = text }); if err then error(err) end end',
  'http.handle("GET", "/seen", function()',
  '  local out = json.array({})',
  '  for _, row in ipairs(db.query("seen", { order_by = "created_at" })) do out[#out + 1] = row.note end',
  '  return { json = out }',
  'end, { public = true })',
].join('\n')

async function notes(host: TestHost, name: string): Promise<readonly string[]> {
  const answer = await host.call('GET', `/${name}/seen`)
  assert.equal(answer.status, 200, answer.text)
  return answer.json<string[]>()
}

describe('hooks ahead of a write', () => {
  const body = `
    hooks.on("before_create", "articles", function(data)
      assert(data._event == "before_create" and data._table == "articles" and data._old == nil)
      assert(data._actor == "ann" and data.missing == nil and data.tags[2] == "b" and data.n == 3)
      return { set = { title = data.title:upper(), extra = { 1, 2 }, gone = json.null } }
    end, { priority = 10 })
    hooks.on("before_create", "*", function(data)
      return { set = { order = (data.title or "?") .. "+" .. data._table } }
    end, { priority = 10.9 })
    hooks.on("before_update", "articles", function(data)
      data._old.title = "changed"
      if data.title == data._old.title then error("changed its copy only") end
      return { set = { was = data._old.n } }
    end)
    hooks.on("before_delete", "articles", function() return { deny = "articles\\nstay \\27[2J" } end)
    hooks.on("before_publish", "articles", function() error("the secret of line 17") end)
    hooks.on("before_archive", "articles", function() return { deny = true } end)
    hooks.on("before_create", "odd", function(data) return data end)
    hooks.on("before_create", "number", function(data) return 42, { deny = "no" } end)
    hooks.on("before_delete", "set", function(data) return { set = { a = 1 } } end)
    hooks.on("before_create", "db", function() return { set = { err = select(2, pcall(db.query, "seen")) } } end)
    hooks.on("before_create", "big", function() return { set = { n = 9007199254740993 } } end)
  `
  const use = useHost({ plugins: { 'a/init.lua': plugin('a', body) }, hooks: true })
  const row = { title: 'hello', missing: null, tags: ['a', 'b'], n: 3 }

  it('sees the row and changes columns of it, in order of priority', async () => {
    const changed = await use().host.hooks.run('before_create', 'articles', row, asVisitor)
    assert.deepEqual(changed, { ...row, title: 'HELLO', extra: [1, 2], gone: null, order: 'HELLO+articles' })
    const other = await use().host.hooks.run('before_create', 'other', { a: 1 }, asVisitor)
    assert.deepEqual(other, { a: 1, order: '?+other' })
  })

  it('sees the row as it was beside the row as it will be, each hook a copy of its own', async () => {
    const options = { ...asVisitor, old: { n: 7, title: 'old' } }
    const changed = await use().host.hooks.run('before_update', 'articles', { n: 8, title: 'new' }, options)
    assert.deepEqual(changed, { n: 8, title: 'new', was: 7 })
  })

  it('refuses with a message of its own, which carries no control characters', async () => {
    const error = await refusal(use(), 'before_delete', 'articles')
    assert.deepEqual([error.code, error.status], ['HOOK_VETOED', 422])
    assert.equal(error.message, 'Plugin "a" refused this: articles stay  [2J')
  })

  it('refuses by an error or without a message; nobody but the log gets the text', async () => {
    for (const event of ['before_publish', 'before_archive']) {
      const error = await refusal(use(), event, 'articles')
      assert.deepEqual([error.code, error.status], ['HOOK_VETOED', 422])
      assert.match(error.message, /"a"/)
      assert.doesNotMatch(error.message, /secret|init\.lua/)
    }
    assert.ok(
      use().lines.some((line) => line.request_id === 'r1' && /secret of line 17/.test(String(line.error))),
    )
  })

  it('ignores what says nothing, and what comes behind the first result', async () => {
    const { hooks } = use().host
    assert.deepEqual(await hooks.run('before_create', 'odd', { a: 1 }), { a: 1, order: '?+odd' })
    assert.deepEqual(await hooks.run('before_create', 'number', { a: 1 }), { a: 1, order: '?+number' })
  })

  it('has no database, and cannot set what no row can have', async () => {
    const { err } = (await use().host.hooks.run('before_create', 'db', {})) as { err: string }
    assert.match(err, /not allowed inside before-hooks/)
    assert.equal((await refusal(use(), 'before_delete', 'set')).code, 'HOOK_VETOED')
    assert.equal((await refusal(use(), 'before_create', 'big')).code, 'HOOK_VETOED')
  })

  it('is not asked about tables and events that it did not register for', async () => {
    const same = { any: 'thing' }
    assert.equal(await use().host.hooks.run('before_update', 'pages', same), same)
  })

  it('tells an application what it did wrong', async () => {
    const cases: [string, unknown, string][] = [
      ['before_read', {}, 'HOOK_EVENT_UNKNOWN'],
      ['before_insert', {}, 'HOOK_EVENT_UNKNOWN'],
      ['before_create', [], 'HOOK_ROW_INVALID'],
      ['before_create', { n: 1n }, 'HOOK_ROW_INVALID'],
      ['before_create', { text: 'x'.repeat(5 * 1024 * 1024) }, 'HOOK_ROW_TOO_LARGE'],
      ['before_create', { list: new Array(60_000).fill('","') }, 'HOOK_ROW_TOO_LARGE'],
      ['before_create', { deep: JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) }, 'HOOK_ROW_TOO_LARGE'],
    ]
    for (const [event, given, code] of cases) {
      assert.equal((await refusal(use(), event, 'articles', given as object)).code, code)
    }
    const circle: Record<string, unknown> = {}
    circle.self = circle
    assert.equal((await refusal(use(), 'before_create', 'articles', circle)).code, 'HOOK_ROW_INVALID')
    const text = { list: new Array(1000).fill('[[[","\\"[{') }
    assert.deepEqual((await use().host.hooks.run('before_create', 'other', text)).list, text.list)
  })
})

test('a host that closes refuses rows instead of leaving hooks out', async (t) => {
  const body = 'hooks.on("before_create", "x", function() return { deny = "never" } end)'
  const host = await startHost(t, { plugins: { 'a/init.lua': plugin('a', body) }, hooks: true })
  const { hooks } = host.host
  const closing = host.close()
  for (const event of ['before_create', 'after_create']) {
    await assert.rejects(hooks.run(event, 'x', {}), { code: 'PLUGINS_CLOSING', status: 503 })
  }
  await closing
  await assert.rejects(hooks.run('before_create', 'x', {}), { code: 'PLUGINS_CLOSING' })
})

test('hooks that nobody approved are not run', async (t) => {
  const body = 'hooks.on("before_create", "*", function() error("no") end)'
  const host = await startHost(t, { plugins: { 'a/init.lua': plugin('a', body) }, approve: false })
  assert.deepEqual(await host.host.hooks.run('before_create', 'x', { a: 1 }), { a: 1 })
})

test('a hook of a disabled plugin is skipped, that of a reloaded one is the new one', async (t) => {
  const init = (version: string) =>
    plugin(
      'a',
      `hooks.on("before_create", "x", function() return { set = { v = "${version}" } } end)`,
      version,
    )
  const host = await startHost(t, { plugins: { 'a/init.lua': init('1') }, hooks: true })
  const create = () => run(host, 'before_create', 'x')
  assert.deepEqual(await create(), { v: '1' })
  await host.write({ 'a/init.lua': init('2') })
  const during = Promise.all(Array.from({ length: 50 }, create))
  await host.host.plugins.reload('a', 'test')
  for (const row of await during) assert.match(String(row.v), /[12]/)
  assert.deepEqual(await create(), { v: '2' })
  await host.host.plugins.disable('a', 'test')
  assert.deepEqual(await create(), {})
})

describe('hostile hooks', () => {
  const hostile = `
    hooks.on("before_create", "spin", function() while true do end end)
    hooks.on("before_create", "catch", function() while true do pcall(function() while true do end end) end end)
    hooks.on("before_create", "bomb", function() local t = {} while true do t[#t + 1] = ("x"):rep(1e6) .. #t end end)
    hooks.on("before_create", "native", function() return string.find(("a"):rep(40), ("a*"):rep(20) .. "b") end)
    hooks.on("before_create", "huge", function() return { set = { a = ("x"):rep(2 * 1024 * 1024) } } end)
    hooks.on("before_create", "many", function() local t = {} for i = 1, 300000 do t[i] = i end return { set = { t = t } } end)
    hooks.on("before_create", "cycle", function() local t = {}; t.t = t; return { set = t } end)
    hooks.on("before_create", "proto", function() return { set = { ["__proto__"] = { admin = true } } } end)
    hooks.on("before_create", "nested", function() return { set = { a = { ["__proto__"] = { admin = true } } } } end)
    hooks.on("before_create", "under", function() return { set = { _table = "users" } } end)
    hooks.on("before_create", "list", function() return { set = { 1, 2 } } end)
    hooks.on("before_create", "text", function() return { set = "text" } end)
    hooks.on("before_create", "func", function() return { set = { f = print } } end)
    hooks.on("before_create", "bytes", function() return { set = { f = "\\255\\254" } } end)
    hooks.on("before_create", "nan", function() return { set = { f = 0 / 0 } } end)
    hooks.on("before_create", "denyf", function() return { deny = {} } end)
    hooks.on("before_create", "yield", function() coroutine.yield(1) end)
    hooks.on("before_create", "wrapped", function()
      return coroutine.wrap(function() coroutine.yield({ set = { y = 1 } }) end)()
    end)
    hooks.on("before_create", "meta", function()
      return setmetatable({}, { __index = function() while true do end end, __pairs = error })
    end)
    hooks.on("before_create", "results", function() return table.unpack({}, 1, 200) end)
    hooks.on("before_create", "error", function() error(setmetatable({}, { __tostring = function() while true do end end })) end)
    hooks.on("before_create", "late", function() hooks.on("before_create", "x", print) end)
    hooks.on("before_read", "content_data", function(data) while true do data[#data + 1] = 1 end end)
  `
  const good = `
    hooks.on("before_create", "good", function() return { set = { good = true } } end)
    http.handle("GET", "/ping", function() return { body = "pong" } end, { public = true })
  `
  const use = useHost({
    plugins: { 'bad/init.lua': plugin('bad', hostile), 'good/init.lua': plugin('good', good) },
    hooks: true,
    config: { plugin_hook_timeout_ms: 300, plugin_hook_event_timeout_ms: 600 },
  })
  const refused = [
    ...[
      'spin',
      'catch',
      'bomb',
      'native',
      'huge',
      'many',
      'cycle',
      'proto',
      'nested',
      'under',
      'list',
      'text',
    ],
    ...['func', 'bytes', 'nan', 'denyf', 'yield', 'error', 'late'],
  ]
  for (const name of refused) {
    it(`are stopped: ${name}`, async () => {
      // Beside each attack, the others are served.
      const beside = Promise.all([
        until('a good request is served', async () => (await use().call('GET', '/good/ping')).status === 200),
        run(use(), 'before_create', 'good'),
      ])
      const error = await refusal(use(), 'before_create', name)
      assert.equal(error.code, 'HOOK_VETOED', error.message)
      assert.doesNotMatch(error.message, /init\.lua|:\d/)
      const [, row] = await beside
      assert.deepEqual(row, { good: true })
    })
  }

  it('are harmless when they only look so', async () => {
    assert.deepEqual(await run(use(), 'before_create', 'wrapped'), { y: 1 })
    assert.deepEqual(await run(use(), 'before_create', 'meta', { a: 1 }), { a: 1 })
    assert.deepEqual(await run(use(), 'before_create', 'results', { a: 1 }), { a: 1 })
    assert.equal(({} as { admin?: boolean }).admin, undefined)
  })
})

test('a plugin with too many hooks, or wrong ones, does not load, and says why', async (t) => {
  const wrong: Readonly<Record<string, readonly [string, RegExp]>> = {
    many: ['for i = 1, 51 do hooks.on("before_create", "t" .. i, print) end', /maximum hook limit.*50/],
    event: [
      'hooks.on("before_insert", "t", print)',
      /invalid hook event "before_insert": use one of before_create/,
    ],
    every: ['hooks.on("before_read", "*", print)', /"\*" is not allowed for read hooks/],
    empty: ['hooks.on("before_create", "", print)', /must not be empty/],
    long: ['hooks.on("before_create", ("t"):rep(129), print)', /invalid hook table.*128/],
    line: ['hooks.on("before_create", "a\\nb", print)', /invalid hook table/],
    handler: ['hooks.on("before_create", "t", "print")', /function expected/],
    init: ['function on_init() hooks.on("before_create", "t", print) end', /module scope/],
  }
  const plugins = Object.entries(wrong).map(([name, [body]]) => [`${name}/init.lua`, plugin(name, body)])
  const fifty = plugin('fifty', 'for i = 1, 50 do hooks.on("before_create", "t" .. i, print) end')
  const host = await startHost(t, { plugins: { ...Object.fromEntries(plugins), 'fifty/init.lua': fifty } })
  for (const [name, [, reason]] of Object.entries(wrong)) {
    assert.match(host.host.plugins.get(name)?.failed_reason ?? 'it runs', reason)
  }
  assert.equal(host.host.plugins.get('fifty')?.state, 'running')
})

describe('the breaker of a hook', () => {
  const body = `
    hooks.on("before_create", "*", function(data)
      if data.ok then return end
      if data.no then return { deny = "no" } end
      error("broken")
    end)
  `

  it('switches a hook for every table off after errors in a row, and an admin switches it on', async (t) => {
    const host = await startHost(t, {
      plugins: { 'a/init.lua': plugin('a', body) },
      hooks: true,
      config: { plugin_hook_max_consecutive_aborts: 3 },
    })
    const create = (table: string, row: object) => run(host, 'before_create', table, row)
    for (const table of ['a', 'b']) await assert.rejects(create(table, {}))
    await create('c', { ok: true })
    // A refusal on purpose is a success of the hook.
    for (let count = 0; count < 5; count += 1)
      await assert.rejects(create('d', { no: true }), /refused this: no/)
    for (const table of ['a', 'b', 'c']) await assert.rejects(create(table, {}))
    assert.deepEqual(await create('d', { x: 1 }), { x: 1 })
    const hook = { plugin: 'a', event: 'before_create', table: '*' }
    const listing = { breakers: [{ ...hook, state: 'open', failures: 3 }] }
    assert.deepEqual(await host.admin('GET', '/hooks/breakers'), listing)
    assert.equal(host.host.plugins.get('a')?.circuit_breaker_state, 'closed')
    await host.admin('POST', '/hooks/breakers/reset', { json: { ...hook, table: 'd' }, status: 404 })
    await host.admin('POST', '/hooks/breakers/reset', { json: hook })
    await assert.rejects(create('d', {}), { code: 'HOOK_VETOED' })
    for (let count = 0; count < 2; count += 1) await assert.rejects(create('d', {}))
    assert.deepEqual(await create('d', {}), {})
    await host.host.plugins.reload('a', 'test')
    await assert.rejects(create('d', {}), { code: 'HOOK_VETOED' })
  })

  it('does not count a hook that found no VM', async (t) => {
    const slow = `
      hooks.on("before_create", "slow", function()
        local n = 0
        while n < 1e9 do n = n + 1 end
      end)
      hooks.on("before_create", "quick", function() return { set = { ran = true } } end)
    `
    const host = await startHost(t, {
      plugins: { 'a/init.lua': plugin('a', slow) },
      hooks: true,
      config: { plugin_max_vms: 1, plugin_hook_timeout_ms: 1500, plugin_hook_max_consecutive_aborts: 2 },
    })
    const held = assert.rejects(host.host.hooks.run('before_create', 'slow', {}), { code: 'HOOK_VETOED' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    const starved = await Promise.allSettled(
      Array.from({ length: 3 }, () => host.host.hooks.run('before_create', 'quick', {})),
    )
    for (const each of starved) {
      assert.equal(each.status, 'rejected')
      assert.deepEqual([each.reason.code, each.reason.status], ['HOOK_UNAVAILABLE', 503])
      assert.equal(each.reason.retryAfterSeconds, 1)
    }
    await held
    const row = await until('a VM is there again', () =>
      host.host.hooks.run('before_create', 'quick', {}).catch(() => undefined),
    )
    assert.deepEqual(row, { ran: true })
  })
})

describe('hooks after a write', () => {
  it('run with the database, once for each handler, with the row and its request', async (t) => {
    const body = `${notebook}
      hooks.on("after_update", "articles", function(data)
        note(table.concat({ data._event, data._table, data.title, data._old.title, data._actor, data._attempt }, " "))
      end)
      hooks.on("after_update", "articles", function(data) note("second " .. type(data._delivery)) end)
      hooks.on("after_update", "*", function(data) note("every " .. data._table) end)
    `
    const host = await startHost(t, { plugins: { 'a/init.lua': plugin('a', body) }, hooks: true })
    const row = { title: 'new' }
    const options = { ...asVisitor, old: { title: 'old' } }
    assert.equal(await host.host.hooks.run('after_update', 'articles', row, options), row)
    await until('three hooks have run', async () => (await notes(host, 'a')).length === 3)
    assert.deepEqual([...(await notes(host, 'a'))].sort(), [
      'after_update articles new old ann 1',
      'every articles',
      'second string',
    ])
    await until(
      'nothing is owed',
      async () => (await host.admin<{ deliveries: [] }>('GET', '/hooks/deliveries')).deliveries.length === 0,
    )
  })

  it('are tried again after an error, and given up for an operator after too many', async (t) => {
    const body = `${notebook}
      hooks.on("after_create", "flaky", function(data)
        if data._attempt < 2 then error("not yet") end
        note("made at " .. data._attempt)
      end)
      hooks.on("after_create", "greedy", function(data)
        for i = 1, 200 do db.count("seen") end
      end)
    `
    const host = await startHost(t, { plugins: { 'a/init.lua': plugin('a', body) }, hooks: true })
    await host.host.hooks.run('after_create', 'flaky', {})
    await until('it was made', async () => (await notes(host, 'a')).includes('made at 2'))
    await host.host.hooks.run('after_create', 'greedy', {})
    interface Page {
      deliveries: { id: string; state: string; error: string; attempts: number; table: string }[]
    }
    const owed = await until('it has failed once', async () => {
      const { deliveries } = await host.admin<Page>('GET', '/hooks/deliveries?state=pending&plugin=a')
      return deliveries.find(({ attempts, table }) => table === 'greedy' && attempts > 0)
    })
    assert.match(owed.error, /operation|ops/i)
    await host.admin('POST', `/hooks/deliveries/${owed.id}/retry`)
    await host.admin('GET', '/hooks/deliveries?state=lost', { status: 400 })
    await host.admin('POST', '/hooks/deliveries/999999/retry', { status: 404 })
    await until('it is discarded', async () => {
      const answer = await host.send('DELETE', `/api/v1/admin/plugins/hooks/deliveries/${owed.id}`, {
        headers: host.credentials,
      })
      return answer.status === 200
    })
    const { deliveries } = await host.admin<Page>('GET', '/hooks/deliveries')
    assert.deepEqual(deliveries, [])
  })

  it('wait for a plugin that is disabled, over a restart', async (t) => {
    const body = `${notebook}
      hooks.on("after_create", "x", function(data) if data.fail and data._attempt == 1 then error("later") end note(data.name) end)
    `
    const host = await startHost(t, { plugins: { 'a/init.lua': plugin('a', body) }, hooks: true })
    await host.host.hooks.run('after_create', 'x', { name: 'one', fail: true })
    await until('it has failed', () => host.lines.some(({ msg }) => msg.includes('is tried again')))
    await host.host.plugins.disable('a', 'test')
    // Nobody is told of what is written while the plugin does not run.
    await host.host.hooks.run('after_create', 'x', { name: 'two' })
    await host.restart()
    const { deliveries } = await host.admin<{ deliveries: unknown[] }>('GET', '/hooks/deliveries')
    assert.equal(deliveries.length, 1)
    await host.host.plugins.enable('a', 'test')
    await host.approveAll()
    await until('it is made', async () => (await notes(host, 'a')).includes('one'))
    assert.deepEqual(await notes(host, 'a'), ['one'])
  })

  it('of a slow plugin hold up neither its routes nor other plugins', async (t) => {
    const slow = `${notebook}
      hooks.on("after_create", "x", function() while true do end end)
    `
    const quick = `${notebook}
      hooks.on("after_create", "x", function(data) note(tostring(data.n)) end)
    `
    const host = await startHost(t, {
      plugins: { 'slow/init.lua': plugin('slow', slow), 'quick/init.lua': plugin('quick', quick) },
      hooks: true,
      config: { plugin_timeout: 1, plugin_hook_max_concurrent_after: 3 },
    })
    await Promise.all(Array.from({ length: 20 }, (_, n) => host.host.hooks.run('after_create', 'x', { n })))
    // A machine that is busy beyond its cores may let a single request wait too long.
    const seen = await until('the quick one is through', async () => {
      const answer = await host.call('GET', '/quick/seen')
      return answer.status === 200 && answer.json<string[]>().length >= 20
        ? answer.json<string[]>()
        : undefined
    })
    assert.equal(new Set(seen).size, 20)
    const { deliveries } = await host.admin<{ deliveries: { plugin: string }[] }>('GET', '/hooks/deliveries')
    assert.deepEqual([...new Set(deliveries.map((delivery) => delivery.plugin))], ['slow'])
  })
})
