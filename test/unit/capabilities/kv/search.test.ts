import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KvPlugins } from '../../../helpers/kv-plugins.js'

describe('kv: search', () => {
  it('finds entries of an index, best first, with filters and marks', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('blog')
    assert.deepEqual(
      await plugin.json(`
        local made = { kv.create_index({ "posts" }, { fields = { "title", "body" } }),
          kv.create_index({ "posts" }, { fields = { "title", "body" } }) }
        kv.set({ "posts", 1 }, { title = "Cats", body = "cats and cats and dogs", draft = false })
        kv.set({ "posts", 2 }, { title = "Dogs", body = "about dogs, and one cat", draft = true })
        kv.set({ "posts", 3 }, { title = "Birds", body = "birds" })
        local function keys(...)
          local found = {}
          for at, hit in ipairs(assert(kv.search({ "posts" }, ...))) do found[at] = hit.key[2] end
          return json.array(found)
        end
        local hit = kv.search({ "posts" }, "cats", { highlight = { open = "<b>", close = "</b>" } })[1]
        return { made, keys("dogs"), keys("dogs", { where = { draft = true } }), keys("cat*", { limit = 1 }), keys("fish"),
          hit.highlights, type(hit.score), hit.value.title, kv.indexes(), kv.remove_index({ "posts" }),
          kv.remove_index({ "posts" }), kv.indexes() }
      `),
      [
        [true, false],
        [2, 1],
        [2],
        [1],
        [],
        { title: '<b>Cats</b>', body: '<b>cats</b> and <b>cats</b> and dogs' },
        'number',
        'Cats',
        [{ prefix: ['posts'], fields: ['title', 'body'], tokenize: 'unicode61', is_complete: false }],
        true,
        false,
        [],
      ],
    )
  })

  it('gives nil and a message for what a reader types, and raises for misuse', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('blog')
    assert.match(await plugin.failure('return kv.search({ "posts" }, "x")'), /index/)
    await plugin.run('kv.create_index({ "posts" }, { fields = { "title" } })')
    assert.match(await plugin.failure('return kv.search({ "posts" }, "-x")'), /Add a word that must be/)
    for (const [code, message] of [
      ['kv.search({ "posts" }, 5)', /the query must be a string/],
      ['kv.search({ "posts" }, "x", { limit = 0 })', /kv\.search: /],
      ['kv.search({ "posts" }, "x", { mark = 1 })', /unknown option "mark"/],
      ['kv.search({ "posts" }, "x", { highlight = 5 })', /the options must be a table/],
      ['kv.search({ "posts" }, "x", { highlight = { open = 5, close = "" } })', /kv\.search: /],
      ['kv.create_index({ "posts" })', /kv\.create_index: /],
      ['kv.create_index({ "posts" }, { fields = {} })', /it has no fields/],
      ['kv.create_index({ "posts" }, { fields = { 5 } })', /field 1 is not a text/],
      ['kv.create_index({ "posts" }, { fields = { "a" }, tokenize = "x" })', /there is no tokenizer "x"/],
      ['kv.create_index({ "posts" }, { fields = { "a" }, tokenize = {} })', /there is no tokenizer/],
      ['kv.remove_index("posts")', /the prefix must be a list/],
    ] as const) {
      const text = await plugin.error(code)
      assert.match(text, message, code)
      assert.match(text, /^blog\/test\.lua:1: /, code)
    }
  })

  it('is undone with db.transaction', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('blog')
    assert.deepEqual(
      await plugin.json(`
        db.transaction(function()
          assert(kv.create_index({ "posts" }, { fields = { "title" } }))
          kv.set({ "posts", 1 }, { title = "gone" })
          error("undo")
        end)
        assert(kv.create_index({ "posts" }, { fields = { "title" } }))
        kv.set({ "posts", 2 }, { title = "kept" })
        return { #kv.search({ "posts" }, "gone"), #kv.search({ "posts" }, "kept") }
      `),
      [0, 1],
    )
  })

  it('costs ten operations', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('blog')
    await plugin.run('kv.create_index({}, { fields = { "" } })', { operationsMax: 10 })
    await plugin.run('kv.search({}, "x")', { operationsMax: 10 })
    assert.match(await plugin.error('kv.search({}, "x")', { operationsMax: 9 }), /exceeded maximum/)
  })
})
