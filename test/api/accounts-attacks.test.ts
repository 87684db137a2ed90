import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf, password, setCookie, useAccountHost } from '../helpers/account-host.js'
import { openRaw } from '../helpers/raw-connection.js'

describe('attacks on sessions', () => {
  const host = useAccountHost({
    config: {
      plugin_trusted_proxies: ['127.0.0.1'],
      'auth.http.rules': [{ paths: ['/api/v1/content/**'], authenticators: ['session', 'api_key'] }],
    },
  })

  it('change nothing with a cookie alone, or with the CSRF token of another session', async () => {
    await host().addUser('ann')
    await host().addUser('mallory')
    const [ann, mallory] = [await host().signIn('ann'), await host().signIn('mallory')]
    const again = await host().signIn('ann')
    const end = (headers: Record<string, string>) => host().auth('DELETE', '/me/sessions', undefined, headers)
    for (const headers of [
      { cookie: ann.cookie },
      { cookie: ann.cookie, 'x-csrf-token': '' },
      { cookie: ann.cookie, 'x-csrf-token': mallory.csrf },
      { cookie: ann.cookie, 'x-csrf-token': again.csrf },
      { cookie: ann.cookie, 'x-csrf-token': `${ann.csrf}x` },
      { cookie: ann.cookie, 'x-csrf-token': ann.cookie.split('=')[1] ?? '' },
      { ...ann.browser, 'sec-fetch-site': 'cross-site' },
      { ...ann.browser, 'sec-fetch-site': 'same-site' },
      { ...ann.browser, origin: 'https://evil.example' },
      { ...ann.browser, origin: 'null' },
      { ...ann.browser, 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
    ]) {
      const answer = await end(headers as Record<string, string>)
      assert.equal(answer.status, 403, JSON.stringify(headers))
      assert.equal(codeOf(answer), 'AUTH_CSRF')
    }
    const still = await host().auth('GET', '/me', undefined, again.browser)
    assert.equal(still.status, 200, 'nothing has ended')
    const own = await end({ ...ann.browser, origin: host().url, 'sec-fetch-site': 'same-origin' })
    assert.equal(own.status, 200)
    for (const method of ['PATCH', 'PUT', 'POST', 'DELETE']) {
      const answer = await host().auth(method, '/users/ann', {}, { cookie: ann.cookie })
      assert.equal(answer.status, 403, method)
      assert.equal(codeOf(answer), 'AUTH_CSRF', method)
    }
  })

  it('do not choose which of two cookies counts', async () => {
    await host().addUser('victim')
    await host().addUser('tosser')
    const [victim, tosser] = [await host().signIn('victim'), await host().signIn('tosser')]
    for (const cookie of [
      `${victim.cookie}; ${tosser.cookie}`,
      `${tosser.cookie}; ${victim.cookie}`,
      `${victim.cookie}; modulacms_session=x`,
    ]) {
      const answer = await host().auth('GET', '/me', undefined, { cookie })
      assert.equal(answer.status, 401, cookie)
    }
    const token = tosser.cookie.split('=')[1]
    const secure = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7' }
    const plain = await host().auth('GET', '/me', undefined, { ...secure, cookie: tosser.cookie })
    assert.equal(plain.status, 401, 'over a secure connection only the cookie of this host name counts')
    const answer = await host().auth('POST', '/login', { username: 'victim', password }, secure)
    const set = setCookie(answer, '__Host-modulacms_session') ?? ''
    assert.match(set, /; Path=\/; .*HttpOnly; SameSite=Lax; Secure$/)
    assert.doesNotMatch(set, /domain/i)
    const cookie = `modulacms_session=${token}; ${set.split(';')[0]}`
    const me = await host().auth('GET', '/me', undefined, { ...secure, cookie })
    assert.equal(me.json<{ user: { username: string } }>().user.username, 'victim')
  })

  it('are refused with a session that is none, whatever else is sent', async () => {
    const key = await host().addKey({ permissions: ['content:read'] })
    const read = (headers: Record<string, string>) =>
      host().send('GET', '/api/v1/content/datatypes', { headers })
    assert.equal((await read({ 'x-api-key': key })).status, 200)
    for (const value of ['x', '', 'A'.repeat(43), 'A'.repeat(4000), 'mk_x', '"quoted"', '%00']) {
      const cookie = `modulacms_session=${value}`
      const refused = await read({ 'x-api-key': key, cookie })
      assert.equal(refused.status, 401, value)
      assert.match(setCookie(refused) ?? '', /^modulacms_session=; .*Max-Age=0/)
      assert.equal((await read({ 'x-api-key': key, 'x-session-id': value })).status, 401, value)
      const admin = await host().auth('GET', '/users', undefined, { ...host().credentials, cookie })
      assert.equal(admin.status, 401, `${value} with the admin token`)
    }
    assert.equal((await read({ 'x-api-key': key, cookie: 'other=1; modulacms_sessions=2' })).status, 200)
  })

  it('end with the user, at once', async () => {
    const id = await host().addUser('gone')
    const user = await host().signIn('gone')
    const { key } = (await host().auth('POST', '/me/keys', { name: 'k' }, user.browser)).json<{
      key: string
    }>()
    assert.equal((await host().auth('GET', '/me', undefined, { 'x-api-key': key })).status, 200)
    await host().asAdmin('PATCH', `/users/${id}`, { disabled: true })
    assert.equal((await host().auth('GET', '/me', undefined, user.browser)).status, 401)
    const revoked = await host().auth('GET', '/me', undefined, { 'x-api-key': key })
    assert.equal(codeOf(revoked), 'AUTH_REVOKED')
    await host().asAdmin('PATCH', `/users/${id}`, { disabled: false })
    assert.equal((await host().auth('GET', '/me', undefined, user.browser)).status, 401, 'for good')
    assert.equal((await host().auth('GET', '/me', undefined, { 'x-api-key': key })).status, 401, 'for good')
  })

  it('change nothing by a body that comes when they have ended', async (t) => {
    const attempts: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
      'password set': (id) =>
        host().asAdmin('PUT', `/users/${id}/password`, { password: 'another four random words' }),
      'sessions ended': (id) => host().asAdmin('DELETE', `/users/${id}/sessions`),
      'roles taken': (id) => host().asAdmin('PATCH', `/users/${id}`, { roles: [] }),
    }
    for (const [at, [what, end]] of Object.entries(attempts).entries()) {
      const id = await host().addUser(`slow${at}`, { roles: ['admin'] })
      const { cookie, csrf } = await host().signIn(`slow${at}`)
      const body = JSON.stringify({ name: 'kept', permissions: ['users:admin'] })
      const connection = await openRaw(t, Number(new URL(host().url).port))
      const head = ['POST /api/v1/auth/me/keys HTTP/1.1', 'Host: a', 'Connection: close', `Cookie: ${cookie}`]
      const about = [
        `X-CSRF-Token: ${csrf}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
      ]
      connection.socket.write(`${[...head, ...about].join('\r\n')}\r\n\r\n`)
      await end(id)
      connection.socket.write(body)
      await connection.gone
      assert.match(connection.text(), /^HTTP\/1\.1 40[13] /, what)
      const { keys } = await host().asAdmin<{ keys: unknown[] }>('GET', `/keys?owner=${id}`)
      assert.deepEqual(keys, [], what)
    }
  })

  it('name keys that are revoked or over, and only to those who have them', async () => {
    const made = await host().asAdmin<{ key: string; id: string }>('POST', '/keys', { name: 'k' }, 201)
    await host().asAdmin('DELETE', `/keys/${made.id}`)
    const ask = (key: string) => host().auth('GET', '/me', undefined, { authorization: `Bearer ${key}` })
    assert.equal(codeOf(await ask(made.key)), 'AUTH_REVOKED')
    const other = `${made.key.slice(0, -1)}${made.key.endsWith('A') ? 'B' : 'A'}`
    assert.equal(codeOf(await ask(other)), 'AUTH_INVALID')
    assert.equal(codeOf(await ask('mk_')), 'AUTH_INVALID')
    assert.equal(codeOf(await ask(`mk_${'x'.repeat(8000)}`)), 'AUTH_INVALID')
    const past = await host().auth(
      'POST',
      '/keys',
      { name: 'k', expires_at: '2001-01-01T00:00:00Z' },
      host().credentials,
    )
    assert.equal(codeOf(past), 'KEY_INVALID')
    for (const text of ['tomorrow', '2031', '2031-13-01T00:00:00Z', '0', '']) {
      const odd = await host().auth('POST', '/keys', { name: 'k', expires_at: text }, host().credentials)
      assert.equal(odd.status, 400, text)
    }
  })
})

describe('guessing passwords', () => {
  const host = useAccountHost({
    config: { 'auth.login.attempts': 3, 'auth.login.perAddress': 6 },
  })

  it('is slowed down, however the name is written and whatever the client says of its address', async () => {
    await host().addUser('ann', { email: 'ann@example.com' })
    const guess = (username: string, headers: Record<string, string> = {}) =>
      host().auth('POST', '/login', { username, password: 'not this one' }, headers)
    for (const name of ['ann', 'ANN', 'aNn']) assert.equal((await guess(name)).status, 401)
    const spellings = ['ann', 'Ann', 'ANN']
    for (const [at, name] of spellings.entries()) {
      const waits = await guess(name, {
        'x-forwarded-for': `203.0.113.${at}`,
        'x-real-ip': `203.0.113.${at}`,
      })
      assert.equal(waits.status, 429, name)
      assert.equal(codeOf(waits), 'LOGIN_THROTTLED')
      assert.ok(Number(waits.headers['retry-after']) >= 1)
    }
    const right = await host().auth('POST', '/login', { username: 'ann', password })
    assert.equal(right.status, 429, 'the right password is not looked at')
    assert.equal(right.headers['set-cookie'], undefined)
    const statuses: number[] = []
    for (let at = 0; at < 6; at += 1) statuses.push((await guess(`ann${at} `)).status)
    assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429], 'many names are one network')
  })

  it('is not told who there is, and leaves no password in the log', async () => {
    const lines = JSON.stringify(host().lines)
    assert.ok(lines.includes('session.open'))
    assert.equal(lines.includes('not this one'), false)
    assert.equal(lines.includes(password), false)
  })
})

describe('giving more than one has', () => {
  const host = useAccountHost({
    config: { 'auth.roles': { keeper: ['users:read', 'users:admin', 'keys:read', 'keys:admin'] } },
  })

  it('fails for users, roles, keys and passwords', async () => {
    const boss = await host().addUser('boss', { roles: ['admin'] })
    const grouped = await host().addUser('grouped', { groups: ['finance'] })
    const keeper = await host().addUser('keeper', { roles: ['keeper'] })
    await host().addUser('plain')
    await host().asAdmin('PUT', '/roles/strong', { permissions: ['plugins:admin'] })
    await host().asAdmin('PUT', '/roles/reader', { permissions: [] })
    const vouched = { username: 'vouched', external: { issuer: 'https://idp.example', subject: 's' } }
    await host().asAdmin('POST', '/users', vouched, 201)
    const { browser } = await host().signIn('keeper')
    const bossKey = await host().asAdmin<{ id: string }>(
      'POST',
      '/keys',
      { name: 'b', roles: ['admin'] },
      201,
    )
    const refused: [string, string, unknown][] = [
      ['POST', '/users', { username: 'x1', roles: ['admin'] }],
      ['POST', '/users', { username: 'x2', roles: ['strong'] }],
      ['POST', '/users', { username: 'x3', roles: ['undefined-role'] }],
      ['POST', '/users', { username: 'x4', groups: ['finance'] }],
      ['POST', '/users', { username: 'x5', claims: { department: 'board' } }],
      ['PATCH', `/users/${keeper}`, { roles: ['keeper', 'admin'] }],
      ['PATCH', '/users/plain', { roles: ['owner'] }],
      ['PATCH', `/users/${boss}`, { disabled: true }],
      ['PATCH', `/users/${boss}`, { roles: [] }],
      ['PATCH', `/users/${boss}`, { email: 'keeper@example.com' }],
      ['PATCH', `/users/${grouped}`, { name: 'x' }],
      ['DELETE', `/users/${boss}`, undefined],
      ['PUT', `/users/${boss}/password`, { password: 'known to the keeper' }],
      ['PUT', `/users/${boss}/password`, { password: null }],
      ['DELETE', `/users/${boss}/sessions`, undefined],
      // The provider may make an admin of them.
      ['PUT', '/users/vouched/password', { password: 'known to the keeper' }],
      ['PUT', '/roles/keeper2', { permissions: ['*'] }],
      // Rules may ask for it by its name.
      ['PUT', '/roles/undefined-role', { permissions: [] }],
      ['PATCH', `/users/${keeper}`, { roles: ['keeper', 'undefined-role'] }],
      ['PUT', '/roles/strong', { permissions: [] }],
      ['DELETE', '/roles/strong', undefined],
      ['POST', '/keys', { name: 'k', roles: ['admin'] }],
      ['POST', '/keys', { name: 'k', permissions: ['*'] }],
      ['POST', '/keys', { name: 'k', owner: boss }],
      ['DELETE', `/keys/${bossKey.id}`, undefined],
      ['POST', '/me/keys', { name: 'k', permissions: ['*:read'] }],
    ]
    for (const [method, path, body] of refused) {
      const answer = await host().auth(method, path, body, browser)
      assert.equal(answer.status, 403, `${method} ${path} ${JSON.stringify(body)}: ${answer.text}`)
      assert.match(answer.code ?? '', /^(?:GRANT_EXCEEDED|USER_BEYOND_REACH)$/)
    }
    assert.equal(
      (await host().auth('PUT', '/roles/admin', { permissions: [] }, host().credentials)).status,
      409,
    )
    await host().signIn('boss')
    const own = await host().auth('PUT', '/users/keeper/password', { password: 'without the old' }, browser)
    assert.equal(codeOf(own), 'PASSWORD_OWN')
    for (const [method, path, body, status] of [
      ['POST', '/users', { username: 'fine', roles: ['keeper', 'user'], password }, 201],
      ['PUT', '/users/plain/password', { password: 'five random words too' }, 200],
      ['PUT', '/users/vouched/password', { password: null }, 200],
      ['PUT', '/roles/reader', { permissions: ['users:read'] }, 200],
      ['POST', '/me/keys', { name: 'k', permissions: ['users:read'] }, 201],
      ['DELETE', '/users/fine', undefined, 200],
    ] as [string, string, unknown, number][]) {
      const answer = await host().auth(method, path, body, browser)
      assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`)
    }
  })

  it('fails across tenants, which do not see each other', async () => {
    const other = await host().addUser('far', { tenant: 'globex' })
    await host().addUser('near', { tenant: 'acme' })
    await host().addUser('warden', { tenant: 'acme', roles: ['keeper'] })
    const { browser } = await host().signIn('warden')
    const { users } = (await host().auth('GET', '/users?tenant=globex', undefined, browser)).json<{
      users: { username: string; tenant?: string }[]
    }>()
    assert.deepEqual(users.map(({ username }) => username).sort(), ['near', 'warden'])
    for (const [method, path, body] of [
      ['GET', `/users/${other}`, undefined],
      ['PATCH', `/users/${other}`, { name: 'x' }],
      ['GET', `/users/${other}/sessions`, undefined],
      ['PUT', `/users/${other}/password`, { password: 'known to the warden' }],
    ] as [string, string, unknown][]) {
      assert.equal((await host().auth(method, path, body, browser)).status, 404, `${method} ${path}`)
    }
    const made = await host().auth('POST', '/users', { username: 'new' }, browser)
    assert.equal(made.json().tenant, 'acme')
    for (const tenant of ['globex', null]) {
      const answer = await host().auth('POST', '/users', { username: 'n2', tenant }, browser)
      assert.equal(codeOf(answer), 'GRANT_EXCEEDED')
      assert.equal(codeOf(await host().auth('PATCH', '/users/near', { tenant }, browser)), 'GRANT_EXCEEDED')
    }
    const roles = await host().auth('PUT', '/roles/all', { permissions: ['users:read'] }, browser)
    assert.equal(codeOf(roles), 'GRANT_EXCEEDED', 'roles are everybody’s')
  })

  it('is no member of a body that is not known', async () => {
    for (const [method, path, body] of [
      ['POST', '/users', { username: 'm1', password_hash: 'x' }],
      ['POST', '/users', { username: 'm2', id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }],
      ['POST', '/users', { username: 'm3', external: { issuer: 'https://i', subject: 's', more: 1 } }],
      ['PATCH', '/users/plain', { credentials_version: 0 }],
      ['PATCH', '/users/plain', { hasPassword: true }],
      ['POST', '/keys', { name: 'k', created_by: 'boss' }],
      ['PUT', '/roles/r', { permissions: [], source: 'built-in' }],
    ] as [string, string, unknown][]) {
      const answer = await host().auth(method, path, body, host().credentials)
      assert.equal(answer.status, 400, `${method} ${path}: ${answer.text}`)
      assert.match(answer.text, /unknown key/)
    }
    const { browser } = await host().signIn('boss')
    for (const more of [{ owner: 'plain' }, { kind: 'service' }, { tenant: 'acme' }]) {
      const foreign = await host().auth('POST', '/me/keys', { name: 'k', ...more }, browser)
      assert.equal(foreign.status, 400, JSON.stringify(more))
    }
  })

  it('takes a permission for each operation', async () => {
    await host().addUser('nothing')
    const { browser } = await host().signIn('nothing')
    for (const [method, path, permission] of [
      ['GET', '/users', 'users:read'],
      ['POST', '/users', 'users:admin'],
      ['GET', '/users/boss', 'users:read'],
      ['PATCH', '/users/boss', 'users:admin'],
      ['DELETE', '/users/boss', 'users:admin'],
      ['PUT', '/users/boss/password', 'users:admin'],
      ['GET', '/users/boss/sessions', 'users:read'],
      ['DELETE', '/users/boss/sessions', 'users:admin'],
      ['GET', '/roles', 'users:read'],
      ['PUT', '/roles/x', 'users:admin'],
      ['DELETE', '/roles/x', 'users:admin'],
      ['GET', '/keys', 'keys:read'],
      ['POST', '/keys', 'keys:admin'],
      ['DELETE', '/keys/x', 'keys:admin'],
    ] as [string, string, string][]) {
      const answer = await host().auth(method, path, undefined, browser)
      assert.equal(answer.status, 403, `${method} ${path}`)
      assert.match(answer.text, new RegExp(permission))
      assert.equal((await host().auth(method, path)).status, 401)
    }
    assert.equal((await host().auth('GET', '/nothing')).status, 401)
    assert.equal((await host().auth('GET', '/nothing', undefined, browser)).status, 404)
  })
})
