import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LuaFactory } from 'wasmoon'
import { luaText } from '../../../cli/templates/lua-text.js'
import { pluginFiles } from '../../../cli/templates/plugin-files.js'

const manifest = {
  name: 'guest_book',
  version: '0.1.0',
  description: 'Says "hi" \\ ]] --\nand\u0000 more',
  author: '',
  license: 'MIT',
}

/** Runs one Lua chunk in a fresh engine; it may only return a text. */
async function runLua(chunk: string): Promise<string> {
  const engine = await new LuaFactory().createEngine()
  try {
    return String(await engine.doString(chunk))
  } finally {
    engine.global.close()
  }
}

function fileOf(path: string): string {
  const text = pluginFiles(manifest, 'http://127.0.0.1:8080').get(path)
  assert.ok(text, path)
  return text
}

test('a Lua text literal means exactly the text that it was made of', async () => {
  const texts = fc.sample(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\r', '\0', '7', '\u0085', ']') }),
    ),
    200,
  )
  const checks = texts.map((text) => {
    // A lone surrogate has no UTF-8 form; what reaches a file is its replacement.
    const hex = Buffer.from(text).toString('hex')
    const literal = luaText(Buffer.from(text).toString())
    assert.ok(!literal.includes('\n'))
    return `check(${literal}, "${hex}")`
  })
  const chunk = `
    local wrong = {}
    local function check(text, hex)
      local got = text:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
      if got ~= hex then wrong[#wrong + 1] = hex .. " became " .. got end
    end
    ${checks.join('\n')}
    return table.concat(wrong, "; ")`
  assert.equal(await runLua(chunk), '')
})

test('every Lua file of a made plugin compiles', async () => {
  for (const [path, text] of pluginFiles(manifest, 'http://127.0.0.1:8080')) {
    if (!path.endsWith('.lua')) continue
    assert.equal(
      await runLua(`local _, err = load(${luaText(text)}, "@${path}", "t") return err or "ok"`),
      'ok',
      path,
    )
  }
})

test('the made plugin defines its table, keeps a note, lists it and refuses what is no note', async () => {
  const answer = await runLua(`
    local routes, tables, rows = {}, {}, {}
    local env = {
      type = type, error = error,
      http = { handle = function(m, p, fn, o) routes[m .. " " .. p] = { fn = fn, public = (o or {}).public or false } end },
      db = {
        define_table = function(name, def) tables[name] = def end,
        query = function(name) assert(tables[name]) return rows end,
        insert = function(name, row) assert(tables[name]) rows[#rows + 1] = row end,
        ulid = function() return "01" end,
      },
      log = { info = function() end },
    }
    env.require = function(name)
      assert(name == "note")
      return assert(load(${luaText(fileOf('lib/note.lua'))}, "@lib/note.lua", "t", env))()
    end
    assert(load(${luaText(fileOf('init.lua'))}, "@init.lua", "t", env))()
    assert(env.plugin_info.name == "guest_book" and env.plugin_info.author == nil)
    assert(env.plugin_info.description == ${luaText(manifest.description)})
    env.on_init()
    local get, post = routes["GET /notes"], routes["POST /notes"]
    assert(get.public and not post.public)
    for _, body in ipairs({ {}, { text = " " }, { text = 7 }, { text = ("x"):rep(501) } }) do
      assert(post.fn({ json = body }).status == 400)
    end
    assert(post.fn({}).status == 400 and post.fn({ json = "text" }).status == 400)
    assert(#get.fn({}).json.notes == 0)
    local created = post.fn({ json = { text = " milk " } })
    assert(created.status == 201 and created.json.text == "milk")
    assert(get.fn({}).json.notes[1].text == "milk")
    return "works"`)
  assert.equal(answer, 'works')
})

test('the settings for the editor forbid what the sandbox does not have', () => {
  const settings = JSON.parse(fileOf('.luarc.json'))
  assert.equal(settings['runtime.version'], 'Lua 5.4')
  assert.deepEqual(settings['runtime.builtin'], {
    io: 'disable',
    os: 'disable',
    debug: 'disable',
    package: 'disable',
  })
})
