import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type AdminServer, createAdminServer } from '../../helpers/admin-server.js'

let server: AdminServer
const prefix = '/api/v1/admin/plugins/hooks'
const headers = { authorization: 'Bearer right-token' }

before(async () => {
  server = await createAdminServer()
  const time = '2026-01-02T03:04:05.000Z'
  server.hooks.listings = [
    {
      ...{ id: '7', plugin: 'a', event: 'after_create', table: '*', written_table: 'articles' },
      ...{
        request_id: 'r1',
        state: 'dead',
        attempts: 10,
        error: 'ERROR: boom',
        due_at: time,
        created_at: time,
      },
    },
  ]
})

after(() => server.app.close())

const send = (method: 'GET' | 'POST' | 'DELETE', path: string, payload?: object, token = headers) =>
  server.app.inject({ method, url: prefix + path, headers: token, ...(payload && { payload }) })

test('deliveries are listed with a filter and a next page', async () => {
  server.hooks.next = '7'
  const answer = await send('GET', '/deliveries?state=dead&plugin=a&after=3')
  assert.equal(answer.statusCode, 200, answer.body)
  assert.deepEqual(answer.json(), { deliveries: server.hooks.listings, next: '7' })
  assert.deepEqual(server.hooks.filters.at(-1), { state: 'dead', plugin: 'a', after: 3 })
  server.hooks.next = undefined
  assert.deepEqual((await send('GET', '/deliveries')).json(), { deliveries: server.hooks.listings })
  assert.deepEqual(server.hooks.filters.at(-1), {})
})

test('what is asked wrongly is refused by name', async () => {
  for (const query of ['state=lost', 'after=x', 'after=-1', `after=${'9'.repeat(16)}`, 'limit=3']) {
    const answer = await send('GET', `/deliveries?${query}`)
    assert.equal(answer.statusCode, 400, query)
    assert.equal(answer.json().error.code, 'INVALID_REQUEST')
  }
  assert.equal((await send('DELETE', '/deliveries/abc')).statusCode, 400)
  assert.equal((await send('POST', '/breakers/reset', { plugin: 'a', event: 'x' })).statusCode, 400)
})

test('a delivery is tried again or discarded by its number, and the log says by whom', async () => {
  assert.equal((await send('POST', '/deliveries/7/retry')).statusCode, 200)
  assert.equal((await send('DELETE', '/deliveries/7')).statusCode, 200)
  const absent = await send('POST', '/deliveries/8/retry')
  assert.deepEqual([absent.statusCode, absent.json().error.code], [404, 'HOOK_DELIVERY_NOT_FOUND'])
  assert.deepEqual(server.hooks.done, ['retry 7 by root', 'discard 7 by root'])
  const actions = server.lines.map(([, , fields]) => fields.action)
  assert.deepEqual(actions, ['hook.delivery.retry', 'hook.delivery.discard', 'hook.delivery.retry'])
})

test('breakers are listed and reset', async () => {
  server.hooks.breakerList = [
    { plugin: 'a', event: 'before_create', table: '*', state: 'open', failures: 10 },
  ]
  assert.deepEqual((await send('GET', '/breakers')).json(), { breakers: server.hooks.breakerList })
  const hook = { plugin: 'a', event: 'before_create', table: '*' }
  assert.deepEqual((await send('POST', '/breakers/reset', hook)).json(), { ok: true })
  assert.equal(server.hooks.done.at(-1), 'reset a before_create:* by root')
})

test('nobody but an admin gets in', async () => {
  for (const [method, path] of [
    ['GET', '/deliveries'],
    ['DELETE', '/deliveries/7'],
    ['POST', '/deliveries/7/retry'],
    ['GET', '/breakers'],
    ['POST', '/breakers/reset'],
  ] as const) {
    assert.equal((await send(method, path, undefined, { authorization: 'Bearer wrong' })).statusCode, 401)
    assert.equal(
      (await send(method, path, undefined, { authorization: 'Bearer viewer-token' })).statusCode,
      403,
    )
  }
})
