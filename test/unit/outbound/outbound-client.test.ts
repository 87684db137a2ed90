import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClient, requestTo, succeed, textOf } from '../../helpers/outbound-requests.js'
import { bodyOf, startRawServer, startWebServer } from '../../helpers/web-server.js'

describe('the outbound client', () => {
  it('sends method, path, headers and body as they are, and gives what came back', async (t) => {
    const server = await startWebServer(t, async (request, response) => {
      const body = await bodyOf(request)
      response.setHeader('X-Twice', ['1', '2'])
      response.setHeader('__proto__', 'x')
      response.writeHead(201)
      response.end(
        JSON.stringify({
          ...request.headers,
          method: request.method,
          url: request.url,
          body: body.toString('hex'),
        }),
      )
    })
    const client = createClient(t)
    const body = Uint8Array.from([0, 255, 10])
    const response = await succeed(
      client,
      requestTo(`${server.url}/a%20b?c=d`, {
        method: 'PATCH',
        body,
        given: { 'X-A': 'v', Host: 'evil.example' },
      }),
    )
    const seen = JSON.parse(textOf(response))
    assert.equal(response.status, 201)
    assert.equal(response.headers['x-twice'], '1')
    assert.equal(Object.getPrototypeOf(response.headers), null)
    assert.equal(seen.method, 'PATCH')
    assert.equal(seen.url, '/a%20b?c=d')
    assert.equal(seen.body, '00ff0a')
    assert.equal(seen['x-a'], 'v')
    assert.equal(seen.host, `127.0.0.1:${server.port}`)
    assert.equal(seen['content-length'], '3')
    assert.equal(seen['accept-encoding'], 'identity')
    assert.equal(client.inFlight, 0)
  })

  it('makes a connection for each request and leaves none open', async (t) => {
    const server = await startWebServer(t, (_request, response) => response.end('x'))
    const client = createClient(t)
    for (let count = 0; count < 3; count += 1) await succeed(client, requestTo(server.url))
    assert.equal(server.connections(), 3)
  })

  it('answers a redirect to its caller and follows none', async (t) => {
    let requests = 0
    const server = await startWebServer(t, (_request, response) => {
      requests += 1
      response.writeHead(302, { location: 'http://169.254.169.254/' })
      response.end()
    })
    const client = createClient(t)
    for (let count = 1; count <= 20; count += 1) {
      const response = await succeed(client, requestTo(server.url))
      assert.equal(response.status, 302)
      assert.equal(response.headers.location, 'http://169.254.169.254/')
      assert.equal(requests, count)
    }
  })

  it('does not look at the proxies of the environment', async (t) => {
    const server = await startWebServer(t, (_request, response) => response.end('direct'))
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : 'http://127.0.0.1:1'
    t.after(() => {
      for (const name of names) delete process.env[name]
    })
    assert.equal(textOf(await succeed(createClient(t), requestTo(server.url))), 'direct')
  })

  it('gives the final response, not what is said before it', async (t) => {
    const server = await startRawServer(t, (socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(3))
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx')
    })
    const response = await succeed(createClient(t), requestTo(server.url))
    assert.deepEqual(
      [response.status, { ...response.headers }, textOf(response)],
      [200, { 'content-length': '1' }, 'x'],
    )
  })

  it('answers HEAD and empty responses without a body', async (t) => {
    const server = await startWebServer(t, (request, response) => {
      response.writeHead(request.url === '/none' ? 204 : 200, {
        'content-length': request.url === '/none' ? 0 : 999_999,
      })
      response.end()
    })
    const client = createClient(t)
    const head = await succeed(client, requestTo(server.url, { method: 'HEAD' }))
    assert.equal(head.body.length, 0)
    assert.equal(head.headers['content-length'], '999999')
    assert.equal((await succeed(client, requestTo(`${server.url}/none`))).status, 204)
  })
})
