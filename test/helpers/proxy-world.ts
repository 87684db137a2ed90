import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Server as NetServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { type CoreDatabase, createDatabase } from '../../src/database/database.js'
import { createClientIp } from '../../src/gateway/client-ip.js'
import { type GatewayLog, Pipeline } from '../../src/gateway/pipeline.js'
import { createProxy, type GatewayProxy, type ProxyOptions } from '../../src/gateway/proxy/proxy.js'
import { attachUpgrades } from '../../src/gateway/proxy/upgrade.js'
import type { Stage } from '../../src/gateway/stage.js'
import type { User } from '../../src/identity/user.js'

/** A log that keeps its lines. */
export class LinesLog implements GatewayLog {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[] = []
  readonly debug = this.#writer('debug')
  readonly info = this.#writer('info')
  readonly warn = this.#writer('warn')
  readonly error = this.#writer('error')

  #writer(level: string): (fields: object, message: string) => void {
    return (fields, message) => {
      this.lines.push({ level, fields, message })
    }
  }
}

export interface ProxyWorldOptions extends Partial<Omit<ProxyOptions, 'database' | 'log'>> {
  readonly stages?: readonly Stage[]
  readonly trustedProxies?: readonly string[]
  /** Who a bearer token belongs to. */
  readonly userOf?: (authorization: string | undefined) => User | undefined
}

export interface ProxyWorld {
  readonly app: FastifyInstance
  readonly proxy: GatewayProxy
  readonly port: number
  readonly log: LinesLog
  readonly database: CoreDatabase
}

/** Opens a database in a folder of its own. */
export async function openDatabase(test: TestContext): Promise<CoreDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-'))
  const database = await createDatabase({ file: join(folder, 'core.db') })
  test.after(async () => {
    await database.close()
    await rm(folder, { recursive: true, force: true })
  })
  return database
}

/** Starts a server with a proxy in front of one route, `/own`. */
export async function startProxyWorld(
  test: TestContext,
  options: ProxyWorldOptions = {},
): Promise<ProxyWorld> {
  const { stages = [], trustedProxies = [], userOf = () => undefined, ...proxyOptions } = options
  const database = await openDatabase(test)
  const log = new LinesLog()
  const proxy = await createProxy({ ...proxyOptions, database, log })
  const clientIp = createClientIp({ trustedProxies })
  const app = Fastify({ forceCloseConnections: true })
  proxy.install(app)
  const pipeline = new Pipeline({
    stages: [proxy.stage, ...stages],
    log,
    clientIp: ({ raw }) => clientIp(raw.socket.remoteAddress, String(raw.headers['x-forwarded-for'] ?? '')),
    userOf: ({ headers }) => userOf(headers.authorization),
  })
  pipeline.install(app)
  attachUpgrades(app)
  app.get('/own', async () => 'own')
  app.get('/api/own', async () => 'own')
  await app.listen({ host: '127.0.0.1', port: 0 })
  test.after(() => app.close())
  return { app, proxy, port: portOf(app.server), log, database }
}

export function portOf(server: Server | NetServer): number {
  return (server.address() as AddressInfo).port
}

/** A server that tells what it was asked. */
export interface Upstream {
  readonly server: Server
  readonly url: string
  readonly requests: IncomingMessage[]
}

/** Starts a server; without a handler it answers with what it was asked, as JSON. */
export async function startUpstream(
  test: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void = echo,
): Promise<Upstream> {
  const requests: IncomingMessage[] = []
  const server = createServer((asked, response) => {
    requests.push(asked)
    handle(asked, response)
  })
  await listen(test, server)
  return { server, url: `http://127.0.0.1:${portOf(server)}`, requests }
}

/** Lets a server listen until the test ends. */
export async function listen(test: TestContext, server: Server | NetServer): Promise<void> {
  const sockets = new Set<Socket>()
  for (const event of ['connection', 'secureConnection']) {
    server.on(event, (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => sockets.delete(socket))
    })
  }
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  test.after(
    () =>
      new Promise<void>((done) => {
        server.close(() => done())
        for (const socket of sockets) socket.destroy()
      }),
  )
}

function echo(asked: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  asked.on('data', (chunk: Buffer) => chunks.push(chunk))
  asked.on('end', () => {
    const { method, url, headers } = asked
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }))
  })
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer
}

/** Sends one request on a connection of its own, its path untouched. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Answer> {
  return new Promise((done, failed) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', failed)
      answer.on('end', () =>
        done({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    asked.on('error', failed)
    asked.end(body)
  })
}

/** Sends bytes as they are and gives all that comes back until the server ends the connection. */
export function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((done, failed) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'))
    let received = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      received += chunk
    })
    socket.on('error', failed)
    socket.on('close', () => done(received))
  })
}
