import { luaText } from './lua-text.js'

/** What the manifest of a plugin that is made says. */
export interface PluginManifestTexts {
  readonly name: string
  readonly version: string
  readonly description: string
  /** Empty when nobody is named. */
  readonly author: string
  readonly license: string
}

/**
 * Gives the files of a plugin that works as it is, by their path in its folder.
 *
 * @param url Address of the server, for the examples in the texts.
 */
export function pluginFiles(manifest: PluginManifestTexts, url: string): ReadonlyMap<string, string> {
  return new Map([
    ['init.lua', initLua(manifest)],
    ['lib/note.lua', noteLua],
    [`test/${manifest.name}.test.lua`, testLua(manifest.name)],
    ['.luarc.json', luarcJson],
    ['README.md', readme(manifest, url)],
  ])
}

function initLua({ name, version, description, author, license }: PluginManifestTexts): string {
  const optional = [
    ...(author === '' ? [] : [`  author = ${luaText(author)},\n`]),
    ...(license === '' ? [] : [`  license = ${luaText(license)},\n`]),
  ].join('')
  return `plugin_info = {
  name = ${luaText(name)},
  version = ${luaText(version)},
  description = ${luaText(description)},
${optional}}

local note = require("note")

-- Routes are registered while this file runs. Each answers below /api/v1/plugins/${name}, and only after an admin
-- has approved it. A public route answers anyone; without the option, callers need a credential.
http.handle("GET", "/notes", function(req)
  local rows, err = db.query("notes", { order_by = "created_at", desc = true, limit = 50 })
  if err then error(err) end
  return { json = { notes = rows } }
end, { public = true })

http.handle("POST", "/notes", function(req)
  local text, problem = note.read_text(req.json)
  if not text then
    return { status = 400, json = { error = problem } }
  end

  local row = { id = db.ulid(), text = text }
  local _, err = db.insert("notes", row)
  if err then error(err) end
  log.info("note kept", { id = row.id })
  return { status = 201, json = row }
end)

-- Runs once each time the plugin is loaded. The columns id, created_at and updated_at come by themselves.
function on_init()
  db.define_table("notes", {
    columns = {
      { name = "text", type = "text", not_null = true },
    },
  })
end
`
}

const noteLua = `-- What a note may look like. Files in lib/ are modules: require("note") gives the table at the end.
local note = {}

local text_bytes_max = 500

--- Reads the text of a new note from the decoded JSON body of a request.
---@param body any nil when the request had no JSON body
---@return string? text
---@return string? problem why there is no text
function note.read_text(body)
  if type(body) ~= "table" or type(body.text) ~= "string" then
    return nil, 'send a JSON object with a string "text"'
  end
  local text = body.text:match("^%s*(.-)%s*$")
  if text == "" then
    return nil, "text is empty"
  end
  if #text > text_bytes_max then
    return nil, "text has " .. #text .. " bytes; the limit is " .. text_bytes_max
  end
  return text
end

return note
`

function testLua(name: string): string {
  return `-- Each test has a database of its own; requests go through the real routes. Run them with: modulacms plugin test ${name}
local notes = "/api/v1/plugins/${name}/notes"

function test_a_note_is_kept_and_listed()
  local created = test.request("POST", notes, { body = json.encode({ text = " milk " }) })
  test.assert_eq(201, created.status)
  test.assert_eq("milk", created.json.text)

  local listed = test.request("GET", notes, { auth = "none" })
  test.assert_eq(200, listed.status)
  test.assert_eq(1, #listed.json.notes)
  test.assert_eq("milk", listed.json.notes[1].text)
end

function test_a_note_needs_a_text()
  for _, body in ipairs({ {}, { text = "  " }, { text = 7 }, { text = ("x"):rep(501) } }) do
    local refused = test.request("POST", notes, { body = json.encode(body) })
    test.assert_eq(400, refused.status)
  end
  test.assert_eq(0, #test.request("GET", notes).json.notes)
end

function test_strangers_cannot_write()
  local refused = test.request("POST", notes, { auth = "none", body = json.encode({ text = "spam" }) })
  test.assert_eq(401, refused.status)
end
`
}

const luarcJson = `${JSON.stringify(
  {
    $schema: 'https://raw.githubusercontent.com/LuaLS/vscode-lua/master/setting/schema.json',
    'runtime.version': 'Lua 5.4',
    'runtime.path': ['lib/?.lua'],
    'runtime.pathStrict': true,
    'runtime.builtin': { io: 'disable', os: 'disable', debug: 'disable', package: 'disable' },
    'workspace.library': ['.luals'],
    'workspace.checkThirdParty': false,
    'diagnostics.globals': ['plugin_info', 'on_init', 'on_shutdown', 'test'],
    'diagnostics.disable': ['lowercase-global'],
  },
  null,
  2,
)}
`

function readme({ name, description }: PluginManifestTexts, url: string): string {
  const base = `${url}/api/v1/plugins/${name}`
  return `# ${name}

${description}

| file | what it is |
|---|---|
| \`init.lua\` | the manifest, the routes, and the table they use |
| \`lib/\` | modules for \`require\` |
| \`test/\` | tests |
| \`.luarc.json\`, \`.luals/\` | let an editor complete and check the host's modules |

## Run it

\`\`\`sh
modulacms plugin validate ${name}
modulacms plugin test ${name}
modulacms serve                              # or, when the server runs: modulacms plugin reload ${name}
modulacms plugin approve ${name} --all-routes
\`\`\`

## Use it

\`\`\`sh
curl ${base}/notes
curl ${base}/notes \\
  -H "Authorization: Bearer $(cat data/admin-token)" \\
  -H "Content-Type: application/json" -d '{"text": "buy milk"}'
\`\`\`
`
}
