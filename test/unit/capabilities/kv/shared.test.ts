import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KvPlugins } from '../../../helpers/kv-plugins.js'

describe('kv: namespaces', () => {
  it('of plugins are their own', async (t) => {
    const plugins = await KvPlugins.create(t)
    const [one, other] = [await plugins.plugin('one'), await plugins.plugin('one_two')]
    await one.run('kv.set({ "a" }, "one")')
    await other.run('kv.set({ "b" }, "other")')
    assert.deepEqual(await one.run('return kv.count(), kv.get({ "b" }).value'), [1, undefined])
    assert.deepEqual(await other.run('return kv.delete({}, { exact = false }), kv.count()'), [1, 0])
    assert.deepEqual(await one.run('return kv.get({ "a" }).value'), ['one'])
  })

  it('that are shared need an approval for each access, looked up at each call', async (t) => {
    const plugins = await KvPlugins.create(t)
    const [reader, writer, stranger] = [
      await plugins.plugin('reader', { init: 'news = kv.shared("news")' }),
      await plugins.plugin('writer', { init: 'news = kv.shared("news")' }),
      await plugins.plugin('stranger', { init: 'news = kv.shared("news")' }),
    ]
    plugins.approve('reader', 'news:read', 'other:write')
    plugins.approve('writer', 'news:write')
    await writer.run('assert(news.set({ "a" }, 1)) assert(news.atomic():sum({ "a" }, 1):commit())')
    assert.deepEqual(
      await reader.json(`
        local keys = {}
        for entry in news.list({ prefix = {} }) do keys[#keys + 1] = entry.key[1] end
        return { news.get({ "a" }).value, news.count(), keys, #news.paginate().entries, #news.get_many({ { "a" } }), kv.count() }
      `),
      [2, 1, ['a'], 1, 1, 0],
    )
    const needsRead =
      /^read access to the shared namespace "news" is not approved; .* modulacms plugin approve writer --kv news:read$/
    for (const code of [
      'return news.get({ "a" })',
      'return news.count()',
      'return news.paginate()',
      'return news.queue_stats()',
      'return news.search({}, "x")',
      'return news.delete({ "a" }, { where = { x = 1 } })',
      'return news.atomic():check({ "a" }, nil):set({ "b" }, 1):commit()',
      'return news.transaction(function(tx) assert(tx:get({ "a" }) == nil) tx:check() end)',
    ].slice(0, -1)) {
      assert.match(await writer.failure(code), needsRead, code)
    }
    for (const code of [
      'return news.set({ "a" }, 1)',
      'return news.delete({ "a" })',
      'return news.atomic():set({ "a" }, 1):commit()',
      'return news.enqueue(1)',
      'return news.requeue("1")',
      'return news.create_index({}, { fields = { "" } })',
      'return news.transaction(function(tx) tx:set({ "a" }, 1) end)',
    ]) {
      assert.match(await reader.failure(code), /^write access .* --kv news:write$/, code)
    }
    assert.match(await stranger.failure('return news.get({ "a" })'), /--kv news:read$/)
    assert.match(
      await stranger.failure('return news.delete({}, { exact = false, where = { a = 1 } })'),
      /^read and write access .* --kv news:read --kv news:write$/,
    )
    assert.match(await stranger.error('for _ in news.list() do end'), /kv\.list: read access to the shared/)
    plugins.connection().prepare('update plugin_grants set approved = 0').run()
    assert.match(await reader.failure('return news.get({ "a" })'), /not approved/)
  })

  it('cannot be named otherwise', async (t) => {
    const plugins = await KvPlugins.create(t)
    const victim = await plugins.plugin('victim')
    await victim.run('kv.set({ "secret" }, 1)')
    const plugin = await plugins.plugin('shop')
    plugins.approve('shop', 'plugin:victim:read', 'victim:read', '../victim:read')
    for (const name of [
      'plugin:victim',
      'shared:news',
      '',
      '../victim',
      'News',
      'a b',
      'x\\0',
      'x\\"]]',
      'é',
    ]) {
      assert.match(
        await plugin.error(`kv.shared("${name}")`),
        /kv\.shared: ".*" is not the name of a namespace/,
        name,
      )
    }
    assert.match(await plugin.error('kv.shared(5)'), /kv\.shared: the name must be a string, not a number/)
    assert.match(await plugin.error('kv.shared(("a"):rep(64))'), /is not the name of a namespace/)
    assert.deepEqual(await plugin.run('return kv.shared("victim").count()'), [0])
    // Arguments beyond those that a function has reach nothing.
    assert.deepEqual(
      await plugin.run(
        'return kv.get({ "secret" }, "plugin:victim", "plugin:victim").value, kv.shared("victim").get({ "secret" }, "x").value',
      ),
      [undefined, undefined],
    )
    assert.deepEqual(
      await plugin.json(`
        local names = {}
        for _, name in ipairs({ "_page", "_commit", "_shared_get", "_shared_page", "_name" }) do
          names[#names + 1] = kv[name] == nil and kv.shared("victim")[name] == nil
        end
        return names
      `),
      [true, true, true, true, true],
    )
    assert.match(await plugin.error('kv.get = print'), /cannot modify frozen module/)
    assert.match(await plugin.error('kv.shared("a").get = print'), /cannot modify frozen module/)
  })

  it('are refused at module scope and in before-hooks, and make handles there', async (t) => {
    const plugins = await KvPlugins.create(t)
    const { loaded } = await plugins.load('shop', { init: 'kv.set({ "a" }, 1)' })
    assert.match(
      loaded.ok ? '' : loaded.message,
      /kv\.set is not allowed at module scope; call it in on_init/,
    )
    const lists = await plugins.load('shop', { init: 'for _ in kv.list() do end' })
    assert.match(lists.loaded.ok ? '' : lists.loaded.message, /kv\.list is not allowed at module scope/)
    const plugin = await plugins.plugin('shop', {
      init: 'news = kv.shared("news") pending = kv.atomic():set({ "a" }, kv.now())',
    })
    for (const code of [
      'kv.get({ "a" })',
      'kv.set({ "a" }, 1)',
      'kv.enqueue(1)',
      'kv.search({}, "x")',
      'pending:commit()',
    ]) {
      assert.match(
        await plugin.error(code, { phase: 'before_hook' }),
        /is not allowed inside before-hooks/,
        code,
      )
    }
    assert.deepEqual(await plugin.run('return pending:commit().ok, kv.count()', { phase: 'message' }), [
      true,
      1,
    ])
  })
})
