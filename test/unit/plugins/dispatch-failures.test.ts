import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RouteTable } from '../../../src/plugins/route-table.js'
import type { CallFailureCode, CallOutcome } from '../../../src/sandbox/generation.js'
import { assertSecurityHeaders, errorOf, useDispatchServers } from '../../helpers/dispatch-requests.js'
import { FakeGeneration, fail, parseRoutes, respond } from '../../helpers/dispatch-server.js'

const start = useDispatchServers()

describe('a call that fails', () => {
  interface Row {
    readonly code: CallFailureCode
    readonly blamed?: boolean
    readonly status: number
    readonly error: string
    readonly counts: boolean
    readonly retryAfter?: string
  }
  const rows: readonly Row[] = [
    { code: 'ERROR', status: 500, error: 'HANDLER_ERROR', counts: true },
    { code: 'TIMEOUT', status: 504, error: 'HANDLER_TIMEOUT', counts: true },
    { code: 'INSTRUCTIONS', status: 504, error: 'HANDLER_TIMEOUT', counts: true },
    { code: 'MEMORY', status: 500, error: 'HANDLER_ERROR', counts: true },
    { code: 'RESULT_TOO_LARGE', status: 500, error: 'RESPONSE_TOO_LARGE', counts: true },
    { code: 'POOL_EXHAUSTED', status: 503, error: 'POOL_EXHAUSTED', counts: false, retryAfter: '1' },
    { code: 'EXECUTOR_LOST', status: 503, error: 'EXECUTOR_LOST', counts: false },
    { code: 'EXECUTOR_LOST', blamed: true, status: 504, error: 'HANDLER_TIMEOUT', counts: true },
    { code: 'CLOSED', status: 503, error: 'PLUGIN_UNAVAILABLE', counts: false },
  ]
  for (const row of rows) {
    const title = `with ${row.code}${row.blamed === true ? ' and is to blame' : ''} is answered ${row.status} ${row.error}`
    it(`${title} and ${row.counts ? 'counts' : 'does not count'}`, async () => {
      const { url, generation, breaker, lines, observed } = await start()
      generation.answer = () => fail(row.code, row.blamed)
      const response = await fetch(`${url}/demo/x`, { headers: { 'x-test-id': 'id-9' } })
      assertSecurityHeaders(response)
      assert.equal(response.headers.get('retry-after'), row.retryAfter ?? null)
      const { status, code, message, request_id } = await errorOf(response)
      assert.deepEqual([status, code, request_id], [row.status, row.error, 'id-9'])
      assert.ok(!message.includes('init.lua') && !message.includes('secret'))
      assert.equal(breaker.failures, row.counts ? 1 : 0)
      assert.equal(generation.calls.length, 1)
      assert.deepEqual(observed, [['demo', 'GET /x', row.status]])
      const [, , fields] = lines[0] ?? []
      assert.equal(fields?.request_id, 'id-9')
      assert.equal(fields?.error, 'init.lua:7: the secret of Lua')
      assert.equal(fields?.plugin, 'demo')
    })
  }

  it('often enough opens the breaker, and its one probe closes it again', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { url, generation, breaker } = await start()
    const statuses = async (count: number) => {
      const seen: number[] = []
      for (let index = 0; index < count; index += 1) seen.push((await fetch(`${url}/demo/x`)).status)
      return seen
    }
    generation.answer = () => fail('ERROR')
    assert.deepEqual(await statuses(4), [500, 500, 500, 503])
    assert.equal(generation.calls.length, 3)
    t.mock.timers.tick(60_000)
    generation.answer = () => fail('POOL_EXHAUSTED')
    assert.deepEqual(await statuses(1), [503])
    assert.equal(breaker.state, 'half-open')
    let release: (outcome: CallOutcome) => void = () => undefined
    const started = new Promise<void>((resolve) => {
      generation.answer = () => {
        resolve()
        return new Promise((settle) => {
          release = settle
        })
      }
    })
    const probe = fetch(`${url}/demo/x`)
    await started
    assert.deepEqual(await statuses(2), [503, 503])
    release(respond({}))
    assert.equal((await probe).status, 200)
    assert.equal(breaker.state, 'closed')
  })

  it('with a status of its own counts as a success', async () => {
    const { url, generation, breaker } = await start()
    generation.answer = () => fail('ERROR')
    await fetch(`${url}/demo/x`)
    assert.equal(breaker.failures, 1)
    generation.answer = () => respond({ status: 500, body: 'my own' })
    const response = await fetch(`${url}/demo/x`)
    assert.equal(response.status, 500)
    assert.equal(await response.text(), 'my own')
    assert.equal(breaker.failures, 0)
  })
})

describe('a reload', () => {
  it('moves a call that was refused by the old generation to the new one, once', async () => {
    const { url, generation, replace, breaker, lines } = await start()
    const next = new FakeGeneration(2, () => respond({ body: 'from the new one' }))
    generation.answer = () => {
      replace({ generation: next })
      return fail('CLOSED')
    }
    const response = await fetch(`${url}/demo/x`, { method: 'POST', body: 'kept' })
    assert.equal(await response.text(), 'from the new one')
    assert.equal(next.calls[0]?.body, 'kept')
    assert.deepEqual([generation.calls.length, next.calls.length], [1, 1])
    assert.equal(breaker.failures, 0)
    assert.deepEqual(lines, [])
  })

  it('does not send a call around without end', async () => {
    const { url, replace, generation } = await start()
    const generations = [generation, new FakeGeneration(2), new FakeGeneration(3), new FakeGeneration(4)]
    for (const [index, current] of generations.entries()) {
      current.answer = () => {
        replace({ generation: generations[index + 1] })
        return fail('CLOSED')
      }
    }
    const { status, code } = await errorOf(await fetch(`${url}/demo/x`))
    assert.deepEqual([status, code], [503, 'PLUGIN_UNAVAILABLE'])
    assert.deepEqual(
      generations.map(({ calls }) => calls.length),
      [1, 1, 0, 0],
    )
  })

  it('that guards a route, or takes it away, also holds for a call that is moved', async () => {
    const { url, replace, generation } = await start()
    const next = new FakeGeneration(2)
    const moveTo = (route: string) => {
      replace({ generation, routes: RouteTable.create(parseRoutes(['GET /x public'])) })
      generation.answer = () => {
        replace({ generation: next, routes: RouteTable.create(parseRoutes([route])) })
        return fail('CLOSED')
      }
    }
    moveTo('GET /x')
    assert.equal((await errorOf(await fetch(`${url}/demo/x`))).code, 'UNAUTHORIZED')
    moveTo('GET /x public unapproved')
    assert.equal((await errorOf(await fetch(`${url}/demo/x`))).code, 'ROUTE_NOT_FOUND')
    assert.equal(next.calls.length, 0)
  })
})

describe('a failure of the host itself', () => {
  it('is answered with a fixed text and logged, and counts for no plugin', async () => {
    const { url, generation, breaker, lines } = await start()
    generation.answer = () => Promise.reject(new Error('database path /secret'))
    const error = await errorOf(await fetch(`${url}/demo/x`))
    assert.deepEqual([error.status, error.code], [500, 'INTERNAL_ERROR'])
    assert.ok(!error.message.includes('secret'))
    assert.equal(lines[0]?.[2].error, 'database path /secret')
    assert.equal(breaker.failures, 0)
  })

  it('in a function of the host does not hang the request', async () => {
    const boom = () => {
      throw new Error('boom')
    }
    for (const dispatch of [{ authenticate: boom }, { clientIp: boom }, { stripCredentials: boom }]) {
      const { url } = await start({ dispatch })
      assert.equal((await errorOf(await fetch(`${url}/demo/x`))).code, 'INTERNAL_ERROR')
      const post = await fetch(`${url}/demo/x`, { method: 'POST', body: 'x' })
      assert.equal((await errorOf(post)).code, 'INTERNAL_ERROR')
    }
  })

  it('is what a header becomes that Node refuses, and nothing of it is sent', async () => {
    const { url, generation } = await start()
    generation.answer = () => respond({ headers: ['x-fine', 'a', 'x-bad', 'a\rb'], body: 'x' })
    const response = await fetch(`${url}/demo/x`)
    assert.equal(response.headers.get('x-fine'), null)
    assert.equal((await errorOf(response)).code, 'INTERNAL_ERROR')
    generation.answer = () => respond({ body: 'fine' })
    assert.equal((await fetch(`${url}/demo/x`)).status, 200)
  })
})
