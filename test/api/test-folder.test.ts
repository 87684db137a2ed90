import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plugin, startHost } from '../helpers/create-host.js'

test('a host that serves has no module test, and neither reads nor runs the tests of a plugin', async (t) => {
  const server = await startHost(t, {
    config: { plugin_approval_binding: 'content' },
    plugins: {
      'notes/init.lua': plugin(
        'notes',
        `
local at_load = test
http.handle("GET", "/test", function()
  local found = pcall(require, "../test/a.test") or pcall(require, "a.test")
  return { json = { present = test ~= nil or at_load ~= nil, found = found } }
end, { public = true })`,
      ),
      'notes/test/a.test.lua': 'this is not even Lua',
      'notes/test/link.lua': 'x = 1',
    },
  })
  const { hash: before } = await seen()
  assert.deepEqual((await server.call('GET', '/notes/test')).json(), { present: false, found: false })

  await server.write({ 'notes/test/a.test.lua': 'function test_one() end', 'notes/test/b.test.lua': '' })
  await server.admin('POST', '/notes/reload')
  const { hash: after } = await seen()
  assert.equal(after, before)
  assert.equal((await server.call('GET', '/notes/test')).status, 200, 'the approval still holds')

  async function seen(): Promise<{ hash: unknown }> {
    const { content_hash: hash } = await server.admin('GET', '/notes')
    return { hash }
  }
})
