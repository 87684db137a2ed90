import {
  createKeyClient,
  createRoleClient,
  createUserClient,
  type KeyClient,
  type RoleClient,
  type UserClient,
} from './accounts.js'
import { type AuthClient, createAuthClient } from './auth.js'
import { createGatewayClient, type GatewayClient } from './gateway.js'
import { createMigrationClient, type MigrationClient } from './migrations.js'
import { createOwnAccountClient, type OwnAccountClient } from './own-account.js'
import { createPolicyClient, type PolicyClient } from './policies.js'
import type { RouteListing, RouteReference } from './route-types.js'
import { createTransport, type Transport, type TransportOptions } from './transport.js'
import type {
  ApprovalDiff,
  AuthPartListing,
  AuthPartReference,
  BreakerResult,
  CapabilityReport,
  CleanupPreview,
  CleanupResult,
  CoreListing,
  CoreReference,
  DomainListing,
  DomainReference,
  GatewayAccessListing,
  GatewayAccessReference,
  Health,
  HookListing,
  HookReference,
  KvAccessListing,
  KvAccessReference,
  Metric,
  PipelineChain,
  PipelineListing,
  PluginDetails,
  PluginSummary,
  ReloadResult,
  RequestBreaker,
  StageListing,
  StageReference,
  StateResult,
} from './types.js'

/** Options of `createClient`: the server's address, a credential, and how to send. */
export type ClientOptions = TransportOptions

/** Operations on plugins. All reject with `ClientError`; an unknown name with code `PLUGIN_NOT_FOUND`. */
export interface PluginClient {
  list(): Promise<readonly PluginSummary[]>
  get(plugin: string): Promise<PluginDetails>
  /** Loads the plugin's files again; when that fails with `PLUGIN_LOAD_FAILED` the version before keeps serving. */
  reload(plugin: string): Promise<ReloadResult>
  /** Loads a disabled, failed or quarantined plugin and resets its circuit breaker. */
  enable(plugin: string): Promise<StateResult>
  /** Closes the plugin's circuit breaker and forgets its failures; nothing is loaded again. */
  resetBreaker(plugin: string): Promise<BreakerResult>
  /** Stops the plugin; it stays stopped over restarts until it is enabled. */
  disable(plugin: string): Promise<StateResult>
  /** Compares what the plugin asks for with what is approved. */
  diff(plugin: string): Promise<ApprovalDiff>
  /** What its manifest offers, and how that differs from what is stored. */
  capabilities(plugin: string): Promise<CapabilityReport>
  /** Stores what its loaded manifest offers. */
  syncCapabilities(plugin: string): Promise<ReloadResult>
  /** Names the tables that no plugin owns; drops nothing. */
  cleanup(): Promise<CleanupPreview>
  /** Drops those of the given tables that no plugin owns. Their rows are gone for good. */
  dropTables(tables: readonly string[]): Promise<CleanupResult>
}

/** Operations on the approval of one kind of things that plugins ask for. */
export interface ApprovalClient<Listing, Reference> {
  list(): Promise<readonly Listing[]>
  /** Unknown ones reject with `problems`, after the others were approved. */
  approve(references: readonly Reference[]): Promise<void>
  /** Unknown ones reject with `problems`, after the others were revoked. */
  revoke(references: readonly Reference[]): Promise<void>
}

/** Operations on the approval of routes. */
export type RouteClient = ApprovalClient<RouteListing, RouteReference>

/** Shows which hooks fire around which operations; fires none. */
export interface PipelineClient {
  list(): Promise<readonly PipelineListing[]>
  /** The chains of one table or operation, of all when missing. */
  dryRun(query?: { readonly table?: string; readonly operation?: string }): Promise<readonly PipelineChain[]>
}

/** Operations on the requests that plugins send to other servers. */
export interface RequestClient {
  /** Lists the circuit breakers that remember failures. */
  breakers(): Promise<readonly RequestBreaker[]>
  /** Lets a plugin ask a domain again; rejects with code `BREAKER_NOT_FOUND` when nothing kept it from that. */
  resetBreaker(plugin: string, domain: string): Promise<void>
}

/** A typed client of one server's administration and of its own user's account; holds no connection, so there is nothing to close. */
export interface Client {
  readonly plugins: PluginClient
  readonly migrations: MigrationClient
  readonly routes: RouteClient
  readonly hooks: ApprovalClient<HookListing, HookReference>
  /** Domains of outbound requests. */
  readonly requests: ApprovalClient<DomainListing, DomainReference> & RequestClient
  /** Access to core tables. */
  readonly core: ApprovalClient<CoreListing, CoreReference>
  /** Access to shared namespaces of the key-value store. */
  readonly kvAccess: ApprovalClient<KvAccessListing, KvAccessReference>
  /** Functions of plugins in front of all requests. */
  readonly stages: ApprovalClient<StageListing, StageReference>
  /** Authenticators and authorizers of plugins. */
  readonly authParts: ApprovalClient<AuthPartListing, AuthPartReference>
  /** What plugins read and change of the gateway. */
  readonly gatewayAccess: ApprovalClient<GatewayAccessListing, GatewayAccessReference>
  readonly pipelines: PipelineClient
  /** The inbound gateway. */
  readonly gateway: GatewayClient
  /** What policies decide, where a rule names the authorizer `policies`. */
  readonly policies: PolicyClient
  /** Who may do what. */
  readonly auth: AuthClient
  /** The account of whoever uses this client. */
  readonly me: OwnAccountClient
  readonly users: UserClient
  /** API keys. */
  readonly keys: KeyClient
  readonly roles: RoleClient
  /** All metrics of the server; rejects with `NOT_FOUND` when it keeps none. */
  metrics(): Promise<readonly Metric[]>
  /**
   * Resolves also when the server reports that it is not well.
   *
   * @param details True asks about each plugin and for warnings, which takes a token with the permission plugins:read;
   *   without them no token is needed.
   */
  health(details?: boolean): Promise<Health>
}

const adminPath = '/api/v1/admin'

/**
 * Creates a client.
 *
 * @example
 * const client = createClient({ url: 'http://127.0.0.1:8080', token })
 * await client.plugins.reload('task_tracker')
 * @throws ClientError `INVALID_URL`, `INVALID_TOKEN` or `INVALID_SESSION` when an option cannot be right.
 */
export function createClient(options: ClientOptions): Client {
  const send = createTransport(options)
  return {
    plugins: createPluginClient(send),
    migrations: createMigrationClient(send),
    routes: createApprovalClient(send, 'routes', ['plugin', 'method', 'path', 'content_hash']),
    hooks: createApprovalClient(send, 'hooks', ['plugin', 'event', 'table', 'content_hash']),
    requests: {
      ...createApprovalClient(send, 'requests', ['plugin', 'domain', 'content_hash']),
      ...createRequestClient(send),
    },
    core: createApprovalClient(send, 'core', ['plugin', 'table', 'access', 'content_hash']),
    kvAccess: createApprovalClient(send, 'kv', ['plugin', 'namespace', 'access', 'content_hash']),
    stages: createApprovalClient(send, 'stages', ['plugin', 'stage', 'content_hash']),
    authParts: createApprovalClient(send, 'auth-parts', ['plugin', 'part', 'content_hash']),
    gatewayAccess: createApprovalClient(send, 'gateway-access', ['plugin', 'access', 'content_hash']),
    pipelines: createPipelineClient(send),
    gateway: createGatewayClient(send),
    policies: createPolicyClient(send),
    auth: createAuthClient(send),
    me: createOwnAccountClient(send),
    users: createUserClient(send),
    keys: createKeyClient(send),
    roles: createRoleClient(send),
    metrics: async () =>
      ((await send({ method: 'GET', path: `${adminPath}/metrics` })) as { metrics: Metric[] }).metrics,
    health: async (details = false) => {
      const path = `/api/v1/health${details ? '?detail=1' : ''}`
      return (await send({ method: 'GET', path, acceptedStatuses: [503] })) as Health
    },
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
    resetBreaker: async (plugin) =>
      (await send({ method: 'POST', path: pathOf(plugin, '/breaker/reset') })) as BreakerResult,
    disable: async (plugin) =>
      (await send({ method: 'POST', path: pathOf(plugin, '/disable') })) as StateResult,
    diff: async (plugin) => (await send({ method: 'GET', path: pathOf(plugin, '/diff') })) as ApprovalDiff,
    capabilities: async (plugin) =>
      (await send({ method: 'GET', path: pathOf(plugin, '/capabilities') })) as CapabilityReport,
    syncCapabilities: async (plugin) =>
      (await send({ method: 'POST', path: pathOf(plugin, '/sync-capabilities') })) as ReloadResult,
    cleanup: async () => (await send({ method: 'GET', path: cleanupPath })) as CleanupPreview,
    dropTables: async (tables) =>
      (await send({ method: 'POST', path: cleanupPath, body: { confirm: true, tables } })) as CleanupResult,
  }
}

/**
 * @param resource Last part of the path; with `_` for `-` also the key of its lists.
 * @param fields Fields of a reference.
 */
function createApprovalClient<Listing, Reference extends object>(
  send: Transport,
  resource: string,
  fields: readonly (keyof Reference & string)[],
): ApprovalClient<Listing, Reference> {
  const path = `${adminPath}/plugins/${resource}`
  const member = resource.replaceAll('-', '_')
  const change = async (action: string, references: readonly Reference[]): Promise<void> => {
    // Listings may be passed as references; the server refuses fields that it does not know.
    const picked = references.map((reference) =>
      Object.fromEntries(fields.map((field) => [field, reference[field]])),
    )
    await send({ method: 'POST', path: `${path}/${action}`, body: { [member]: picked } })
  }
  return {
    async list() {
      const answer = (await send({ method: 'GET', path })) as Readonly<Record<string, Listing[]>>
      return answer[member] ?? []
    },
    approve: (references) => change('approve', references),
    revoke: (references) => change('revoke', references),
  }
}

function createPipelineClient(send: Transport): PipelineClient {
  const path = `${adminPath}/pipelines`
  return {
    async list() {
      const answer = await send({ method: 'GET', path })
      return (answer as { pipelines: PipelineListing[] }).pipelines
    },
    async dryRun({ table, operation } = {}) {
      const query = new URLSearchParams()
      if (table !== undefined) query.set('table', table)
      if (operation !== undefined) query.set('op', operation)
      const answer = await send({ method: 'GET', path: `${path}/dry-run?${query}` })
      return (answer as { chains: PipelineChain[] }).chains
    },
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
