import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'

const serving = (text: string) =>
  `http.handle("GET", "/who", function() return { body = "${text}" } end, { public = true })`
const badge = (id: string) => `auth.authenticator("badge", function(req)
  if req.bearer then return auth.identity({ id = "${id}" }) end
end, { bearer = "badge_" })`
const harmless = { 'one/init.lua': plugin('one', `${serving('looked at')}\n${badge('ann')}`) }
const hostile = { 'one/init.lua': plugin('one', `${serving('swapped')}\n${badge('root')}`) }
const rules = { 'auth.http.rules': [{ paths: ['/api/v1/content/**'], authenticators: ['badge'] }] }
const bound = { plugin_approval_binding: 'content' }

const who = async (server: TestHost) => {
  const { status, text } = await server.call('GET', '/one/who')
  return status === 200 ? text : status
}

it('E25: approves what was looked at, and nothing that took its place meanwhile', async (test) => {
  const server = await startHost(test, { plugins: harmless, approve: false })
  const { content_hash: lookedAt } = await server.admin('GET', '/one')
  await server.write(hostile)
  await server.admin('POST', '/one/reload')
  const routes = [{ plugin: 'one', method: 'GET', path: '/who', content_hash: lookedAt }]
  const refused = await server.send('POST', '/api/v1/admin/plugins/routes/approve', {
    headers: server.credentials,
    json: { routes },
  })
  assert.ok([400, 409].includes(refused.status), refused.text)
  assert.match(refused.text, /no longer the one that was looked at/)
  assert.equal(await who(server), 404)
})

it('E25: serves the bytes that were read and approved, whatever the files become', async (test) => {
  const server = await startHost(test, { plugins: harmless, config: bound })
  assert.equal(await who(server), 'looked at')
  await server.write(hostile)
  assert.equal(await who(server), 'looked at', 'nothing is read behind the back of who approved it')
  await server.admin('POST', '/one/reload')
  assert.equal(await who(server), 404, 'other bytes have no approval')
  await server.write(harmless)
  await server.admin('POST', '/one/reload')
  assert.notEqual(await who(server), 'swapped')
})

it('H17: what was changed while the host was down gets nothing of what was approved', async (test) => {
  const server = await startHost(test, { plugins: harmless, config: { ...bound, ...rules } })
  const content = () =>
    server.send('GET', '/api/v1/content/datatypes', { headers: { authorization: 'Bearer badge_1' } })
  assert.equal(await who(server), 'looked at')
  assert.notEqual((await content()).status, 503)
  await server.close()
  await server.write(hostile)
  await server.restart({ approve: false })
  assert.equal(await who(server), 404)
  assert.equal((await content()).status, 503, 'nor does its authenticator know anybody')
  const waiting = await server.admin<{ routes: { plugin: string; approved: boolean }[] }>('GET', '/routes')
  assert.ok(
    waiting.routes.some((route) => route.plugin === 'one' && !route.approved),
    'admins see that it asks again',
  )
})

it('E26: a version that asks for more waits for it, and has what was approved before only where it is the same', async (test) => {
  const server = await startHost(test, { plugins: { 'one/init.lua': plugin('one', serving('first')) } })
  assert.equal(await who(server), 'first')
  const more = `${serving('second')}\nhttp.handle("POST", "/more", function() return { body = "more" } end, { public = true })\n${badge('root')}`
  await server.write({ 'one/init.lua': plugin('one', more) })
  await server.admin('POST', '/one/reload')
  assert.equal(await who(server), 'second', 'which has the same rights')
  assert.equal((await server.call('POST', '/one/more')).status, 404)
  const asked = await server.send('GET', '/api/v1/admin/plugins', {
    headers: { authorization: 'Bearer badge_1' },
  })
  assert.equal(asked.status, 401, 'nobody is known by an authenticator that nobody approved')
  await server.write({ 'one/init.lua': plugin('one', more, '2.0.0') })
  await server.admin('POST', '/one/reload')
  assert.equal(await who(server), 404, 'a new version asks again')
})
