import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { plugin, startHost, useHost } from '../helpers/create-host.js'
import { asVisitor, refusalOf, runHooks } from '../helpers/embedded-hooks.js'
import { install } from '../helpers/installed-plugins.js'

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
    const error = await refusalOf(use(), 'before_delete', 'articles')
    assert.deepEqual([error.code, error.status], ['HOOK_VETOED', 422])
    assert.equal(error.message, 'Plugin "a" refused this: articles stay  [2J')
  })

  it('refuses by an error or without a message; nobody but the log gets the text', async () => {
    for (const event of ['before_publish', 'before_archive']) {
      const error = await refusalOf(use(), event, 'articles')
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
    assert.equal((await refusalOf(use(), 'before_delete', 'set')).code, 'HOOK_VETOED')
    assert.equal((await refusalOf(use(), 'before_create', 'big')).code, 'HOOK_VETOED')
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
      assert.equal((await refusalOf(use(), event, 'articles', given as object)).code, code)
    }
    const circle: Record<string, unknown> = {}
    circle.self = circle
    assert.equal((await refusalOf(use(), 'before_create', 'articles', circle)).code, 'HOOK_ROW_INVALID')
    const text = { list: new Array(1000).fill('[[[","\\"[{') }
    assert.deepEqual((await use().host.hooks.run('before_create', 'other', text)).list, text.list)
  })

  it('is skipped when its plugin is disabled, and is the new one when it is reloaded', async (t) => {
    const init = (version: string) =>
      plugin(
        'swap',
        `hooks.on("before_update", "x", function() return { set = { v = "${version}" } } end)`,
        version,
      )
    const host = use()
    await install(t, host, { 'swap/init.lua': init('1') })
    const create = () => runHooks(host, 'before_update', 'x')
    assert.deepEqual(await create(), { v: '1' })
    await host.write({ 'swap/init.lua': init('2') })
    const during = Promise.all(Array.from({ length: 50 }, create))
    await host.host.plugins.reload('swap', 'test')
    for (const row of await during) assert.match(String(row.v), /[12]/)
    assert.deepEqual(await create(), { v: '2' })
    await host.host.plugins.disable('swap', 'test')
    assert.deepEqual(await create(), {})
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
