import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClientError, createClient } from '../../sdk/client/index.js'
import { password, useAccountHost } from '../helpers/account-host.js'

const refusal = async (work: Promise<unknown>): Promise<string> => {
  const thrown = await work.then(
    () => assert.fail('it succeeded'),
    (error: unknown) => error,
  )
  assert.ok(thrown instanceof ClientError, String(thrown))
  return thrown.code
}

describe('the client of somebody who signs in', () => {
  const host = useAccountHost()
  const stranger = () => createClient({ url: host().url })
  const signedIn = async (name: string, text = password) => {
    const { token } = await stranger().me.signIn(name, text)
    return createClient({ url: host().url, session: token })
  }

  it('is theirs by the session, until they sign out', async () => {
    const id = await host().addUser('ann', { roles: ['auditor'] })
    const client = await signedIn('ann')
    const { identity, user } = await client.me.get()
    assert.deepEqual([identity.id, identity.authenticator, user?.username], [id, 'session', 'ann'])
    const { session, csrf_token } = await client.me.session()
    assert.deepEqual([session?.current, csrf_token], [true, undefined])
    await client.me.signOut()
    assert.equal(await refusal(client.me.get()), 'AUTH_INVALID')
    assert.deepEqual(await stranger().me.signOut(), { ok: true })
  })

  it('is nobody by a wrong password', async () => {
    await host().addUser('bob')
    assert.equal(await refusal(stranger().me.signIn('bob', 'another password')), 'LOGIN_REFUSED')
    assert.equal(await refusal(stranger().me.get()), 'UNAUTHORIZED')
  })

  it('makes, lists and revokes keys, which are theirs alone', async () => {
    const id = await host().addUser('cem', { roles: ['auditor'] })
    const client = await signedIn('cem')
    const { key, ...made } = await client.me.createKey({ name: 'reader', permissions: ['kv:read'] })
    assert.equal(made.owner_id, id)
    const byKey = createClient({ url: host().url, token: key })
    assert.equal((await byKey.me.get()).identity.authenticator, 'api_key')
    assert.equal(await refusal(byKey.me.createKey({ name: 'another' })), 'ACCOUNT_REQUIRED')
    assert.deepEqual(
      (await client.me.keys({ inForce: true })).keys.map(({ name }) => name),
      ['reader'],
    )
    assert.ok((await client.me.revokeKey(made.id)).revoked_at)
    assert.deepEqual((await client.me.keys({ inForce: true })).keys, [])
    assert.equal(await refusal(byKey.me.get()), 'AUTH_REVOKED')
    assert.equal(await refusal(client.me.revokeKey('nobody')), 'KEY_NOT_FOUND')
  })

  it('ends other sessions, and changes the password for a session anew', async () => {
    await host().addUser('dee')
    const [client, other, third] = [await signedIn('dee'), await signedIn('dee'), await signedIn('dee')]
    const sessions = await client.me.sessions()
    assert.equal(sessions.length, 3)
    const ended = (await other.me.session()).session?.id ?? assert.fail()
    await client.me.endSession(ended)
    assert.equal(await refusal(other.me.get()), 'AUTH_INVALID')
    assert.equal(await client.me.endOtherSessions(), 1)
    assert.equal(await refusal(third.me.get()), 'AUTH_INVALID')
    assert.equal(
      await refusal(client.me.changePassword('not it', 'five other random words')),
      'PASSWORD_WRONG',
    )
    const { token } = await client.me.changePassword(password, 'five other random words')
    assert.equal(await refusal(client.me.get()), 'AUTH_INVALID')
    const renewed = createClient({ url: host().url, session: token })
    assert.equal((await renewed.me.get()).user?.username, 'dee')
    assert.equal(await refusal(stranger().me.signIn('dee', password)), 'LOGIN_REFUSED')
  })

  it('works in a browser by the cookie, with its CSRF token and not without', async () => {
    await host().addUser('eve')
    const { cookie } = await host().signIn('eve')
    const browser: typeof fetch = (input, init = {}) =>
      fetch(input, { ...init, headers: { ...(init.headers as Record<string, string>), cookie } })
    const without = createClient({ url: host().url, fetch: browser })
    const { csrf_token: csrfToken } = await without.me.session()
    assert.ok(csrfToken)
    assert.equal(await refusal(without.me.createKey({ name: 'k' })), 'AUTH_CSRF')
    const client = createClient({ url: host().url, fetch: browser, csrfToken })
    assert.equal((await client.me.createKey({ name: 'k' })).name, 'k')
  })
})

it('takes no session that could not be sent, and does not show it', () => {
  const options = [
    { session: 'a secret\n' },
    { session: '' },
    { csrfToken: 'ü' },
    { session: 'x', sessionHeader: 'a b' },
  ]
  for (const each of options) {
    assert.throws(
      () => createClient({ url: 'http://127.0.0.1:1', ...each }),
      (error: ClientError) => error.code === 'INVALID_SESSION' && !error.message.includes('secret'),
    )
  }
})
