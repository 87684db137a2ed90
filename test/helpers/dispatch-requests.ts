import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach } from 'node:test'
import { createDispatchServer, type DispatchServer, type DispatchServerOptions } from './dispatch-server.js'

/** Gives a function that starts servers; they are closed after each test. To be called once in a file. */
export function useDispatchServers(): (options?: DispatchServerOptions) => Promise<DispatchServer> {
  const opened: DispatchServer[] = []
  afterEach(async () => {
    for (const server of opened.splice(0)) {
      server.breaker.close()
      server.app.server.closeAllConnections()
      await server.app.close()
    }
  })
  return async (options = {}) => {
    const server = await createDispatchServer(options)
    opened.push(server)
    return server
  }
}

/** Reads the error of an answer, which has the form of all errors. */
export async function errorOf(response: Response) {
  const text = await response.text()
  assert.ok(text.endsWith('}\n'), 'the body ends in a line feed')
  assert.equal(response.headers.get('content-type'), 'application/json')
  const { error } = JSON.parse(text) as { error: { code: string; message: string; request_id: string } }
  return { status: response.status, ...error }
}

/** Asserts that an answer has the headers that every answer of the routes has. */
export function assertSecurityHeaders(response: Response): void {
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  assert.equal(response.headers.get('x-frame-options'), 'DENY')
  assert.equal(response.headers.get('cache-control'), 'no-store')
}

/** Sends bytes as they are and collects the answer until the connection ends. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(text)
  return readAll(socket)
}

/** Collects what comes until the connection ends. */
export async function readAll(socket: Socket): Promise<string> {
  let answer = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    answer += chunk
  })
  await once(socket, 'close')
  return answer
}
