import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf, password, setCookie, useAccountHost } from '../helpers/account-host.js'

describe('signing in', () => {
  const host = useAccountHost({
    config: {
      'auth.http.rules': [{ paths: ['/api/v1/content/**'], authenticators: ['password', 'session'] }],
    },
  })

  it('gives a cookie that nobody reads, and the same identity by header', async () => {
    await host().addUser('ann', { email: 'Ann@Example.com', roles: ['auditor'] })
    const answer = await host().auth('POST', '/login', { username: 'ANN@example.com', password })
    assert.equal(answer.status, 200)
    const cookie = setCookie(answer) ?? assert.fail('no cookie')
    assert.match(cookie, /; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.text.includes(cookie.split(/[=;]/)[1] ?? 'none'), false, 'the body has no token')
    const sent = cookie.split(';')[0] ?? ''
    const byCookie = await host().auth('GET', '/session', undefined, { cookie: sent })
    const byHeader = await host().auth('GET', '/session', undefined, {
      'x-session-id': sent.split('=')[1] ?? '',
    })
    const [first, second] = [byCookie.json(), byHeader.json()]
    assert.deepEqual(first.identity, second.identity)
    assert.equal((first.identity as { name: string }).name, 'ann')
    assert.equal(first.csrf_token, answer.json().csrf_token)
    assert.equal(second.csrf_token, undefined, 'programs need none')
    const me = (await host().auth('GET', '/me', undefined, { cookie: sent })).json<{
      user: Record<string, unknown>
    }>()
    assert.ok(me.user.last_login_at)
    assert.equal(
      Object.values(me.user).some((value) => String(value).includes('argon2')),
      false,
    )
  })

  it('gives programs a token, and no cookie', async () => {
    await host().addUser('program')
    const answer = await host().auth('POST', '/login', { username: 'program', password, session: 'token' })
    assert.equal(answer.headers['set-cookie'], undefined)
    const { token } = answer.json<{ token: string }>()
    const headers = { 'x-session-id': token }
    assert.equal((await host().auth('GET', '/me', undefined, headers)).status, 200)
    assert.equal((await host().auth('POST', '/logout', undefined, headers)).status, 200)
    assert.equal((await host().auth('GET', '/me', undefined, headers)).status, 401)
  })

  it('ends with signing out, for cookie and header', async () => {
    await host().addUser('leaver')
    const user = await host().signIn('leaver')
    const answer = await host().auth('POST', '/logout', undefined, user.browser)
    assert.equal(answer.status, 200)
    assert.match(setCookie(answer) ?? '', /^modulacms_session=; Path=\/; Max-Age=0;/)
    assert.equal((await host().auth('GET', '/me', undefined, { cookie: user.cookie })).status, 401)
    const token = user.cookie.split('=')[1] ?? ''
    assert.equal((await host().auth('GET', '/me', undefined, { 'x-session-id': token })).status, 401)
    assert.equal((await host().auth('POST', '/logout')).status, 200, 'also without a session')
  })

  it('answers alike for whoever is not let in', async () => {
    await host().addUser('quiet', { disabled: true })
    await host().asAdmin('POST', '/users', { username: 'without' }, 201)
    await host().addUser('there')
    const answers = await Promise.all(
      [
        { username: 'nobody', password },
        { username: 'quiet', password },
        { username: 'without', password },
        { username: 'there', password: 'another password' },
        { username: 'nobody@example.com', password },
      ].map((body) => host().auth('POST', '/login', body)),
    )
    const texts = answers.map(({ status, text, headers }) => [
      status,
      text.replace(/"request_id":"[^"]*"/, ''),
      headers['set-cookie'],
      headers['www-authenticate'],
    ])
    for (const each of texts) assert.deepEqual(each, texts[0])
    assert.equal(texts[0]?.[0], 401)
  })

  it('refuses bodies with other members, of other types and of other forms', async () => {
    const good = { username: 'ann', password }
    for (const body of [
      { ...good, roles: ['admin'] },
      { ...good, session: 'both' },
      { username: ['ann'], password },
      { username: 'ann' },
      { username: '', password },
      { username: { $ne: null }, password: { $ne: null } },
      [],
      'text',
      null,
    ]) {
      const answer = await host().auth('POST', '/login', body)
      assert.equal(answer.status, 400, JSON.stringify(body))
      assert.equal(answer.headers['set-cookie'], undefined)
    }
    const long = await host().auth('POST', '/login', { username: 'ann', password: 'x'.repeat(100_000) })
    assert.equal(long.status, 413)
    const odd = await host().send('POST', '/api/v1/auth/login', {
      headers: { 'content-type': 'application/json' },
      body: '{"username":"ann","password":"x","__proto__":{"roles":["admin"]}}',
    })
    assert.equal(odd.status, 400)
  })

  it('is not done by pages of other sites', async () => {
    await host().addUser('victim')
    const body = { username: 'victim', password }
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `${host().url}.evil.example` },
    ]) {
      const answer = await host().auth('POST', '/login', body, headers as Record<string, string>)
      assert.equal(answer.status, 403, JSON.stringify(headers))
      assert.equal(codeOf(answer), 'AUTH_CSRF')
      assert.equal(answer.headers['set-cookie'], undefined)
      assert.equal(
        (await host().auth('POST', '/logout', undefined, headers as Record<string, string>)).status,
        403,
      )
    }
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await host().send('POST', '/api/v1/auth/login', {
        headers: { 'content-type': type },
        body: JSON.stringify(body),
      })
      assert.equal(answer.status, 415, type)
    }
    const own = await host().auth('POST', '/login', body, {
      origin: host().url,
      'sec-fetch-site': 'same-origin',
    })
    assert.equal(own.status, 200)
  })

  it('rotates the session, so that one that was planted is worth nothing', async () => {
    await host().addUser('mallory')
    await host().addUser('eve')
    const planted = await host().signIn('mallory')
    const answer = await host().auth(
      'POST',
      '/login',
      { username: 'eve', password },
      { cookie: planted.cookie },
    )
    assert.equal(answer.status, 200, 'without a CSRF token: the cookie says nothing here')
    assert.notEqual(setCookie(answer)?.split(';')[0], planted.cookie)
    assert.equal((await host().auth('GET', '/me', undefined, { cookie: planted.cookie })).status, 401)
    const made = `modulacms_session=${'A'.repeat(43)}`
    await host().auth('POST', '/login', { username: 'eve', password }, { cookie: made })
    assert.equal((await host().auth('GET', '/me', undefined, { cookie: made })).status, 401)
  })

  it('works with a cookie that is over, which is taken back', async () => {
    await host().addUser('stale')
    const old = await host().signIn('stale')
    await host().auth('POST', '/logout', undefined, old.browser)
    const refused = await host().auth('GET', '/session', undefined, { cookie: old.cookie })
    assert.equal(refused.status, 401)
    assert.match(setCookie(refused) ?? '', /Max-Age=0/)
    const again = await host().signIn('stale', password, { cookie: old.cookie })
    assert.notEqual(again.cookie, old.cookie)
    assert.equal((await host().auth('GET', '/me', undefined, again.browser)).status, 200)
  })

  it('takes a password with each request where a rule says so, and nowhere else', async () => {
    await host().addUser('basic', { roles: ['operator'] })
    const headers = { authorization: `Basic ${Buffer.from(`basic:${password}`).toString('base64')}` }
    assert.equal((await host().send('GET', '/api/v1/content/datatypes', { headers })).status, 200)
    const wrong = { authorization: `Basic ${Buffer.from('basic:wrong password').toString('base64')}` }
    assert.equal((await host().send('GET', '/api/v1/content/datatypes', { headers: wrong })).status, 401)
    assert.equal((await host().auth('GET', '/users', undefined, headers)).status, 401)
    const forged = await host().send('POST', '/api/v1/content/datatypes', {
      headers: { ...headers, 'sec-fetch-site': 'cross-site' },
      json: {},
    })
    assert.equal(forged.status, 403)
    for (const value of [
      'Basic',
      'Basic !!!',
      'Basic OnBhc3N3b3Jk',
      `Basic ${'A'.repeat(20_000)}`,
      'Basic /////w==',
    ]) {
      const answer = await host().send('GET', '/api/v1/content/datatypes', {
        headers: { authorization: value },
      })
      assert.ok([401, 431].includes(answer.status), `${value.slice(0, 20)}: ${answer.status}`)
    }
  })
})

describe('changing your own password', () => {
  const host = useAccountHost()

  it('takes the old one, ends everything else and gives this session anew', async () => {
    await host().addUser('ann')
    const [here, there] = [await host().signIn('ann'), await host().signIn('ann')]
    const made = await host().auth('POST', '/me/keys', { name: 'mine' }, here.browser)
    assert.equal(made.status, 201, made.text)
    const { key } = made.json<{ key: string }>()
    const wrong = await host().auth(
      'POST',
      '/password',
      { old_password: 'not the old one', new_password: 'another good one' },
      here.browser,
    )
    assert.equal(codeOf(wrong), 'PASSWORD_WRONG')
    const weak = await host().auth(
      'POST',
      '/password',
      { old_password: password, new_password: 'ann12' },
      here.browser,
    )
    assert.equal(codeOf(weak), 'PASSWORD_REFUSED')
    assert.equal((await host().auth('GET', '/me', undefined, here.browser)).status, 200, 'nothing has ended')
    const changed = await host().auth(
      'POST',
      '/password',
      { old_password: password, new_password: 'another good one' },
      here.browser,
    )
    assert.equal(changed.status, 200, changed.text)
    const cookie = setCookie(changed)?.split(';')[0] ?? ''
    assert.notEqual(cookie, here.cookie)
    assert.equal((await host().auth('GET', '/me', undefined, { cookie })).status, 200)
    for (const headers of [here.browser, there.browser, { 'x-api-key': key }]) {
      assert.equal((await host().auth('GET', '/me', undefined, headers)).status, 401)
    }
    assert.equal((await host().auth('POST', '/login', { username: 'ann', password })).status, 401)
    await host().signIn('ann', 'another good one')
  })

  it('is for users of the host alone', async () => {
    const body = { old_password: password, new_password: 'another good one' }
    assert.equal(codeOf(await host().auth('POST', '/password', body, host().credentials)), 'ACCOUNT_REQUIRED')
    assert.equal((await host().auth('POST', '/password', body)).status, 401)
    const id = await host().addUser('owner')
    const key = await host().addKey({ owner: id })
    assert.equal(
      (await host().auth('POST', '/password', body, { 'x-api-key': key })).code,
      'ACCOUNT_REQUIRED',
    )
  })
})

describe('sessions', () => {
  const host = useAccountHost()

  it('are listed, and ended one by one or together', async () => {
    await host().addUser('ann')
    await host().addUser('other')
    const [first, second, third] = [
      await host().signIn('ann'),
      await host().signIn('ann'),
      await host().signIn('ann'),
    ]
    const foreign = await host().signIn('other')
    const list = await host().auth('GET', '/me/sessions', undefined, first.browser)
    const { sessions } = list.json<{ sessions: { id: string; current: boolean }[] }>()
    assert.equal(sessions.length, 3)
    assert.deepEqual(
      sessions.filter(({ current }) => current).map(({ id }) => id),
      [first.sessionId],
    )
    const end = (id: string) => host().auth('DELETE', `/me/sessions/${id}`, undefined, first.browser)
    assert.equal((await end(foreign.sessionId)).status, 404)
    assert.equal((await end(second.sessionId)).status, 200)
    assert.equal((await host().auth('GET', '/me', undefined, second.browser)).status, 401)
    const all = await host().auth('DELETE', '/me/sessions', undefined, first.browser)
    assert.deepEqual(all.json(), { ok: true, ended: 1 })
    assert.equal((await host().auth('GET', '/me', undefined, third.browser)).status, 401)
    assert.equal((await host().auth('GET', '/me', undefined, first.browser)).status, 200)
    await host().asAdmin('DELETE', '/users/ann/sessions')
    assert.equal((await host().auth('GET', '/me', undefined, first.browser)).status, 401)
    assert.equal((await host().auth('GET', '/me', undefined, foreign.browser)).status, 200)
  })
})
