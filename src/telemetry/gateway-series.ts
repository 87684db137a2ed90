import { gatewayMetrics } from './metric-definitions.js'
import type { MetricDefinition, MetricFamily, NumberCell } from './metric-family.js'

/** How the parts of the gateway are doing; of a part that is off, nothing is told. */
export interface GatewayFigures {
  readonly rateLimit:
    | {
        readonly allowedRequests: number
        readonly blockedRequests: number
        readonly activeBuckets: number
      }
    | undefined
  readonly cache:
    | { readonly hits: number; readonly misses: number; readonly entries: number; readonly bytes: number }
    | undefined
  /** WebSockets that are open or being opened. */
  readonly tunnels: number
  /** Approved stages that do not run. */
  readonly stages: { readonly paused: number; readonly held: number }
}

/** The numbers of the gateway, as they are told at each reading. */
export class GatewaySeries {
  readonly #families: Readonly<Record<keyof typeof gatewayMetrics, MetricFamily<NumberCell>>>

  constructor(create: (definition: MetricDefinition) => MetricFamily<NumberCell>) {
    this.#families = {
      limited: create(gatewayMetrics.limited),
      clients: create(gatewayMetrics.clients),
      cacheRequests: create(gatewayMetrics.cacheRequests),
      cacheEntries: create(gatewayMetrics.cacheEntries),
      cacheBytes: create(gatewayMetrics.cacheBytes),
      tunnels: create(gatewayMetrics.tunnels),
      stages: create(gatewayMetrics.stages),
    }
  }

  set({ rateLimit, cache, tunnels, stages }: GatewayFigures): void {
    const families = this.#families
    if (rateLimit !== undefined) {
      families.limited.of('allowed').value = rateLimit.allowedRequests
      families.limited.of('refused').value = rateLimit.blockedRequests
      families.clients.of().value = rateLimit.activeBuckets
    }
    if (cache !== undefined) {
      families.cacheRequests.of('hit').value = cache.hits
      families.cacheRequests.of('miss').value = cache.misses
      families.cacheEntries.of().value = cache.entries
      families.cacheBytes.of().value = cache.bytes
    }
    families.tunnels.of().value = tunnels
    families.stages.of('paused').value = stages.paused
    families.stages.of('held').value = stages.held
  }
}
