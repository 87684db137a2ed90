import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf, useAccountHost } from '../helpers/account-host.js'
import { plugin } from '../helpers/create-host.js'

/** Says whatever the token of a request says: `forge_<type>.<id>`, with roles that open everything where they are real. */
const forger = plugin(
  'forger',
  `auth.authenticator("forge", function(req)
  local type, id = req.bearer:match("^forge_(%w+)%.([%w_:]+)$")
  return auth.identity({ type = type, id = id, name = "root", email = "root@example.com", roles = { "admin", "owner", "operator" },
    groups = { "admin" }, attributes = { permissions = { "*" }, authenticator = "session", kind = "user", session_id = id } })
end, { bearer = "forge_" })`,
)

const desk = plugin(
  'desk',
  `local function me(req) return { json = { user = req.user, identity = req.identity } } end
http.handle("GET", "/me", me)
http.handle("GET", "/permitted", me, { auth = auth.require({ permissions = { "users:read" } }) })
http.handle("GET", "/accounts", me, { auth = auth.require({ types = { "user" }, authenticators = { "session", "api_key" } }) })`,
)

describe('a plugin that says that somebody is an admin of the host', () => {
  const host = useAccountHost({ plugins: { 'forger/init.lua': forger, 'desk/init.lua': desk } })
  const as = (type: string, id: string) => ({ authorization: `Bearer forge_${type}.${id}` })

  it('gives them nothing of that admin, whatever id they have', async () => {
    const admin = await host().addUser('root', { roles: ['admin'], email: 'root@example.com' })
    const signedIn = await host().signIn('root')
    const keyId = (await host().addKey({})).split('_')[1] ?? ''
    const ids = [admin, 'root', 'admin', `user:${admin}`, `key:${keyId}`, keyId, signedIn.sessionId]
    for (const type of ['user', 'service', 'worker']) {
      for (const id of ids) {
        const headers = as(type, id)
        for (const [method, path, json] of [
          ['GET', '/me/sessions'],
          ['DELETE', '/me/sessions'],
          ['DELETE', `/me/sessions/${signedIn.sessionId}`],
          ['POST', '/password', { current_password: 'x', new_password: 'another four random words' }],
          ['GET', '/users'],
          ['GET', `/users/${admin}`],
          ['PATCH', `/users/${admin}`, { roles: [] }],
          ['DELETE', `/users/${admin}`],
          ['GET', '/keys'],
          ['POST', '/keys', { name: 'mine', roles: ['admin'] }],
          ['GET', '/roles'],
        ] as const) {
          const answer = await host().auth(method, path, json, headers)
          assert.ok(
            [403, 404, 405].includes(answer.status),
            `${type} ${id} ${method} ${path}: ${answer.text}`,
          )
          if (answer.status === 404) assert.doesNotMatch(answer.text, /root@|password/)
        }
        const me = await host().auth('GET', '/me', undefined, headers)
        assert.equal(me.status, 200)
        const { user, identity } = me.json<{ user?: unknown; identity: { permissions?: unknown[] } }>()
        assert.equal(user, undefined, 'an account with that id is not theirs')
        assert.deepEqual(identity.permissions ?? [], [])
      }
    }
    assert.equal((await host().auth('GET', '/me/sessions', undefined, signedIn.browser)).status, 200)
    assert.equal((await host().signIn('root')).id, admin, 'the password is what it was')
  })

  it('opens none of the operations of the host, in no area', async () => {
    const admin = await host().addUser('second', { roles: ['admin'] })
    for (const [method, path] of [
      ['GET', '/api/v1/admin/plugins'],
      ['POST', '/api/v1/admin/plugins/forger/reload'],
      ['GET', '/gateway/api/status'],
      ['GET', '/api/proxy/rules'],
      ['GET', '/api/keyval/namespaces'],
      ['GET', '/api/v1/content/entries'],
    ] as const) {
      const answer = await host().send(method, path, { headers: as('user', admin) })
      assert.ok([401, 403, 404].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`)
    }
  })

  it('is seen for what it is by other plugins, and meets nothing that takes what is verified', async () => {
    const admin = await host().addUser('third', { roles: ['admin'] })
    const signedIn = await host().signIn('third')
    const seen = await host().send('GET', '/api/v1/plugins/desk/me', { headers: as('user', admin) })
    const { user, identity } = seen.json<{
      user: { id: string; role: string }
      identity: { authenticator: string; type: string }
    }>()
    assert.deepEqual([identity.authenticator, identity.type], ['forge', 'user'])
    assert.notEqual(user.role, 'admin', 'the role admin of req.user is for those who may do everything')
    for (const path of ['permitted', 'accounts']) {
      const target = `/api/v1/plugins/desk/${path}`
      const forged = await host().send('GET', target, { headers: as('user', admin) })
      assert.equal(forged.status, 403, forged.text)
      assert.equal(forged.json<{ error: { code: string } }>().error.code, 'AUTH_DENIED')
      const real = await host().send('GET', target, { headers: { cookie: signedIn.cookie } })
      assert.equal(real.status, 200, real.text)
    }
    for (const type of ['anonymous', 'key', 'admin', 'User']) {
      const answer = await host().send('GET', '/api/v1/plugins/desk/me', { headers: as(type, admin) })
      assert.equal(answer.status, 503, type)
      assert.equal(codeOf(answer), 'AUTH_UNAVAILABLE')
    }
  })
})
