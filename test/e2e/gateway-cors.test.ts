import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { noBrowser, useBrowser } from '../helpers/browser.js'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'
import { startWebServer } from '../helpers/web-server.js'

/** What a page of another origin can do and read, in a real browser. */

const options = { skip: noBrowser, timeout: 120_000 }
const path = '/api/v1/plugins/echo/thing'
const limitHeaders = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'Retry-After']
const echo = plugin(
  'echo',
  `
local public = { public = true }
local function answer(request)
  return { json = { method = request.method, team = request.headers["x-team"], body = request.body } }
end
http.handle("GET", "/thing", answer, public)
http.handle("PUT", "/thing", answer, public)
http.handle("DELETE", "/thing", answer, public)
`,
)

/** What a script of a page saw of one request; `failed` when the browser showed it nothing. */
interface Seen {
  readonly failed?: string
  readonly status?: number
  readonly text?: string
  readonly headers?: Readonly<Record<string, string | null>>
}

interface World {
  readonly server: TestHost
  /** Sends a request from a page whose origin is `allowed`. */
  send(init: object, headers?: readonly string[]): Promise<Seen>
  /** The same from a page of another origin. */
  sendFromElsewhere(init: object): Promise<Seen>
}

const openWindow = useBrowser()

async function open(
  t: TestContext,
  cors: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<World> {
  const html = '<!doctype html><html><head><link rel="icon" href="data:,"></head><body>page</body></html>'
  const pages = await startWebServer(t, (_request, response) => {
    response.setHeader('content-type', 'text/html').end(html)
  })
  // Another port is another origin; another name is another site, for which cookies are of a third party.
  const allowed = `http://127.0.0.1:${pages.port}`
  const elsewhere = `http://localhost:${pages.port}`
  const config: Record<string, unknown> = { 'gateway.cors.origin': allowed, ...more }
  for (const [key, value] of Object.entries(cors)) config[`gateway.cors.${key}`] = value
  const server = await startHost(t, { plugins: { 'echo/init.lua': echo }, config })
  const context = await openWindow(t)
  const load = async (url: string): Promise<Page> => {
    const page = await context.newPage()
    await page.goto(url)
    return page
  }
  const own = await load(allowed)
  const strange = await load(elsewhere)
  const send = (page: Page, init: object, names: readonly string[] = []): Promise<Seen> =>
    page.evaluate(`(async () => {
      try {
        const answer = await fetch(${JSON.stringify(server.url + path)}, ${JSON.stringify(init)})
        const headers = {}
        for (const name of ${JSON.stringify(names)}) headers[name] = answer.headers.get(name)
        return { status: answer.status, text: await answer.text(), headers }
      } catch (error) {
        return { failed: String(error) }
      }
    })()`)
  return {
    server,
    send: (init, names) => send(own, init, names),
    sendFromElsewhere: (init) => send(strange, init),
  }
}

const put = { method: 'PUT', headers: { 'X-Team': 'red', 'Content-Type': 'application/json' }, body: '{}' }

test('a page reads a refusal of the rate limit, with when to come again', options, async (t) => {
  const { send } = await open(
    t,
    { exposedHeaders: limitHeaders },
    { 'gateway.rateLimit.requests': 2, 'gateway.rateLimit.window': '1h' },
  )
  const first = await send({}, limitHeaders)
  assert.equal(first.status, 200)
  assert.equal(first.headers?.['X-RateLimit-Remaining'], '1')
  assert.equal(first.headers?.['Retry-After'], null)
  await send({})
  const refused = await send({}, limitHeaders)
  assert.equal(refused.status, 429, JSON.stringify(refused))
  assert.deepEqual(JSON.parse(refused.text ?? ''), { error: 'Too Many Requests', code: 'RATE_LIMITED' })
  assert.equal(refused.headers?.['X-RateLimit-Limit'], '2')
  assert.equal(refused.headers?.['X-RateLimit-Remaining'], '0')
  assert.ok(Number(refused.headers?.['X-RateLimit-Reset']) > Date.now())
  const wait = Number(refused.headers?.['Retry-After'])
  assert.ok(wait > 0 && wait <= 1800, `${wait}`)
  const preflighted = await send(put)
  assert.equal(preflighted.status, 429, 'the preflight is answered, so that the page sees why')
})

test('without credentials', options, async (t) => {
  const { server, send } = await open(t, { maxAge: 0 }, { 'gateway.rateLimit.requests': 50 })

  await t.test('a page does not see headers that are not exposed', async () => {
    const seen = await send({}, [...limitHeaders, 'Content-Type'])
    assert.equal(seen.status, 200)
    for (const name of limitHeaders) assert.equal(seen.headers?.[name], null, name)
    assert.match(String(seen.headers?.['Content-Type']), /^application\/json/, 'a simple header')
  })

  await t.test('a page sends what needs a preflight', async () => {
    const seen = await send(put)
    assert.equal(seen.status, 200, JSON.stringify(seen))
    assert.deepEqual(JSON.parse(seen.text ?? ''), { method: 'PUT', team: 'red', body: '{}' })
    const denied = await send({ ...put, credentials: 'include' })
    assert.match(String(denied.failed), /Failed to fetch/, 'the rule does not let credentials through')
    const logged = await server.send('GET', '/gateway/api/logs?status=204', { headers: server.credentials })
    assert.ok(logged.json<unknown[]>().length >= 1, 'there was a preflight, and the gateway answered it')
  })
})

test('with credentials', options, async (t) => {
  const { server, send, sendFromElsewhere } = await open(t, {
    credentials: true,
    methods: ['GET', 'PUT'],
    allowedHeaders: ['X-Team', 'Content-Type'],
  })
  const countPuts = async (): Promise<number> => {
    const logged = await server.send('GET', '/gateway/api/logs', { headers: server.credentials })
    return logged.json<{ method: string }[]>().filter(({ method }) => method === 'PUT').length
  }

  await t.test('a page sends what needs a preflight', async () => {
    const before = await countPuts()
    const seen = await send({ ...put, credentials: 'include' })
    assert.equal(seen.status, 200, JSON.stringify(seen))
    assert.equal(JSON.parse(seen.text ?? '').method, 'PUT')
    assert.equal(await countPuts(), before + 1, 'the log tells of it')
    const other = { method: 'PUT', headers: { 'X-Other': '1' } }
    assert.match(String((await send(other)).failed), /Failed to fetch/, 'a header that is not allowed')
    assert.match(String((await send({ method: 'DELETE' })).failed), /Failed to fetch/, 'nor is the method')
  })

  await t.test('a page of an origin that is not named reads nothing and changes nothing', async () => {
    const before = await countPuts()
    assert.match(String((await sendFromElsewhere({})).failed), /Failed to fetch/)
    assert.match(String((await sendFromElsewhere(put)).failed), /Failed to fetch/)
    assert.equal(await countPuts(), before, 'the browser stopped at the preflight')
  })
})

test('every origin may read with *, but not with credentials', options, async (t) => {
  const { send, sendFromElsewhere } = await open(t, { origin: '*' })
  assert.equal((await sendFromElsewhere({})).status, 200)
  assert.equal((await sendFromElsewhere(put)).status, 200)
  assert.match(String((await send({ credentials: 'include' })).failed), /Failed to fetch/)
})
