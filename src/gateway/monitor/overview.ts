import { monitorLimits } from '../../base/limits/gateway.js'
import type { RequestLog } from './request-log.js'
import type { GatewayViews } from './views.js'

/** Tells how all parts of the gateway are doing. */
export function readStats({ limiter, cors, shell, cache }: GatewayViews, log: RequestLog): object {
  const rules = cors?.rules() ?? []
  const shown = shell?.view()
  return {
    rateLimit: {
      enabled: limiter !== undefined,
      metrics: limiter?.metrics() ?? null,
      config: limiter?.config() ?? null,
    },
    cors: { enabled: rules.length > 0, rulesCount: rules.length },
    cache: { ...cache?.stats(), enabled: cache !== undefined },
    shell: {
      enabled: shown?.enabled ?? false,
      dir: shown?.dir ?? null,
      excludesCount: shown?.excludes.length ?? 0,
    },
    logs: log.stats(),
  }
}

/** Tells what all parts of the gateway were told; null stands for a part that is off. */
export function readConfig({ limiter, cors, shell, cache }: GatewayViews): object {
  const shown = shell?.view()
  return {
    rateLimit: limiter?.config() ?? null,
    cors: cors?.rules() ?? [],
    cache: cache?.config() ?? null,
    shell: shown?.enabled ? { dir: shown.dir, envExcludes: shown.envExcludes } : null,
  }
}

/** Makes one snapshot for streams. */
export function readSnapshot({ limiter, cors, shell }: GatewayViews, log: RequestLog): object {
  const rules = cors?.rules() ?? []
  const shown = shell?.view()
  return {
    timestamp: Date.now(),
    rateLimit: limiter === undefined ? null : { metrics: limiter.metrics(), config: limiter.config() },
    cors: { enabled: rules.length > 0, rules },
    shell: shown?.enabled ? shown : null,
    recentLogs: log.query({ limit: monitorLimits.recentRequestsMax }),
  }
}
