import { Readable } from 'node:stream'
import Fastify, { type FastifyReply } from 'fastify'
import { HostError } from '../../src/base/errors.js'
import type { CoreDatabase } from '../../src/database/database.js'
import { type Cors, createCors } from '../../src/gateway/cors/cors.js'
import { addCorsRoutes } from '../../src/gateway/cors/cors-routes.js'
import type { CorsPolicy } from '../../src/gateway/cors/rule.js'
import { Pipeline } from '../../src/gateway/pipeline.js'
import { type Stage, stagePriorities } from '../../src/gateway/stage.js'
import { createHttpClient, type HttpClient } from './http-client.js'

/** A server behind the stage `cors`, with applications that have their own opinion. */
export interface CorsServer {
  readonly cors: Cors
  readonly client: HttpClient
  /** What was logged as an error. */
  readonly errors: string[]
  /** The requests that came to a route, as `METHOD /path`. */
  readonly routed: string[]
  close(): Promise<void>
}

/** Headers of an application that would break an answer if they were added to those of the gateway. */
const ownHeaders: Readonly<Record<string, string | string[]>> = {
  'Access-Control-Allow-Origin': ['https://own.test', '*'],
  'Access-Control-Allow-Credentials': 'true',
  'Access-Control-Expose-Headers': 'x-own',
  Vary: 'Accept-Encoding, origin',
}

/** Stands for whatever comes behind `cors`; what it refuses never comes to a route. */
const laterStage: Stage = {
  name: 'rate-limit',
  priority: stagePriorities.gateway,
  after: ['cors'],
  onRequest({ path }) {
    if (path === '/broken') throw new Error('broken')
    return path === '/limited' ? { status: 429, headers: ['retry-after', '1'], body: 'slow' } : undefined
  },
}

const earlierStage: Stage = {
  name: 'shell',
  priority: stagePriorities.gateway,
  onRequest(exchange) {
    if (exchange.path === '/early') return { status: 401, headers: [], body: 'no' }
    if (exchange.path === '/elsewhere') exchange.destination = ({ reply }) => sendOwn(reply)
    if (exchange.path === '/rewritten') exchange.rewrite('/plain')
    return undefined
  },
}

function sendOwn(reply: FastifyReply): void {
  void reply
    .code(200)
    .headers(ownHeaders)
    .send(Readable.from(['elsewhere']))
}

/** Starts a server on a port of its own. The database stays open. */
export async function createCorsServer(database: CoreDatabase, configured?: CorsPolicy): Promise<CorsServer> {
  const errors: string[] = []
  const routed: string[] = []
  const ignore = () => undefined
  const log = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (_fields: object, message: string) => errors.push(message),
  }
  const cors = await createCors({ database, log, ...(configured === undefined ? {} : { configured }) })
  const app = Fastify()
  new Pipeline({
    // `cors` stands first to show that it comes behind the shell by its constraint.
    stages: [laterStage, cors.stage, earlierStage],
    log,
    clientIp: ({ ip }) => ip,
    userOf: () => undefined,
  }).install(app)
  app.addHook('preHandler', (request, _reply, done) => {
    routed.push(`${request.method} ${request.url}`)
    done()
  })
  app.setErrorHandler((error, _request, reply) => {
    const { status, code, message } =
      error instanceof HostError ? error : { status: 500, code: 'INTERNAL_ERROR', message: 'failed' }
    void reply.code(status).send({ error: message, code })
  })
  app.get('/plain', () => 'plain')
  app.post('/foo', () => 'posted')
  app.get('/own', (_request, reply) => reply.headers(ownHeaders).send('own'))
  app.options('/own', (_request, reply) =>
    reply.code(200).headers(ownHeaders).header('access-control-allow-methods', 'BREW').send('own'),
  )
  app.get('/failing', () => Promise.reject(new Error('failing')))
  app.get('/events', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
    })
    reply.raw.end('data: 1\n\n')
  })
  addCorsRoutes(app, cors)
  const client = createHttpClient(await app.listen({ host: '127.0.0.1', port: 0 }))
  return {
    cors,
    client,
    errors,
    routed,
    close: async () => {
      client.close()
      await app.close()
    },
  }
}
