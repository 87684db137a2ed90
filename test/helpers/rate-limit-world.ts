import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { HostError } from '../../src/base/errors.js'
import { createClientIp } from '../../src/gateway/client-ip.js'
import { failureAnswer, Pipeline, sendAnswer } from '../../src/gateway/pipeline.js'
import { RateLimit, type RateLimitOptions } from '../../src/gateway/rate-limit/rate-limit.js'
import { addRateLimitRoutes } from '../../src/gateway/rate-limit/rate-limit-routes.js'
import { userWithRole } from './area-user.js'
import { type Answer, createHttpClient } from './http-client.js'

/** A log that keeps nothing. */
export const silent = { debug() {}, info() {}, warn() {}, error() {} }
/** What the clock of the wall shows at the start of each world, in milliseconds. */
export const epoch = 1_700_000_000_000

/** A server whose requests are limited, and whose time is that of the test. */
export interface World {
  readonly limit: RateLimit
  readonly warnings: Readonly<Record<string, unknown>>[]
  readonly limited: () => number
  /** How often somebody has asked who sent a request. */
  readonly lookups: () => number
  pass(ms: number): void
  send(method: string, path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
}

/** A server on a real socket; the bearer token is the name of the user, and `root` is the admin. */
export async function startWorld(
  test: TestContext,
  options: Partial<RateLimitOptions> = {},
  trustedProxies: readonly string[] = [],
): Promise<World> {
  let ms = 0
  let lookups = 0
  let limited = 0
  const warnings: Readonly<Record<string, unknown>>[] = []
  const limit = new RateLimit({
    requests: 3,
    window: '30s',
    log: { ...silent, warn: (fields) => warnings.push(fields) },
    clock: () => ms,
    now: () => epoch + ms,
    ...options,
  })
  const clientIp = createClientIp({ trustedProxies })
  const pipeline = new Pipeline({
    stages: [
      {
        name: 'metrics',
        priority: 0,
        onFinish: ({ isRateLimited }) => {
          limited += isRateLimited ? 1 : 0
        },
      },
      limit.stage,
    ],
    log: silent,
    clientIp: ({ socket, headers }) =>
      clientIp(socket.remoteAddress, headers['x-forwarded-for'] as string | undefined),
    userOf: ({ headers }) => {
      lookups += 1
      const name = /^Bearer (\w+)$/.exec(headers.authorization ?? '')?.[1]
      if (name === undefined) return undefined
      const user = userWithRole(name === 'root' ? 'admin' : 'editor', name, `id-${name}`)
      return name === 'tina' ? { ...user, tenant: 'acme' } : user
    },
  } as ConstructorParameters<typeof Pipeline>[0])
  const app = Fastify({ routerOptions: { maxParamLength: 1024 } })
  pipeline.install(app)
  answerFailures(app)
  app.all('/ok', async () => ({ ok: true }))
  app.get('/own', (_request, reply) => reply.header('X-RateLimit-Limit', 'mine').send('own'))
  app.get('/fails', async () => {
    throw new Error('on purpose')
  })
  app.get('/stream', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
    })
    reply.raw.end('data: 1\n\n')
  })
  for (const prefix of ['/gateway/api', '/api/gateway'])
    app.register(async (area) => addRateLimitRoutes(area, limit), { prefix })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const client = createHttpClient(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
  test.after(async () => {
    client.close()
    await app.close()
  })
  return {
    limit,
    warnings,
    limited: () => limited,
    lookups: () => lookups,
    pass: (by) => {
      ms += by
    },
    send: (method, path, headers = {}) => client.send(method, path, { headers }),
  }
}

/** Answers failures as the host does. */
export function answerFailures(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof HostError) sendAnswer(reply, failureAnswer(error))
    else reply.code(500).send({ error: 'failed' })
  })
}

/** Limit, remaining and reset, as the headers of an answer have them. */
export function limitHeaders({ headers }: Answer): readonly unknown[] {
  return ['limit', 'remaining', 'reset'].map((name) => headers[`x-ratelimit-${name}`])
}

/** The statuses of requests that are sent one after the other with these headers. */
export async function statuses(
  world: World,
  path: string,
  ...each: Readonly<Record<string, string>>[]
): Promise<number[]> {
  const found: number[] = []
  for (const headers of each) found.push((await world.send('GET', path, headers)).status)
  return found
}
