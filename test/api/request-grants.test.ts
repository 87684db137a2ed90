import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, startHost } from '../helpers/create-host.js'
import { startWebServer } from '../helpers/web-server.js'

const source = (url: string, version = '1.0.0') => ({
  'caller/init.lua': plugin(
    'caller',
    `request.register("127.0.0.1", { description = "A server of the test." })
    http.handle("GET", "/call", function() return { json = request.get("${url}") } end, { public = true })`,
    version,
  ),
})

it('sends to approved domains only, until they are revoked or the version changes', async (test) => {
  const web = await startWebServer(test, (_request, response) => response.end('hello'))
  const config = {
    plugin_request_allow_local: true,
    plugin_request_rate_limit: 0,
    plugin_request_global_rate: 0,
  }
  const server = await startHost(test, { plugins: source(web.url), config, approve: false })
  const approveRoutes = () => server.host.plugins.approveRoutes(server.host.plugins.routes(), 'test')
  const call = async () => {
    const answer = await server.call('GET', '/caller/call')
    assert.equal(answer.status, 200, answer.text)
    return answer.json<{ body?: string; error?: string }>()
  }
  await approveRoutes()
  assert.match((await call()).error ?? '', /domain not approved/)
  const domain = { plugin: 'caller', domain: '127.0.0.1' }
  const { requests } = await server.admin<{ requests: { description: string }[] }>('GET', '/requests')
  assert.equal(requests[0]?.description, 'A server of the test.')
  await server.admin('POST', '/requests/approve', { json: { requests: [domain] } })
  assert.equal((await call()).body, 'hello')
  await server.restart({ approve: false })
  assert.equal((await call()).body, 'hello')
  await server.admin('POST', '/caller/reload')
  assert.equal((await call()).body, 'hello')
  await server.write(source(web.url, '2.0.0'))
  await server.admin('POST', '/caller/reload')
  await approveRoutes()
  assert.match((await call()).error ?? '', /domain not approved/, 'another version asks again')
  await server.admin('POST', '/requests/approve', { json: { requests: [domain] } })
  assert.equal((await call()).body, 'hello')
  await server.admin('POST', '/requests/revoke', { json: { requests: [domain] } })
  assert.match((await call()).error ?? '', /domain not approved/)
})
