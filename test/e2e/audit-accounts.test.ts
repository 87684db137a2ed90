import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { password, useAccountHost } from '../helpers/account-host.js'
import { bundledPlugin } from '../helpers/bundled-plugin.js'
import { until } from '../helpers/until.js'

const secret = 'a-secret-of-the-worker-tokens-0123456789'

interface Event {
  readonly action: string
  readonly outcome: string
  readonly actor_name?: string
  readonly actor_id?: string
  readonly tenant_id?: string
  readonly client_ip?: string
  readonly details: Readonly<Record<string, unknown>>
}

describe('the audit log', () => {
  const host = useAccountHost({
    plugins: { ...bundledPlugin('audit_log'), ...bundledPlugin('worker_token') },
    config: { plugins: { worker_token: { secret } } },
  })
  const read = async (
    query: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<readonly Event[]> => {
    const answer = await host().send('GET', `/api/v1/plugins/audit_log/events?limit=100${query}`, { headers })
    assert.equal(answer.status, 200, answer.text)
    return answer.json<{ events: readonly Event[] }>().events
  }
  const seen = (query: string): Promise<Event> =>
    until(query, async () => (await read(query, host().credentials))[0])

  it('tells who has signed in and who has tried to, users and keys, and no credential of theirs', async () => {
    await host().addUser('ann', { tenant: 'a', roles: ['admin'] })
    const key = await host().addKey({ permissions: ['content:read'] })
    const tried = 'not the password of ann'
    assert.equal((await host().auth('POST', '/login', { username: 'ann', password: tried })).status, 401)
    const ann = await host().signIn('ann')
    const changed = { old_password: password, new_password: 'another four words here' }
    assert.equal((await host().auth('POST', '/password', changed, ann.browser)).status, 200)

    const failed = await seen('&action=session.open&outcome=failure')
    assert.equal(failed.details.username, 'ann')
    assert.equal(failed.client_ip, '127.0.0.1')
    assert.equal((await seen('&action=session.open&outcome=success')).outcome, 'success')
    assert.equal((await seen('&action=user.create')).actor_id, 'admin')
    await seen('&action=key.create')
    await seen('&action=user.password')
    const text = JSON.stringify(await read('', host().credentials))
    const session = ann.cookie.split('=')[1] ?? ''
    for (const each of [password, tried, 'another four words', key, key.slice(8), session, ann.csrf]) {
      assert.ok(each.length > 5 && !text.includes(each), 'no credential is kept')
    }
  })

  it('and worker_token take an admin of a tenant who has signed in, and show them that tenant alone', async () => {
    for (const tenant of ['b', 'c']) await host().addUser(`of-${tenant}`, { tenant, roles: ['admin'] })
    const [b, c] = [await host().signIn('of-b'), await host().signIn('of-c')]
    const json = { display_name: 'packer' }
    const made = await host().send('POST', '/api/v1/plugins/worker_token/tokens', {
      headers: b.browser,
      json,
    })
    assert.equal(made.status, 201, made.text)
    const kept = await until(
      'it is kept',
      async () => (await read('&action=worker_token.token.create', b.browser))[0],
    )
    assert.deepEqual([kept.actor_id, kept.tenant_id], [b.id, 'b'])
    const others = await read('', c.browser)
    assert.deepEqual(new Set(others.map(({ tenant_id: tenant }) => tenant)), new Set(['c']))
    // A cookie alone, as another site would send it, makes nothing.
    const forged = { headers: { cookie: b.cookie }, json }
    assert.equal((await host().send('POST', '/api/v1/plugins/worker_token/tokens', forged)).status, 403)
  })
})
