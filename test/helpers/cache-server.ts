import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { ResponseCache, type ResponseCacheOptions } from '../../src/gateway/cache/response-cache.js'
import { addCompression, type CompressionOptions } from '../../src/gateway/compression.js'
import { Pipeline } from '../../src/gateway/pipeline.js'
import type { Stage } from '../../src/gateway/stage.js'

/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly bytes: Buffer
}

export interface AskOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly onRequest?: (request: ClientRequest) => void
}

/** A server with the cache in front of its routes. */
export interface CacheServer {
  readonly cache: ResponseCache
  readonly app: FastifyInstance
  readonly port: number
  /** Sends one request on a socket of its own. */
  ask(path: string, options?: AskOptions): Promise<WireAnswer>
  close(): Promise<void>
}

export interface CacheServerOptions {
  readonly cache?: Partial<ResponseCacheOptions>
  readonly stages?: readonly Stage[]
  readonly compression?: CompressionOptions
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Starts a server; `x-identity` names the user of a request. */
export async function startCacheServer(
  routes: (app: FastifyInstance) => void,
  { cache: cacheOptions, stages = [], compression }: CacheServerOptions = {},
): Promise<CacheServer> {
  const cache = new ResponseCache({ enabled: true, ...cacheOptions })
  const app = Fastify({ forceCloseConnections: true })
  new Pipeline({
    stages: [...cache.stages, ...stages],
    clientIp: () => '192.0.2.1',
    userOf: () => undefined,
    log: silent,
  }).install(app)
  if (compression !== undefined) await addCompression(app, compression)
  routes(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return {
    cache,
    app,
    port,
    ask: (path, options = {}) => ask(port, path, options),
    close: () => app.close(),
  }
}

function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, onRequest }: AskOptions,
): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: { host: 'site.test', ...headers } as never,
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.once('error', reject)
        answer.once('end', () => {
          const bytes = Buffer.concat(chunks)
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes.toString(), bytes })
        })
      },
    )
    sent.once('error', reject)
    onRequest?.(sent)
    sent.end()
  })
}
