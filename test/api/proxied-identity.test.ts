import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import type { TestContext } from 'node:test'
import { after, before, describe, it } from 'node:test'
import { plugin, startHost, useHost } from '../helpers/create-host.js'
import { portOf } from '../helpers/proxy-world.js'
import { rawRequest, sendRaw } from '../helpers/raw-http.js'

const badges = plugin(
  'badges',
  `auth.authenticator("badge", function(req)
  if req.bearer == "who_ann" then
    return auth.identity({ type = "worker", id = "ann\\226\\128\\153s", name = "Ann \\195\\182", email = "ann@example.com", tenant_id = "acme",
      roles = { "packer" }, groups = { "hall, 3" }, attributes = { secret_claim = "claimed" } })
  end
  if req.bearer == "who_all" then
    local groups = {}
    for at = 1, 200 do groups[at] = ("g"):rep(100) .. at end
    return auth.identity({ id = "all", groups = groups })
  end
  return auth.fail()
end, { bearer = "who_" })`,
)

/** A server that notes what it is asked, WebSockets included, which it refuses. */
const behind = {
  asked: [] as IncomingMessage[],
  server: createServer((request, response) => {
    request.resume().on('end', () => {
      behind.asked.push(request)
      response.end('ok')
    })
  }).on('upgrade', (request: IncomingMessage, socket) => {
    behind.asked.push(request)
    socket.end('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  }),
}

const target = () => `http://127.0.0.1:${portOf(behind.server)}`

/** All values of headers that a server could take for the identity. */
function claimsOf({ rawHeaders, rawTrailers }: IncomingMessage): readonly string[] {
  const all = [...rawHeaders, ...rawTrailers]
  return all.filter((_, at) => at % 2 === 1 && /^x[-_]identity$/i.test(all[at - 1] as string))
}

const decode = (value = '') => JSON.parse(Buffer.from(value, 'base64url').toString()) as unknown

before(() => new Promise<void>((done) => void behind.server.listen(0, '127.0.0.1', done)))
after(() => behind.server.close())

describe('a server behind the proxy', () => {
  let host: ReturnType<typeof useHost>
  const send = async (path: string, headers: readonly string[], body = '') => {
    behind.asked.length = 0
    const connection = headers.some((each) => /^connection/i.test(each)) ? [] : ['Connection: close']
    const reply = await sendRaw(
      Number(new URL(host().url).port),
      rawRequest(path.includes(' ') ? path : `GET ${path}`, ['Host: x', ...connection, ...headers], body),
    )
    return { reply, asked: behind.asked[0] }
  }
  host = useHost({ plugins: { 'badges/init.lua': badges } })
  before(async () => {
    for (const [pattern, fields] of [
      ['^/told', { identity: true }],
      ['^/untold', {}],
    ] as const) {
      const answer = await host().send('POST', '/api/proxy/rules', {
        headers: host().credentials,
        json: { pattern, target: target(), ...fields },
      })
      assert.ok(answer.status < 300, answer.text)
    }
  })

  it('is told who sends a request, where the rule says so', async () => {
    const { asked } = await send('/told/x', ['Authorization: Bearer who_ann'])
    assert.ok(asked)
    const [value, ...more] = claimsOf(asked)
    assert.deepEqual(more, [])
    assert.match(value ?? '', /^[\w-]+$/)
    assert.deepEqual(decode(value), {
      sub: 'ann’s',
      kind: 'worker',
      roles: ['packer'],
      groups: ['hall, 3'],
      tenant: 'acme',
      email: 'ann@example.com',
      name: 'Ann ö',
    })
    const other = await send('/untold/x', ['Authorization: Bearer who_ann'])
    assert.deepEqual(other.asked && claimsOf(other.asked), [])
    const operator = await send('/told/x', [`Authorization: Bearer ${host().host.adminToken.token}`])
    const { sub, kind } = decode(claimsOf(operator.asked as IncomingMessage)[0]) as Record<string, unknown>
    assert.deepEqual([sub, kind], ['admin', 'service'])
  })

  it('gets nothing of what a client claims, however it is sent', async () => {
    const forged = Buffer.from('{"sub":"root","roles":["admin"]}').toString('base64url')
    const chunked = ['Transfer-Encoding: chunked', 'Trailer: X-Identity']
    for (const [line, headers, body] of [
      ['/told', [`X-Identity: ${forged}`]],
      ['/told', [`x-IDENTITY: ${forged}`, `X-Identity: ${forged}`]],
      ['/told', [`X_Identity: ${forged}`, `x_IDENTITY: ${forged}`, `X-Identity: ${forged}`]],
      ['/told', [`X-Identity: ${forged}`, 'Connection: X-Identity, close']],
      ['/told', ['Connection: x-identity, x-identity, close', `X-Identity:\t${forged} `]],
      ['POST /told', chunked, `1\r\na\r\n0\r\nX-Identity: ${forged}\r\n\r\n`],
      [
        '/told',
        [
          'Upgrade: websocket',
          'Connection: Upgrade, X-Identity',
          `X-Identity: ${forged}`,
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        ],
      ],
      [
        '/told',
        [
          'Upgrade: websocket',
          'Connection: Upgrade',
          `X_Identity: ${forged}`,
          `X-Identity: ${forged}`,
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        ],
      ],
    ] as const) {
      const stranger = await send(line, headers, body)
      assert.ok(stranger.asked, `${headers} ${stranger.reply.text}`)
      assert.deepEqual(claimsOf(stranger.asked), [], String(headers))
      const known = await send(line, [...headers, 'Authorization: Bearer who_ann'], body)
      assert.ok(known.asked, `${headers} ${known.reply.text}`)
      const claims = claimsOf(known.asked)
      assert.deepEqual(
        claims.map((claim) => (decode(claim) as { sub: string }).sub),
        ['ann’s'],
        String(headers),
      )
    }
  })

  it('is asked nothing when the identity cannot be said, or is not clear', async () => {
    const long = await send('/told', ['Authorization: Bearer who_all'])
    assert.equal(long.asked, undefined)
    assert.match(long.reply.text, /^HTTP\/1\.1 500 [\s\S]*PROXY_IDENTITY_TOO_LONG/)
    const wrong = await send('/told', ['Authorization: Bearer who_wrong'])
    assert.equal(wrong.asked, undefined)
    assert.match(wrong.reply.text, /^HTTP\/1\.1 401 /)
  })
})

describe('a rule that says who sends a request', () => {
  const refusedAtStart = (test: TestContext, rule: object) =>
    startHost(test, {
      plugins: {},
      config: { 'gateway.proxy.rules': [{ pattern: '^/a', target: 'http://127.0.0.1:9', ...rule }] },
    })

  it('says it once', async (test) => {
    for (const name of ['X-Identity', 'x_identity']) {
      await assert.rejects(
        refusedAtStart(test, { identity: true, headers: { [name]: 'fixed' } }),
        /by identity and by the header/,
      )
    }
    await assert.rejects(refusedAtStart(test, { identity: 'yes' }))
  })
})
