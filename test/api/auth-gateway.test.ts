import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { openHost, plugin, type TestHost } from '../helpers/create-host.js'
import { rawRequest, sendRaw } from '../helpers/raw-http.js'

describe('rules of paths in the gateway', () => {
  let host: (TestHost & { dispose(): Promise<void> }) | undefined
  const seen: string[] = []
  const upstream = createServer((request, response) => {
    seen.push(request.url ?? '')
    response.end('from behind')
  })
  const server = () => host ?? assert.fail('the host does not run')

  before(async () => {
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
    const target = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
    host = await openHost({
      plugins: {
        'turn/init.lua': plugin(
          'turn',
          `gateway.on_request(function() return { request = { path = "/site/private" } } end, { paths = { "/site/public/turn" } })`,
        ),
      },
      config: {
        'auth.http.authenticators': ['admin_token'],
        'auth.http.loginPath': '/login',
        'auth.http.rules': [
          { paths: ['/site/closed/**'], authenticators: ['admin_token'] },
          { paths: ['/login'], authenticators: [] },
        ],
        'gateway.cors.origin': 'https://app.example',
        'gateway.cors.enabled': true,
        'gateway.proxy.rules': [
          { pattern: '^/site/', target, publicRoutes: ['/site/public/**', '/site/closed/x'] },
        ],
      },
    })
  })
  after(async () => {
    await host?.dispose()
    upstream.close()
  })

  const statusOf = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    (await server().send(method, path, { headers })).status

  it('guard what other servers answer, but for what its rule makes public', async () => {
    seen.length = 0
    assert.equal(await statusOf('/site/public/x'), 200)
    assert.equal(await statusOf('/site/private'), 401)
    assert.equal(await statusOf('/site/closed/x'), 401, 'a rule of the configuration comes first')
    assert.equal(await statusOf('/site/private', server().credentials), 200)
    assert.deepEqual(seen, ['/site/public/x', '/site/private'])
  })

  it('are not passed by spellings that servers behind may read in another way', async () => {
    seen.length = 0
    const port = Number(new URL(server().url).port)
    for (const path of [
      '/site/public/../private',
      '/site/public/..%2fprivate',
      '/site/public/%2e%2e/private',
      '/site/public/..;/private',
      '/site/public%2f..%2fprivate',
      '/site/public/%252e%252e/private',
      '/site//closed/x',
      '/site/closed%2fx',
      '/site/Closed/x',
      '/site/closed;/x',
    ]) {
      const { statuses } = await sendRaw(
        port,
        rawRequest(`GET ${path}`, ['Host: a.example', 'Connection: close']),
      )
      assert.ok([400, 401].includes(statuses[0] ?? 0), `${path} answered ${statuses[0]}`)
    }
    assert.deepEqual(seen, [])
  })

  it('guard what a stage of a plugin turns a request to', async () => {
    seen.length = 0
    assert.equal(await statusOf('/site/public/turn'), 401)
    assert.deepEqual(seen, [])
    assert.equal(await statusOf('/site/public/turn', server().credentials), 200)
  })

  it('let browsers ask whether they may send a request, and nothing more', async () => {
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
    const answer = await server().send('OPTIONS', '/site/private', { headers: preflight })
    assert.equal(answer.status, 204)
    assert.equal(answer.headers['access-control-allow-origin'], 'https://app.example')
    const refused = await server().send('GET', '/site/private', {
      headers: { origin: 'https://app.example' },
    })
    assert.equal(refused.status, 401)
    assert.equal(refused.headers['access-control-allow-origin'], 'https://app.example', 'a page can read why')
    seen.length = 0
    assert.equal(await statusOf('/site/private', {}, 'OPTIONS'), 401)
    await statusOf('/site/private', { ...preflight, origin: 'https://other.example' }, 'OPTIONS')
    assert.deepEqual(seen, [], 'no preflight gets behind')
  })

  it('lead people to where they sign in, and programs not', async () => {
    const page = await server().send('GET', '/site/private?a=1&b=//x', {
      headers: { accept: 'text/html,*/*' },
    })
    assert.equal(page.status, 302)
    assert.equal(page.headers.location, '/login?redirect=%2Fsite%2Fprivate%3Fa%3D1%26b%3D%2F%2Fx')
    for (const headers of [
      { accept: 'application/json' },
      { accept: 'text/html', 'sec-fetch-mode': 'cors' },
      { accept: 'text/html', authorization: 'Bearer wrong' },
    ]) {
      assert.ok([302, 401].includes(await statusOf('/site/private', headers as Record<string, string>)))
    }
    assert.equal(await statusOf('/site/private', { accept: 'application/json' }), 401)
    assert.equal(await statusOf('/site/private', { accept: 'text/html' }, 'POST'), 401)
    assert.equal(await statusOf('/login'), 404, 'which nobody serves here')
  })

  it('stand in the chain where operators expect them', async () => {
    const answer = await server().send('GET', '/gateway/api/pipeline', { headers: server().credentials })
    const stages = answer.json<readonly { name: string; priority: number }[]>()
    const placeOf = (name: string) => stages.findIndex((stage) => stage.name === name)
    assert.deepEqual(
      ['authn', 'authz'].map((name) => stages[placeOf(name)]?.priority),
      [10, 20],
    )
    assert.ok(placeOf('authn') < placeOf('cors') && placeOf('cors') < placeOf('authz'))
  })
})
