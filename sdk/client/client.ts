import { createTransport, type Transport, type TransportOptions } from './transport.js'
import type {
  CleanupPreview,
  CleanupResult,
  Health,
  PluginDetails,
  PluginSummary,
  ReloadResult,
  RequestBreaker,
  RouteListing,
  RouteReference,
  StateResult,
} from './types.js'

/** Options of `createClient`: the server's address, the admin token, and how to send. */
export type ClientOptions = TransportOptions

/** Operations on plugins. All reject with `ClientError`; an unknown name with code `PLUGIN_NOT_FOUND`. */
export interface PluginClient {
  list(): Promise<readonly PluginSummary[]>
  get(plugin: string): Promise<PluginDetails>
  /** Loads the plugin's files again; when that fails with `PLUGIN_LOAD_FAILED` the version before keeps serving. */
  reload(plugin: string): Promise<ReloadResult>
  /** Loads a disabled, failed or quarantined plugin and resets its circuit breaker. */
  enable(plugin: string): Promise<StateResult>
  /** Stops the plugin; it stays stopped over restarts until it is enabled. */
  disable(plugin: string): Promise<StateResult>
  /** Names the tables that no plugin owns; drops nothing. */
  cleanup(): Promise<CleanupPreview>
  /** Drops those of the given tables that no plugin owns. Their rows are gone for good. */
  dropTables(tables: readonly string[]): Promise<CleanupResult>
}

/** Operations on the approval of routes. */
export interface RouteClient {
  list(): Promise<readonly RouteListing[]>
  /** Unknown routes reject with `problems`, after the others were approved. */
  approve(routes: readonly RouteReference[]): Promise<void>
  /** Unknown routes reject with `problems`, after the others were revoked. */
  revoke(routes: readonly RouteReference[]): Promise<void>
}

/** Operations on the requests that plugins send to other servers. */
export interface RequestClient {
  /** Lists the circuit breakers that remember failures. */
  breakers(): Promise<readonly RequestBreaker[]>
  /** Lets a plugin ask a domain again; rejects with code `BREAKER_NOT_FOUND` when nothing kept it from that. */
  resetBreaker(plugin: string, domain: string): Promise<void>
}

/** A typed client of one server's admin API; holds no connection, so there is nothing to close. */
export interface Client {
  readonly plugins: PluginClient
  readonly routes: RouteClient
  readonly requests: RequestClient
  /** Needs no token; resolves also when the server reports that it is not well. */
  health(): Promise<Health>
}

const adminPath = '/api/v1/admin'

/**
 * Creates a client.
 *
 * @example
 * const client = createClient({ url: 'http://127.0.0.1:8080', token })
 * await client.plugins.reload('task_tracker')
 * @throws ClientError `INVALID_URL` or `INVALID_TOKEN` when an option cannot be right.
 */
export function createClient(options: ClientOptions): Client {
  const send = createTransport(options)
  return {
    plugins: createPluginClient(send),
    routes: createRouteClient(send),
    requests: createRequestClient(send),
    health: async () =>
      (await send({ method: 'GET', path: '/api/v1/health', acceptedStatuses: [503] })) as Health,
  }
}

function createPluginClient(send: Transport): PluginClient {
  const pathOf = (plugin: string, action = '') =>
    `${adminPath}/plugins/${encodeURIComponent(plugin)}${action}`
  const cleanupPath = `${adminPath}/plugins/cleanup`
  return {
    async list() {
      const answer = await send({ method: 'GET', path: `${adminPath}/plugins` })
      return (answer as { plugins: PluginSummary[] }).plugins
    },
    get: async (plugin) => (await send({ method: 'GET', path: pathOf(plugin) })) as PluginDetails,
    reload: async (plugin) =>
      (await send({ method: 'POST', path: pathOf(plugin, '/reload') })) as ReloadResult,
    enable: async (plugin) =>
      (await send({ method: 'POST', path: pathOf(plugin, '/enable') })) as StateResult,
    disable: async (plugin) =>
      (await send({ method: 'POST', path: pathOf(plugin, '/disable') })) as StateResult,
    cleanup: async () => (await send({ method: 'GET', path: cleanupPath })) as CleanupPreview,
    dropTables: async (tables) =>
      (await send({ method: 'POST', path: cleanupPath, body: { confirm: true, tables } })) as CleanupResult,
  }
}

function createRouteClient(send: Transport): RouteClient {
  const path = `${adminPath}/plugins/routes`
  const change = async (action: string, routes: readonly RouteReference[]): Promise<void> => {
    // Listings may be passed as references; the server refuses fields that it does not know.
    const references = routes.map(({ plugin, method, path }) => ({ plugin, method, path }))
    await send({ method: 'POST', path: `${path}/${action}`, body: { routes: references } })
  }
  return {
    async list() {
      const answer = await send({ method: 'GET', path })
      return (answer as { routes: RouteListing[] }).routes
    },
    approve: (routes) => change('approve', routes),
    revoke: (routes) => change('revoke', routes),
  }
}

function createRequestClient(send: Transport): RequestClient {
  const path = `${adminPath}/plugins/requests/breakers`
  return {
    async breakers() {
      const answer = await send({ method: 'GET', path })
      return (answer as { breakers: RequestBreaker[] }).breakers
    },
    async resetBreaker(plugin, domain) {
      await send({ method: 'POST', path: `${path}/reset`, body: { plugin, domain } })
    },
  }
}
