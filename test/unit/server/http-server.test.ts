import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { it, type TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { createHttpServer, type HttpServerOptions } from '../../../src/server/http-server.js'
import { serverSettings } from '../../helpers/server-settings.js'

const log = { error: () => {}, warn: () => {} }

interface Listening {
  readonly app: FastifyInstance
  /** Opens a connection and collects what comes. */
  open(): Promise<Client>
}

interface Client {
  readonly socket: Socket
  /** What has come so far. */
  text(): string
  /** Settles when the connection is gone. */
  readonly gone: Promise<void>
}

async function listen(
  test: TestContext,
  prepare: (app: FastifyInstance) => void,
  options: Partial<HttpServerOptions> = {},
): Promise<Listening> {
  const app = createHttpServer({ log, settings: serverSettings(), ...options })
  prepare(app)
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  test.after(() => app.close())
  const open = async (): Promise<Client> => {
    const accepted = once(app.server, 'connection')
    const socket = connect(Number(port), '127.0.0.1')
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    test.after(() => socket.destroy())
    const gone = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    await accepted
    return { socket, text: () => text, gone }
  }
  return { app, open }
}

/** A route whose answer waits until it is released. */
function heldRoute(): { add(app: FastifyInstance): void; readonly entered: Promise<void>; release(): void } {
  let enter = (): void => {}
  let release = (): void => {}
  const entered = new Promise<void>((resolve) => {
    enter = resolve
  })
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  return {
    entered,
    release: () => release(),
    add(app) {
      app.get('/held', async () => {
        enter()
        await released
        return 'finished'
      })
    },
  }
}

it('closing ends connections that never sent a request, or only the beginning of one', async (test) => {
  const { app, open } = await listen(test, () => {})
  const silent = await open()
  const begun = await open()
  begun.socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  const used = await open()
  used.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(used.socket, 'data')
  await app.close()
  await Promise.all([silent.gone, begun.gone, used.gone])
  assert.equal(silent.text(), '')
  assert.equal(begun.text(), '')
})

it('closing lets requests in flight finish, on their connections alone', async (test) => {
  const held = heldRoute()
  const { app, open } = await listen(test, held.add)
  const silent = await open()
  const busy = await open()
  busy.socket.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n')
  await held.entered
  let isClosed = false
  const closed = app.close().then(() => {
    isClosed = true
  })
  await silent.gone
  assert.equal(isClosed, false)
  assert.equal(busy.socket.destroyed, false)
  held.release()
  await Promise.all([closed, busy.gone])
  assert.match(busy.text(), /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nfinished$/s)
})

it('closing does not wait for ever for clients that neither send on nor take their answer', async (test) => {
  const held = heldRoute()
  const large = Buffer.alloc(64 * 1024 * 1024)
  const { app, open } = await listen(
    test,
    (given) => {
      held.add(given)
      given.post('/body', async () => 'never')
      given.get('/large', async () => large)
    },
    { closingClientMs: 50 },
  )
  const sending = await open()
  const arrived = once(app.server, 'request')
  sending.socket.write(
    'POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  )
  await arrived
  const deaf = await open()
  deaf.socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(deaf.socket, 'data')
  deaf.socket.pause()
  const working = await open()
  working.socket.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n')
  await held.entered
  const closed = app.close()
  await sending.gone
  deaf.socket.resume()
  await deaf.gone
  assert.ok(deaf.text().length < large.length)
  assert.equal(sending.text(), '')
  assert.equal(working.socket.destroyed, false)
  held.release()
  await Promise.all([closed, working.gone])
  assert.match(working.text(), /finished$/)
})

it('an area answers for itself where a request comes to no route', async (test) => {
  const { open } = await listen(test, () => {}, {
    areas: [
      {
        prefixes: ['/shop', '/api/shop'],
        refuse: (error, _request, reply) => void reply.code(400).send(`shop: ${error.code}`),
      },
    ],
  })
  const answers: string[] = []
  for (const path of ['/shop/%zz', '/api/shop/a/%ff', '/shopping/%zz', '/other/%zz']) {
    const client = await open()
    client.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    await client.gone
    assert.match(client.text(), /\r\nx-request-id: \S+\r\n/i)
    answers.push(client.text().split('\r\n\r\n')[1] ?? '')
  }
  assert.deepEqual(answers.slice(0, 2), ['shop: FST_ERR_BAD_URL', 'shop: FST_ERR_BAD_URL'])
  for (const answer of answers.slice(2)) assert.equal(JSON.parse(answer).error.code, 'INVALID_REQUEST')
})

it('refuses CONNECT in the shape of every error, ends the connection and reads nothing behind it', async (test) => {
  const asked: string[] = []
  const { open } = await listen(test, (app) => {
    app.get('/behind', async () => {
      asked.push('behind')
      return 'behind'
    })
  })
  const { socket, text, gone } = await open()
  socket.write('CONNECT internal.example:22 HTTP/1.1\r\nHost: a\r\nX-Request-ID: mine\r\n\r\n')
  socket.write('GET /behind HTTP/1.1\r\nHost: a\r\n\r\n')
  await gone
  const [head = '', body = ''] = text().split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 405 /)
  assert.match(head, /\r\nX-Content-Type-Options: nosniff\r\n/)
  const { error } = JSON.parse(body)
  assert.deepEqual([error.code, error.request_id], ['METHOD_NOT_ALLOWED', 'mine'])
  assert.deepEqual(asked, [])
})
