import type { FastifyPluginCallback } from 'fastify'
import type { Monitor } from '../monitor/monitor.js'
import type { StageListing } from '../pipeline.js'
import { type AdminAreaOptions, createAdminArea } from './admin-area.js'
import { addMonitorRoutes } from './monitor-routes.js'
import { gatewayAnswers } from './routes-failures.js'

/** Paths under which the host mounts the gateway; the first is the one of the OpenAPI document. */
export const gatewayPrefixes = ['/gateway/api', '/api/gateway'] as const

/** The paths below the prefixes, for the server that they are mounted in. */
export const gatewayArea = { prefixes: gatewayPrefixes, refuse: gatewayAnswers.refuse } as const

/** Paths under which the host mounts the rules of the proxy; the first is the one of the OpenAPI document. */
export const proxyPrefixes = ['/redirects/api', '/api/proxy'] as const

/** The paths below those prefixes, for the server that they are mounted in. */
export const proxyArea = { prefixes: proxyPrefixes, refuse: gatewayAnswers.refuse } as const

/** What the HTTP interface of the gateway is made of; `parts` are those of its parts beside the monitor. */
export interface GatewayRoutesOptions extends AdminAreaOptions {
  readonly monitor: Monitor
  readonly pipeline: { list(): readonly StageListing[] }
}

/**
 * Creates the HTTP interface of the gateway as an encapsulated Fastify plugin:
 * `app.register(createGatewayRoutes(options), { prefix: gatewayPrefixes[0] })`. `createAdminArea` does the same for
 * routes at other prefixes, such as those of the proxy.
 */
export function createGatewayRoutes({
  monitor,
  pipeline,
  parts,
  ...area
}: GatewayRoutesOptions): FastifyPluginCallback {
  return createAdminArea({ ...area, parts: [(app) => addMonitorRoutes(app, monitor, pipeline), ...parts] })
}
