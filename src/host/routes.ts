import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { adminPrefix, createAdminApi } from '../admin/admin-api.js'
import { createOpenApi } from '../admin/openapi.js'
import type { RecordChange } from '../areas/recorded-change.js'
import { accountsPrefix, createAccountsApi } from '../auth/accounts/accounts-api.js'
import { createLateBodyCheck } from '../auth/late-bodies.js'
import { createOidcRoutes } from '../auth/oidc/oidc-routes.js'
import { identityOf, userOf } from '../auth/request-identity.js'
import { clientNetwork } from '../base/ip-address.js'
import { createTokenBuckets } from '../base/token-buckets.js'
import { checkResponseHeader } from '../capabilities/http/header-rules.js'
import type { Config } from '../config/schema.js'
import { contentPrefix, createContentRoutes } from '../content/content-routes.js'
import type { HookIdentity } from '../content/hook-runner.js'
import type { CoreDatabase } from '../database/database.js'
import { createClientIp } from '../gateway/client-ip.js'
import { createClientSite } from '../gateway/client-site.js'
import { isBelow } from '../gateway/request-path.js'
import type { CredentialFilter } from '../identity/credentials.js'
import { toActor } from '../identity/recorded-action.js'
import type { User } from '../identity/user.js'
import { createKvRoutes, kvPrefixes } from '../kv/routes/kv-routes.js'
import { MessageHolds } from '../kv/routes/message-holds.js'
import type { KvMeasurements } from '../kv/routes/routes-options.js'
import { StreamSlots } from '../kv/routes/stream-slots.js'
import { createPluginRoutes } from '../plugins/dispatch.js'
import type { ActionRecorder } from '../plugins/hooks/action-recorder.js'
import type { Logger } from '../telemetry/logger.js'
import type { Metrics } from '../telemetry/metrics.js'
import type { Tracing } from '../telemetry/tracing.js'
import type { HostAccounts } from './accounts.js'
import { serializeWhenUsed } from './answer-serializers.js'
import type { HostAuth } from './auth.js'
import { composeFinerChecks } from './finer-checks.js'
import { composeGateway, isOwn } from './gateway.js'
import { createHealthRoutes } from './health.js'
import { healthSources } from './health-sources.js'
import { mountMetrics } from './metrics.js'
import { composeOidc } from './oidc.js'
import type { HostParts } from './parts.js'
import type { HostPolicies } from './policies.js'
import { observeDispatch } from './telemetry.js'
import { productVersion } from './version.js'

/** What the routes need beside the parts of the host. */
export interface RoutesMaterial {
  readonly config: Config
  readonly log: Logger
  readonly auth: HostAuth
  readonly accounts: HostAccounts
  readonly policies: HostPolicies
  readonly database: CoreDatabase
  readonly lifecycle: { readonly isReady: boolean; readonly isShuttingDown: boolean }
  readonly tracing: Tracing | undefined
  /** Whether the server is the host's own, and not that of an application that embeds the host. */
  readonly isOwnServer: boolean
  /** Takes what is to be done when no request is served any more, before the database is closed. */
  readonly closers: (() => Promise<void>)[]
}

/** Who calls, and whether they may. */
interface Door {
  authenticate(request: FastifyRequest): User | undefined
  clientIp(request: FastifyRequest): string
  /** Takes one token of the network of an address; false when there is none left. */
  takeToken(ip: string): boolean
  /** Takes notice of a change, with who has sent the request. */
  readonly record: RecordChange
  readonly credentials: CredentialFilter
  stripCredentials(rawHeaders: readonly string[]): readonly string[]
}

/** Mounts everything that the host serves: health, OpenAPI, metrics, admin API, content and the routes of plugins. */
export async function mountRoutes(
  app: FastifyInstance,
  parts: HostParts,
  material: RoutesMaterial,
): Promise<void> {
  const { log, lifecycle, tracing } = material
  const { manager, hooks, metrics, memory, answers } = parts
  const door = createDoor(material, parts.actions)
  serializeWhenUsed(app)
  const gateway = await composeGateway({
    ...material,
    ...door,
    metrics,
    directory: manager,
    memory,
    answers,
  })
  material.closers.push(() => gateway.close())
  await gateway.install(app)
  if (material.isOwnServer) gateway.takeUpgrades(app)
  // The document has the routes that are added behind it.
  await app.register(createOpenApi({ version: productVersion(), session: material.config.auth.session }))
  app.addHook('onRoute', createLateBodyCheck(isAdministration, log))
  await gateway.mountRoutes(app)
  await gateway.start()
  await material.policies.mountRoutes(app, door)
  await app.register(createHealthRoutes(healthSources({ ...material, ...door, parts, gateway })))
  if (metrics !== undefined) {
    const { access } = material.config.metrics
    await mountMetrics(app, { metrics, access, authenticate: door.authenticate, log })
  }
  await app.register(
    createAdminApi({
      administration: manager,
      hooks,
      outbound: parts.outbound.calls,
      authenticate: door.authenticate,
      auth: material.auth,
      record: door.record,
      log,
      ...(metrics && { metrics: () => metrics.json() }),
    }),
    { prefix: adminPrefix },
  )
  const siteOf = createClientSite({ trustedProxies: material.config.plugin_trusted_proxies })
  const { record } = parts.actions
  const oidc = composeOidc(material.config, material.accounts.users, log)
  material.closers.push(() => oidc.close())
  const shared = { ...material.accounts, ...oidc, ...door, siteOf, record, log }
  await app.register(createAccountsApi(shared), { prefix: accountsPrefix })
  await app.register(createOidcRoutes(shared), { prefix: accountsPrefix })
  const isHeaderAllowed = (name: string, value: string) => checkResponseHeader(name, value) === 'ok'
  await app.register(
    createContentRoutes({
      content: parts.content,
      hooks,
      ...door,
      identityOf: hookIdentityOf,
      isHeaderAllowed,
      log,
    }),
    {
      prefix: contentPrefix,
    },
  )
  await mountKv(app, parts, material, door)
  await app.register(
    createPluginRoutes({
      directory: manager,
      ...door,
      identityOf: ({ raw }) => identityOf(raw),
      openCall: composeFinerChecks(answers, log),
      isShuttingDown: () => lifecycle.isShuttingDown,
      requestBodyBytesMax: material.config.plugin_max_request_body,
      log,
      observer: observeDispatch(metrics, manager),
      ...(tracing && { startTrace: (request) => tracing.start(request) }),
    }),
  )
}

/** The host's own operations, but for the key-value store: a late entry there is one entry, and there are very many. */
function isAdministration(path: string): boolean {
  return isOwn(path) && !kvPrefixes.some((prefix) => isBelow(path, prefix))
}

/** What is counted by client is counted for all places where the routes are mounted together. */
async function mountKv(
  app: FastifyInstance,
  { kv, metrics }: HostParts,
  { config, log }: RoutesMaterial,
  { authenticate, clientIp, record }: Door,
): Promise<void> {
  const { rate_limit: perSecond } = config.keyval
  const shared = {
    namespaces: kv,
    overview: kv,
    authenticate,
    record,
    clientOf: (request: FastifyRequest) => clientNetwork(clientIp(request)),
    rate: createTokenBuckets({ perSecond, burst: perSecond }),
    streams: new StreamSlots(),
    holds: new MessageHolds(),
    log,
    ...(metrics && { measurements: measurementsOf(metrics) }),
  }
  for (const prefix of kvPrefixes) {
    const isDocumented = prefix === kvPrefixes[0]
    await app.register(createKvRoutes({ ...shared, isDocumented }), { prefix })
  }
}

function measurementsOf(metrics: Metrics): KvMeasurements {
  return {
    operations: () => metrics.kvOperations(),
    text: () => metrics.kvText(),
    contentType: metrics.contentType,
  }
}

const ipKey = Symbol('client ip')

type WithIp = IncomingMessage & { [ipKey]?: string }

function createDoor(
  { config, auth: { credentials } }: RoutesMaterial,
  actions: Pick<ActionRecorder, 'record'>,
): Door {
  const addressOf = createClientIp({ trustedProxies: config.plugin_trusted_proxies })
  const buckets = createTokenBuckets({ perSecond: config.plugin_rate_limit, burst: config.plugin_rate_limit })
  const clientIp = ({ raw }: { raw: WithIp }): string => {
    // Asked in several places for each request, whose headers about its way nobody changes.
    raw[ipKey] ??= addressOf(raw.socket.remoteAddress, headerText(raw.headers['x-forwarded-for']))
    return raw[ipKey]
  }
  return {
    authenticate: ({ raw }) => userOf(raw),
    clientIp,
    takeToken: (ip) => buckets.take(clientNetwork(ip)),
    record: (request, change) =>
      actions.record({
        ...change,
        actor: toActor(identityOf(request.raw)),
        clientIp: clientIp(request),
        requestId: request.id,
      }),
    credentials,
    stripCredentials: credentials.strip,
  }
}

function hookIdentityOf({ raw }: FastifyRequest): HookIdentity {
  const { kind: type, sub: id, name, tenant } = identityOf(raw)
  return { type, id, name, tenant_id: tenant }
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? (value as string | undefined) : value.join(',')
}
