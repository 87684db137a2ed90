import Fastify, { type FastifyInstance } from 'fastify'
import { adminPrefix, createAdminApi } from '../../src/admin/admin-api.js'
import { createMetricsOperations, metricsPrefixes } from '../../src/admin/metrics-operations.js'
import { createOpenApi } from '../../src/admin/openapi.js'
import type { AuthAdministration, OutboundAdministration } from '../../src/admin/options.js'
import { accountsPrefix, createAccountsApi } from '../../src/auth/accounts/accounts-api.js'
import type { AccountsApiOptions } from '../../src/auth/accounts/options.js'
import { createOidcRoutes, type OidcRoutesOptions } from '../../src/auth/oidc/oidc-routes.js'
import { createPolicyRoutes, policyPrefixes } from '../../src/auth/policy-area/policy-routes.js'
import { createTokenBuckets } from '../../src/base/token-buckets.js'
import { contentPrefix, createContentRoutes } from '../../src/content/content-routes.js'
import type { ContentService } from '../../src/content/content-service.js'
import { noHooks } from '../../src/content/noop-hooks.js'
import { addCacheRoutes } from '../../src/gateway/cache/cache-routes.js'
import type { ResponseCache } from '../../src/gateway/cache/response-cache.js'
import type { Cors } from '../../src/gateway/cors/cors.js'
import { addCorsRoutes } from '../../src/gateway/cors/cors-routes.js'
import type { Monitor } from '../../src/gateway/monitor/monitor.js'
import { SnapshotStreams } from '../../src/gateway/monitor/snapshots.js'
import type { GatewayProxy } from '../../src/gateway/proxy/proxy.js'
import { addProxyRoutes } from '../../src/gateway/proxy/proxy-routes.js'
import { addRateLimitRoutes } from '../../src/gateway/rate-limit/rate-limit-routes.js'
import { createAdminArea } from '../../src/gateway/routes/admin-area.js'
import {
  createGatewayRoutes,
  gatewayPrefixes,
  proxyPrefixes,
} from '../../src/gateway/routes/gateway-routes.js'
import type { Shell } from '../../src/gateway/shell/shell.js'
import { addShellRoutes } from '../../src/gateway/shell/shell-routes.js'
import { createHealthRoutes, type HealthSources } from '../../src/host/health.js'
import { productVersion } from '../../src/host/version.js'
import type { KvNamespaces } from '../../src/kv/kv.js'
import { createKvRoutes, kvPrefixes } from '../../src/kv/routes/kv-routes.js'
import { MessageHolds } from '../../src/kv/routes/message-holds.js'
import type { KvMeasurements, KvOverview } from '../../src/kv/routes/routes-options.js'
import { StreamSlots } from '../../src/kv/routes/stream-slots.js'
import type { PluginAdministration } from '../../src/plugins/administration.js'
import type { HookAdministration } from '../../src/plugins/hooks/hook-administration.js'
import type { PolicyService } from '../../src/policies/policy-service.js'

/** Makes the OpenAPI document of the server from its routes; nothing is opened, and no route is called. */
export async function openApiDocument(): Promise<object> {
  const app = Fastify()
  const silent = () => undefined
  await app.register(
    createOpenApi({
      version: productVersion(),
      session: { header: 'x-session-id', cookie: 'modulacms_session' },
    }),
  )
  await app.register(createHealthRoutes({} as HealthSources))
  await app.register(
    createAdminApi({
      // Only the schemas of the routes are read.
      administration: {} as PluginAdministration,
      hooks: {} as HookAdministration,
      outbound: {} as OutboundAdministration,
      authenticate: silent,
      metrics: async () => [],
      auth: {} as AuthAdministration,
      log: { info: silent, warn: silent, error: silent },
    }),
    { prefix: adminPrefix },
  )
  await app.register(
    createContentRoutes({
      content: {} as ContentService,
      hooks: noHooks,
      authenticate: silent,
      stripCredentials: (headers) => headers,
      clientIp: () => '',
      takeToken: () => true,
      isHeaderAllowed: () => true,
      log: { error: silent },
    }),
    { prefix: contentPrefix },
  )
  await app.register(
    createKvRoutes({
      namespaces: {} as KvNamespaces,
      overview: {} as KvOverview,
      measurements: {} as KvMeasurements,
      authenticate: silent,
      clientOf: () => '',
      rate: createTokenBuckets({ perSecond: 0, burst: 1 }),
      streams: new StreamSlots(),
      holds: new MessageHolds(),
      isDocumented: true,
      log: { error: silent },
    }),
    { prefix: kvPrefixes[0] },
  )
  await addGateway(app)
  await app.register(
    createMetricsOperations({
      access: 'admin',
      contentType: '',
      text: async () => '',
      isPermitted: () => false,
      authenticate: silent,
      isDocumented: true,
      log: { info: silent, warn: silent, error: silent },
      pool: silent,
      stats: () => ({ pool: {}, workers: {} }),
      streams: new SnapshotStreams({ snapshot: silent, log: { error: silent } }),
    }),
    { prefix: metricsPrefixes[0] },
  )
  await addAccounts(app)
  await app.ready()
  const document = app.swagger()
  await app.close()
  return document
}

/** As the host mounts it, policies included, with parts that nobody asks for anything. */
async function addGateway(app: FastifyInstance): Promise<void> {
  const silent = () => undefined
  const area = {
    authenticate: silent,
    isDocumented: true,
    log: { info: silent, warn: silent, error: silent },
  }
  const routes = createGatewayRoutes({
    ...area,
    monitor: { streams: { close: silent } } as unknown as Monitor,
    pipeline: { list: () => [] },
    parts: [
      (scope) => addRateLimitRoutes(scope, undefined),
      (scope) => addCorsRoutes(scope, {} as Cors),
      (scope) => addShellRoutes(scope, {} as Shell, () => ''),
      (scope) => addCacheRoutes(scope, {} as ResponseCache),
    ],
  })
  await app.register(routes, { prefix: gatewayPrefixes[0] })
  const rules = (scope: FastifyInstance) => addProxyRoutes(scope, {} as GatewayProxy)
  await app.register(createAdminArea({ ...area, parts: [rules] }), { prefix: proxyPrefixes[0] })
  const policies = createPolicyRoutes({ ...area, policies: {} as PolicyService, inUse: false })
  await app.register(policies, { prefix: policyPrefixes[0] })
}

/** Signing in and the administration of accounts, with stores that nobody asks for anything. */
async function addAccounts(app: FastifyInstance): Promise<void> {
  const options = { providers: [] } as unknown as AccountsApiOptions & OidcRoutesOptions
  await app.register(createAccountsApi(options), { prefix: accountsPrefix })
  await app.register(createOidcRoutes(options), { prefix: accountsPrefix })
}
