import type { LogQuestion } from '../../capabilities/gateway/service-wire.js'
import type { ResponseCache } from '../../gateway/cache/response-cache.js'
import type { RequestLog } from '../../gateway/monitor/request-log.js'
import type { LimiterView } from '../../gateway/monitor/views.js'
import type { Shell } from '../../gateway/shell/shell.js'

/** The parts of the gateway that plugins may be let look at; one that is undefined is off. */
export interface GatewayFigures {
  readonly requestLog: Pick<RequestLog, 'query' | 'stats'>
  readonly limiter: Pick<LimiterView, 'metrics'> | undefined
  readonly cache: Pick<ResponseCache, 'stats'> | undefined
  readonly shell: Pick<Shell, 'view'>
  readonly cors: { rules(): readonly object[] }
}

/** Lists requests as plugins see them: member by member, so that what the log holds more is not shown with it. */
export function readLog({ requestLog }: GatewayFigures, question: LogQuestion): readonly object[] {
  return requestLog
    .query(question)
    .map(({ id, timestamp, ip, method, path, status, duration, rateLimited }) => ({
      id,
      timestamp,
      ip,
      method,
      path,
      status,
      duration,
      rate_limited: rateLimited,
    }))
}

/** Tells in numbers how the parts are doing: no directories, origins or addresses are among them. */
export function readFigures({ requestLog, limiter, cache, shell, cors }: GatewayFigures): object {
  const { total, rateLimited, byStatus, avgDuration } = requestLog.stats()
  return {
    requests: { total, rate_limited: rateLimited, by_status: byStatus, avg_duration: avgDuration },
    rate_limit: limiter && limitFigures(limiter),
    cache: cache && cacheFigures(cache),
    shell: shell.view().enabled ? { excludes: shell.view().excludes.length } : undefined,
    cors: { rules: cors.rules().length },
  }
}

function limitFigures(limiter: Pick<LimiterView, 'metrics'>): object {
  const { totalRequests, allowedRequests, blockedRequests, activeBuckets } = limiter.metrics()
  return {
    total: totalRequests,
    allowed: allowedRequests,
    blocked: blockedRequests,
    buckets: activeBuckets,
  }
}

function cacheFigures(cache: Pick<ResponseCache, 'stats'>): object {
  const { entries, bytes, hits, misses } = cache.stats()
  return { entries, bytes, hits, misses }
}
