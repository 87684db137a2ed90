import Fastify from 'fastify'
import { createTokenBuckets } from '../../src/base/token-buckets.js'
import type { KvNamespaces } from '../../src/kv/kv.js'
import { createKvRoutes, kvPrefixes } from '../../src/kv/routes/kv-routes.js'
import { MessageHolds } from '../../src/kv/routes/message-holds.js'
import type { KvRoutesOptions } from '../../src/kv/routes/routes-options.js'
import { StreamSlots } from '../../src/kv/routes/stream-slots.js'
import type { KvService } from '../../src/kv/service/kv-service.js'
import { userWithRole } from './area-user.js'
import { createHttpClient, type HttpClient } from './http-client.js'
import { openKvFixture } from './kv-service.js'

/** The HTTP interface over a real store, on a free port. */
export interface KvServer extends HttpClient {
  /** Ends with the prefix of the routes. */
  readonly url: string
  readonly service: KvService
  readonly streams: StreamSlots
  /** What was logged as a failure of the server. */
  readonly failures: readonly unknown[]
  close(): Promise<void>
}

export interface KvServerOptions {
  /** Stands between the routes and the store. */
  readonly wrap?: (namespaces: KvNamespaces) => KvNamespaces
  readonly options?: Partial<KvRoutesOptions>
}

/** Starts a server for which everybody with a bearer credential is a user whose role is that credential. */
export async function startKvServer({
  wrap = (given) => given,
  options = {},
}: KvServerOptions = {}): Promise<KvServer> {
  const fixture = await openKvFixture()
  const streams = new StreamSlots()
  const failures: unknown[] = []
  const app = Fastify()
  await app.register(
    createKvRoutes({
      namespaces: wrap(fixture.service),
      overview: fixture.service,
      authenticate: ({ headers }) => {
        const role = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1]
        return role === undefined ? undefined : userWithRole(role)
      },
      clientOf: ({ ip }) => ip,
      rate: createTokenBuckets({ perSecond: 0, burst: 1 }),
      streams,
      holds: new MessageHolds(),
      isDocumented: true,
      log: { error: (fields) => failures.push(fields) },
      ...options,
    }),
    { prefix: kvPrefixes[0] },
  )
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const client = createHttpClient(url)
  return {
    url: `${url}${kvPrefixes[0]}`,
    service: fixture.service,
    streams,
    failures,
    send: (method, path, sending) => client.send(method, `${kvPrefixes[0]}${path}`, sending),
    close: async () => {
      client.close()
      await app.close()
      await fixture.close()
    },
  }
}
