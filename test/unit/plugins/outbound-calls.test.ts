import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { WireAnswer, WireRequest } from '../../../src/capabilities/request/wire.js'
import type { OutboundRequest, OutboundResult } from '../../../src/outbound/outbound-sender.js'
import { readOutboundUrl } from '../../../src/outbound/outbound-url.js'
import {
  OutboundCalls,
  type OutboundCallsOptions,
  type OutboundObservation,
} from '../../../src/plugins/outbound-calls.js'
import type { HostAsk } from '../../../src/sandbox/generation.js'

const resetMs = 60_000

const answered = (status: number): OutboundResult => ({
  ok: true,
  response: { status, headers: {}, body: new Uint8Array() },
})

const failed = (kind: 'refused' | 'busy' | 'canceled' | 'response_too_large'): OutboundResult => ({
  ok: false,
  failure: { kind, message: `failed: ${kind}` },
})

function create(t: TestContext, options: Partial<OutboundCallsOptions> = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const sent: OutboundRequest[] = []
  const observed: OutboundObservation[] = []
  const trips: unknown[] = []
  const clock = { nowMs: 0 }
  const server = { respond: (): OutboundResult | Promise<OutboundResult> => answered(200) }
  const calls = new OutboundCalls({
    sender: {
      async send(request) {
        sent.push(request)
        return server.respond()
      },
    },
    isApproved: () => true,
    breaker: { failuresMax: 5, resetMs },
    ratePerMinute: 0,
    globalRatePerMinute: 0,
    timeoutMs: 10_000,
    requestBytesMax: 100,
    allowLocal: false,
    userAgent: 'modulacms/test',
    observe: (observation) => observed.push(observation),
    log: { warn: (fields) => trips.push(fields) },
    clock: () => clock.nowMs,
    ...options,
  })
  t.after(() => calls.close())
  return { calls, sent, observed, trips, clock, server, wait: (ms: number) => t.mock.timers.tick(ms) }
}

function ask(url: string, more: Partial<WireRequest> = {}, around: Partial<HostAsk> = {}): HostAsk {
  const read = readOutboundUrl(url)
  assert.ok(read.ok, url)
  const payload: WireRequest = {
    method: 'GET',
    target: read.target,
    headers: [],
    body: undefined,
    bodyBytes: 0,
    isJson: false,
    timeoutMs: undefined,
    ...more,
  }
  const topic = 'request.send'
  const of = { plugin: 'p', version: '1', generation: 1, phase: 'request', requestId: 'r1' } as const
  return { ...of, topic, timeLeftMs: 60_000, payload, ...around }
}

function errorOf(answer: WireAnswer): string {
  assert.ok('error' in answer, JSON.stringify(answer))
  return answer.error
}

const url = 'https://api.example.com/'

describe('the checks of an outbound request', () => {
  it('come in their order: scheme, port, approval, breaker, rates, sizes', async (t) => {
    const { calls, sent, observed } = create(t, {
      isApproved: (_plugin, domain) => domain !== 'other.example',
      breaker: { failuresMax: 1, resetMs },
      ratePerMinute: 60,
      globalRatePerMinute: 60,
    })
    const large = { bodyBytes: 101 }
    const reasons = async (target: string) => errorOf(await calls.answer(ask(target, large)))
    assert.match(await reasons('ftp://other.example:22/'), /^scheme "ftp" is not allowed/)
    assert.match(await reasons('https://other.example:22/'), /^port 22 is not allowed/)
    assert.match(await reasons('https://other.example/'), /^domain not approved: other\.example$/)
    assert.match(await reasons(url), /^request body too large: 101 bytes; the limit is 100$/)
    assert.match(await reasons(url), /^rate limit reached: 60 requests a minute to api\.example\.com$/)
    assert.match(await reasons('https://second.example/'), /^global rate limit reached: 60 requests/)
    assert.equal(sent.length, 0)
    assert.equal(observed.length, 0)
    assert.deepEqual(calls.breakers(), [])
  })

  it('ask for the approval of the exact host, whatever the port', async (t) => {
    const asked: string[] = []
    const { calls, sent } = create(t, {
      isApproved: (plugin, domain) => asked.push(`${plugin} ${domain}`) > 0 && domain === 'api.example.com',
    })
    for (const target of ['https://API.example.COM/', 'https://api.example.com:8443/'])
      await calls.answer(ask(target))
    for (const target of [
      'https://example.com/',
      'https://x.api.example.com/',
      'https://api.example.com.evil.example/',
    ])
      assert.match(errorOf(await calls.answer(ask(target))), /domain not approved/)
    assert.equal(sent.length, 2)
    assert.equal(asked[0], 'p api.example.com')
  })

  it('give the plugin headers, the defaults and the request id', async (t) => {
    const { calls, sent } = create(t)
    await calls.answer(
      ask(url, { headers: ['User-Agent', 'mine', 'X-Request-ID', 'x', 'Host', 'x'], isJson: true }),
    )
    await calls.answer(
      ask(url, { headers: ['Content-Type', 'application/vnd.x+json'], isJson: true }, { requestId: '' }),
    )
    assert.deepEqual(
      sent.map(({ headers }) => Object.fromEntries(headers.entries)),
      [
        { 'user-agent': 'mine', 'content-type': 'application/json', 'x-request-id': 'r1' },
        { 'user-agent': 'modulacms/test', 'content-type': 'application/vnd.x+json' },
      ],
    )
    assert.match(
      errorOf(await calls.answer(ask(url, { headers: ['x-a', 'a\r\nb'] }))),
      /invalid value of request header/,
    )
    assert.equal(sent.length, 2)
  })

  it('give the shortest of the times: configured, wanted, and left to the call', async (t) => {
    const { calls, sent } = create(t)
    await calls.answer(ask(url))
    await calls.answer(ask(url, { timeoutMs: 3000 }))
    await calls.answer(ask(url, { timeoutMs: 99_000 }))
    await calls.answer(ask(url, { timeoutMs: 3000 }, { timeLeftMs: 1100 }))
    assert.deepEqual(
      sent.map(({ timeoutMs }) => timeoutMs),
      [10_000, 3000, 10_000, 1000],
    )
    assert.match(
      errorOf(await calls.answer(ask(url, {}, { timeLeftMs: 100 }))),
      /timed out before it was sent/,
    )
    assert.equal(sent.length, 4)
    assert.deepEqual(calls.breakers(), [])
  })
})

describe('the rates of outbound requests', () => {
  const isLimited = (answer: WireAnswer) => 'error' in answer && answer.error.includes('rate limit')

  it('are for each plugin and domain, with a burst of a second, at most five', async (t) => {
    for (const [ratePerMinute, burst] of [
      [60, 1],
      [6, 1],
      [180, 3],
      [6000, 5],
    ] as const) {
      const { calls, clock } = create(t, { ratePerMinute })
      for (let count = 0; count < burst; count += 1)
        assert.equal(isLimited(await calls.answer(ask(url))), false)
      assert.equal(isLimited(await calls.answer(ask(url))), true)
      assert.equal(isLimited(await calls.answer(ask(url, {}, { plugin: 'q' }))), false)
      assert.equal(isLimited(await calls.answer(ask('https://b.example/'))), false)
      clock.nowMs += 60_000 / ratePerMinute
      assert.equal(isLimited(await calls.answer(ask(url))), false)
      assert.equal(isLimited(await calls.answer(ask(url))), true)
      t.mock.timers.reset()
    }
  })

  it('are also for all plugins together', async (t) => {
    const { calls, clock } = create(t, { globalRatePerMinute: 120 })
    const answers = async (count: number) => {
      const limited: boolean[] = []
      for (let at = 0; at < count; at += 1)
        limited.push(isLimited(await calls.answer(ask(`https://h${at}.example/`, {}, { plugin: `p${at}` }))))
      return limited
    }
    assert.deepEqual(await answers(3), [false, false, true])
    clock.nowMs += 500
    assert.deepEqual(await answers(2), [false, true])
  })
})

describe('the breaker of a domain', () => {
  it('opens at failures in a row: no response, too large a one, a status of 500 or more', async (t) => {
    const { calls, server, sent, trips } = create(t)
    const outcomes = [failed('refused'), answered(500), failed('response_too_large'), answered(503)]
    for (const outcome of outcomes) {
      server.respond = () => outcome
      await calls.answer(ask(url))
    }
    server.respond = () => answered(499)
    await calls.answer(ask(url))
    assert.deepEqual(calls.breakers(), [])
    server.respond = () => answered(599)
    for (let count = 0; count < 5; count += 1) await calls.answer(ask(url))
    assert.equal(sent.length, 10)
    assert.match(errorOf(await calls.answer(ask(url))), /circuit breaker open for api\.example\.com.* in 60s/)
    assert.equal(sent.length, 10)
    assert.deepEqual(trips, [{ plugin: 'p', domain: 'api.example.com', failures: 5 }])
    await calls.answer(ask(url, {}, { plugin: 'q' }))
    await calls.answer(ask('https://b.example/'))
    assert.equal(sent.length, 12)
  })

  it('does not count what says nothing of the server', async (t) => {
    const { calls, server } = create(t, { breaker: { failuresMax: 1, resetMs } })
    for (const outcome of [failed('busy'), failed('canceled')]) {
      server.respond = () => outcome
      await calls.answer(ask(url))
    }
    assert.deepEqual(calls.breakers(), [])
  })

  it('lets exactly one probe through after its time, whose outcome decides', async (t) => {
    const { calls, server, sent, wait } = create(t, { breaker: { failuresMax: 1, resetMs } })
    server.respond = () => failed('refused')
    await calls.answer(ask(url))
    wait(resetMs)
    let finish: (result: OutboundResult) => void = () => undefined
    server.respond = () => new Promise((resolve) => (finish = resolve))
    const probe = calls.answer(ask(url))
    for (let count = 0; count < 3; count += 1)
      assert.match(errorOf(await calls.answer(ask(url))), /circuit breaker open/)
    assert.equal(sent.length, 2)
    finish(answered(500))
    await probe
    assert.equal(calls.breakers()[0]?.state, 'open')
    wait(resetMs)
    server.respond = () => answered(200)
    await calls.answer(ask(url))
    assert.deepEqual(calls.breakers(), [])
    assert.equal(sent.length, 3)
  })

  it('gives the probe back when a rate limit keeps it from being sent', async (t) => {
    const { calls, server, wait, clock, sent } = create(t, {
      breaker: { failuresMax: 1, resetMs },
      ratePerMinute: 60,
    })
    server.respond = () => failed('refused')
    await calls.answer(ask(url))
    wait(resetMs)
    assert.match(errorOf(await calls.answer(ask(url))), /rate limit/)
    clock.nowMs += 1000
    server.respond = () => answered(200)
    assert.ok('status' in (await calls.answer(ask(url))))
    assert.equal(sent.length, 2)
  })

  it('gets its probe back from a sender that fails', async (t) => {
    const { calls, server, wait } = create(t, { breaker: { failuresMax: 1, resetMs } })
    server.respond = () => failed('refused')
    await calls.answer(ask(url))
    wait(resetMs)
    server.respond = () => Promise.reject(new Error('a bug'))
    await assert.rejects(calls.answer(ask(url)), /a bug/)
    server.respond = () => answered(200)
    assert.ok('status' in (await calls.answer(ask(url))))
  })

  it('counts requests that end at the same time, whatever their order', async (t) => {
    const { calls, server } = create(t, { breaker: { failuresMax: 2, resetMs } })
    const endings: ((result: OutboundResult) => void)[] = []
    server.respond = () => new Promise((resolve) => endings.push(resolve))
    const answers = [calls.answer(ask(url)), calls.answer(ask(url)), calls.answer(ask(url))]
    endings[0]?.(answered(200))
    endings[1]?.(answered(500))
    endings[2]?.(answered(500))
    await Promise.all(answers)
    assert.equal(calls.breakers()[0]?.state, 'open')
  })

  it('is reset by an admin, in any spelling of the domain', async (t) => {
    const { calls, server } = create(t, { breaker: { failuresMax: 1, resetMs } })
    server.respond = () => failed('refused')
    await calls.answer(ask(url))
    assert.deepEqual(calls.breakers(), [
      { plugin: 'p', domain: 'api.example.com', state: 'open', failures: 1, retryAfterSeconds: 60 },
    ])
    assert.equal(calls.resetBreaker('q', 'api.example.com'), false)
    assert.equal(calls.resetBreaker('p', 'API.example.com'), true)
    assert.equal(calls.resetBreaker('p', 'api.example.com'), false)
    server.respond = () => answered(200)
    assert.ok('status' in (await calls.answer(ask(url))))
  })
})

describe('what is observed of outbound requests', () => {
  it('is each one that was sent, with status 0 when nothing came back', async (t) => {
    const { calls, server, observed } = create(t)
    server.respond = () => answered(204)
    await calls.answer(ask(url, { method: 'DELETE' }))
    server.respond = () => failed('refused')
    await calls.answer(ask(url))
    server.respond = () => failed('busy')
    await calls.answer(ask(url))
    assert.deepEqual(
      observed.map(({ durationMs, ...rest }) => ({ ...rest, timed: durationMs >= 0 })),
      [
        { plugin: 'p', method: 'DELETE', domain: 'api.example.com', status: 204, timed: true },
        { plugin: 'p', method: 'GET', domain: 'api.example.com', status: 0, timed: true },
      ],
    )
  })
})
