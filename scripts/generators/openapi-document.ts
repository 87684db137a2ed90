import Fastify from 'fastify'
import { adminPrefix, createAdminApi } from '../../src/admin/admin-api.js'
import { createOpenApi } from '../../src/admin/openapi.js'
import type { OutboundAdministration } from '../../src/admin/options.js'
import { createTokenBuckets } from '../../src/base/token-buckets.js'
import { contentPrefix, createContentRoutes } from '../../src/content/content-routes.js'
import type { ContentService } from '../../src/content/content-service.js'
import { noHooks } from '../../src/content/noop-hooks.js'
import { SnapshotStreams } from '../../src/gateway/monitor/snapshots.js'
import { createHealthRoutes } from '../../src/health.js'
import type { KvNamespaces } from '../../src/kv/kv.js'
import { createKvRoutes, kvPrefixes } from '../../src/kv/routes/kv-routes.js'
import { MessageHolds } from '../../src/kv/routes/message-holds.js'
import type { KvMeasurements, KvOverview } from '../../src/kv/routes/routes-options.js'
import { StreamSlots } from '../../src/kv/routes/stream-slots.js'
import { createMetricsOperations, metricsPrefixes } from '../../src/metrics-operations.js'
import type { PluginAdministration } from '../../src/plugins/administration.js'
import type { HookAdministration } from '../../src/plugins/hooks/hook-administration.js'
import { productVersion } from '../../src/version.js'

/** Makes the OpenAPI document of the server from its routes; nothing is opened, and no route is called. */
export async function openApiDocument(): Promise<object> {
  const app = Fastify()
  const silent = () => undefined
  await app.register(createOpenApi({ version: productVersion() }))
  await app.register(createHealthRoutes(() => Promise.reject(new Error('the document calls no route'))))
  await app.register(
    createAdminApi({
      // Only the schemas of the routes are read.
      administration: {} as PluginAdministration,
      hooks: {} as HookAdministration,
      outbound: {} as OutboundAdministration,
      authenticate: silent,
      metrics: async () => [],
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
  await app.register(
    createMetricsOperations({
      access: 'admin',
      contentType: '',
      text: async () => '',
      isAdmin: () => false,
      authenticate: silent,
      isDocumented: true,
      log: { error: silent },
      pool: silent,
      stats: () => ({ pool: {}, workers: {} }),
      streams: new SnapshotStreams({ snapshot: silent, log: { error: silent } }),
    }),
    { prefix: metricsPrefixes[0] },
  )
  await app.ready()
  const document = app.swagger()
  await app.close()
  return document
}
