import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import {
  decodeRequest,
  encodeResponse,
  type WireRequest,
  type WireResponse,
} from '../../src/capabilities/http/wire.js'
import { anonymous } from '../../src/identity/identity.js'
import { PluginBreaker } from '../../src/plugins/breaker.js'
import { createPluginRoutes } from '../../src/plugins/dispatch.js'
import type { PluginRoutesOptions } from '../../src/plugins/dispatch-options.js'
import { GrantTable } from '../../src/plugins/grants/grant-table.js'
import type { ServedPlugin } from '../../src/plugins/plugin-directory.js'
import { RouteTable, type ServedRoute } from '../../src/plugins/route-table.js'
import type {
  CallFailureCode,
  CallOutcome,
  CallRequest,
  Generation,
  PoolStatus,
} from '../../src/sandbox/generation.js'
import { userWithRole } from './area-user.js'

type Answer = (request: WireRequest, call: CallRequest) => CallOutcome | Promise<CallOutcome>

/** A generation whose calls are answered by a function of the test. */
export class FakeGeneration implements Generation {
  readonly plugin = 'demo'
  readonly version = '1.0.0'
  readonly findings = []
  readonly inspection = { pluginInfo: undefined, hasOnInit: false, hasOnShutdown: false, registrations: [] }
  readonly calls: CallRequest[] = []
  readonly id: number
  answer: Answer

  constructor(id: number, answer: Answer = () => respond({})) {
    this.id = id
    this.answer = answer
  }

  async call(request: CallRequest): Promise<CallOutcome> {
    this.calls.push(request)
    return this.answer(decodeRequest(request.payload), request)
  }

  status(): PoolStatus {
    return { state: 'open', vmsTotal: 1, vmsAvailable: 1, callsInFlight: 0 }
  }

  async drain(): Promise<boolean> {
    return true
  }

  async close(): Promise<void> {}
}

/** Makes what the executor would send for a response. */
export function respond(response: Partial<WireResponse>): CallOutcome {
  return { ok: true, result: encodeResponse({ status: 200, headers: [], body: '', ...response }) }
}

export function respondJson(value: unknown): CallOutcome {
  return respond({ headers: ['content-type', 'application/json'], body: JSON.stringify(value) })
}

export function fail(code: CallFailureCode, blamed = false): CallOutcome {
  return { ok: false, code, message: 'init.lua:7: the secret of Lua', blamed }
}

/** What a test may change of the plugin `demo` and of its host while it runs. */
export interface DispatchServer {
  readonly app: FastifyInstance
  readonly port: number
  readonly url: string
  readonly breaker: PluginBreaker
  readonly generation: FakeGeneration
  /** Level, message, fields. */
  readonly lines: [string, string, Readonly<Record<string, unknown>>][]
  readonly observed: (readonly [string, string, number])[]
  readonly refused: (readonly [string, number])[]
  readonly host: { shuttingDown: boolean; tokens: number; authenticated: number }
  replace(changes: Partial<ServedPlugin>): void
}

export interface DispatchServerOptions {
  readonly routes?: readonly string[]
  readonly dispatch?: Partial<PluginRoutesOptions>
  /** Is given the application before the plugin routes are. */
  readonly prepare?: (app: FastifyInstance) => void
  readonly prefix?: string
}

/**
 * Makes routes from texts like `GET /x`; `public` behind the path opens one, `unapproved` leaves it unapproved.
 */
export function parseRoutes(texts: readonly string[]): ServedRoute[] {
  return texts.map((text) => {
    const [method = '', path = '', ...flags] = text.split(' ')
    return {
      key: `${method} ${path}`,
      method: method as ServedRoute['method'],
      path,
      public: flags.includes('public'),
      approved: !flags.includes('unapproved'),
    }
  })
}

/** Starts a real Fastify server with the plugin `demo`; the caller closes `app`. */
export async function createDispatchServer(options: DispatchServerOptions = {}): Promise<DispatchServer> {
  const breaker = new PluginBreaker({ failuresMax: 3, resetMs: 60_000 })
  const generation = new FakeGeneration(1)
  const lines: DispatchServer['lines'] = []
  const observed: (readonly [string, string, number])[] = []
  const refused: (readonly [string, number])[] = []
  const host = { shuttingDown: false, tokens: 1_000_000, authenticated: 0 }
  const routes = options.routes ?? [
    'GET /x public',
    'POST /x public',
    'GET /items/{id} public',
    'GET /guarded',
  ]
  let plugin: ServedPlugin = {
    name: 'demo',
    state: 'running',
    generation,
    routes: RouteTable.create(parseRoutes(routes)),
    grants: GrantTable.create([]),
    breaker,
  }
  const app = Fastify({ genReqId: (raw) => String(raw.headers['x-test-id'] ?? 'id-1') })
  options.prepare?.(app)
  const dispatch: PluginRoutesOptions = {
    directory: { find: (name) => (name === 'demo' ? plugin : undefined), all: () => [plugin] },
    authenticate(request) {
      host.authenticated += 1
      const isKnown = request.headers.authorization === 'Bearer good'
      return isKnown ? userWithRole('admin', 'ann', 'u1') : undefined
    },
    identityOf: () => anonymous,
    stripCredentials: (raw) =>
      raw.filter((_text, index) => raw[index - (index % 2)]?.toLowerCase() !== 'authorization'),
    clientIp: (request) => request.ip,
    takeToken() {
      host.tokens -= 1
      return host.tokens >= 0
    },
    isShuttingDown: () => host.shuttingDown,
    requestBodyBytesMax: 1000,
    log: {
      warn: (fields, message) => void lines.push(['warn', message, fields]),
      error: (fields, message) => void lines.push(['error', message, fields]),
    },
    observer: {
      answered: (name, route, status) => void observed.push([name, route, status]),
      refused: (code, status) => void refused.push([code, status]),
    },
    ...options.dispatch,
  }
  await app.register(
    createPluginRoutes(dispatch),
    options.prefix === undefined ? {} : { prefix: options.prefix },
  )
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return {
    app,
    port,
    url: `http://127.0.0.1:${port}${options.prefix ?? ''}/api/v1/plugins`,
    breaker,
    generation,
    lines,
    observed,
    refused,
    host,
    replace(changes) {
      plugin = { ...plugin, ...changes }
    },
  }
}
