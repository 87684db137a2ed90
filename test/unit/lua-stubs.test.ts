import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { before, test } from 'node:test'
import { artefacts } from '../../scripts/artefacts.js'
import {
  absentGlobals,
  globalFunctions,
  libraryDocs,
  plainGlobals,
} from '../../scripts/generators/environment-docs.js'
import { moduleStub } from '../../scripts/generators/lua-stub.js'
import { vmLimits } from '../../src/base/limits/sandbox.js'
import { createCapabilities } from '../../src/capabilities/registry.js'
import { RawLua } from '../helpers/raw-lua.js'

// This file runs as dist/test/unit/lua-stubs.test.js.
const prelude = new URL('../../../src/sandbox/prelude/', import.meta.url)

/** Builds the environment of plugins without the modules of the host. */
const buildWorld = `
local limits = { stringBytesMax = ${vmLimits.stringBytesMax}, tableElementsMax = 1000, patternStepsMax = 1000 }
local function names(list)
  local found = {}
  for key in next, list do found[#found + 1] = key end
  table_sort(found)
  return table_concat(found, ' ')
end
table_sort, table_concat, members_of = table.sort, table.concat, debug.getmetatable
world = core(function() return 1, 2 end, {}, libraries, limits)
globals = members_of(world.environment).__index
global_names = function() return names(globals) end
library_names = function(name) return names(members_of(globals[name]).__index) end
`

let lua: RawLua

before(async () => {
  lua = await RawLua.create()
  lua.run('libraries = {}')
  for (const name of ['pattern', 'matcher', 'string', 'table', 'math', 'utf8']) {
    const source = await readFile(new URL(`${name}.lua`, prelude), 'utf8')
    lua.run(`libraries.${name} = (function() ${source}\nend)()`, name)
  }
  lua.run(`function core(...) ${await readFile(new URL('core.lua', prelude), 'utf8')}\nend`, 'core')
  lua.run(buildWorld)
})

const sorted = (names: readonly string[]) => [...names].sort().join(' ')

test('the documented globals are those that plugins have', () => {
  const documented = [
    ...plainGlobals,
    ...globalFunctions.map(({ name }) => name),
    ...libraryDocs.map(({ name }) => name),
  ]
  assert.equal(sorted(lua.run('return global_names()').split(' ')), sorted(documented))
})

test('the names that are documented as absent are absent', () => {
  for (const name of absentGlobals) assert.equal(lua.run(`return tostring(globals.${name})`), 'nil', name)
})

for (const { name, members } of libraryDocs) {
  test(`the documented members of ${name} are those that plugins have`, () => {
    assert.equal(sorted(lua.run(`return library_names('${name}')`).split(' ')), sorted(members))
  })
}

test('every stub is Lua and begins as a meta file', async () => {
  const stubs = artefacts.filter(({ path }) => path.startsWith('sdk/lua/'))
  assert.deepEqual(
    sorted(stubs.map(({ path }) => path.slice('sdk/lua/'.length))),
    'auth.lua config.lua core.lua crypto.lua db.lua gateway.lua globals.lua hooks.lua http.lua json.lua kv.lua log.lua metrics.lua request.lua secrets.lua test.lua',
  )
  for (const { path, content } of stubs) {
    const text = await content()
    assert.ok(text.startsWith('---@meta\n'), path)
    assert.equal(lua.syntaxError(text, path), undefined)
  }
})

test('a stub defines every visible function once and no hidden one', async () => {
  const [db] = createCapabilities()
  assert.ok(db)
  const stub = moduleStub(db)
  assert.equal(stub.split('\nfunction db.query(table, options) end').length, 2)
  assert.match(stub, /\nfunction db[.]transaction\(fn\) end\n/)
  assert.doesNotMatch(stub, /_begin|_commit|_rollback/)
})

test('optional and further arguments are marked as LuaLS wants them', () => {
  const stub = createCapabilities().map(moduleStub).join('\n')
  assert.match(stub, /---@param options[?] db[.]QueryOptions What/)
  assert.match(
    stub,
    /---@param [.][.][.] db[.]Value The values[^\n]*\n---@return db[.]Condition #[^\n]*\nfunction db[.]in_list\([.][.][.]\) end/,
  )
  assert.doesNotMatch(stub, /@param \w+[?] [^ ]*[?] /)
})
