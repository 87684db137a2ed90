import { listOrigins } from '../config/gateway-rules.js'
import type { Config } from '../config/schema.js'

/** Says in one line what of the gateway the configuration turns on; undefined when nothing. */
export function gatewaySummary({ gateway }: Config): string | undefined {
  const { rateLimit, cors, proxy, shellDir, shellRoutes, cache, compression } = gateway
  const rules = proxy.rules.length
  const shells = [shellDir, ...shellRoutes.map(({ host, dir }) => `${dir} at ${host}`)].filter(Boolean)
  const parts = [
    rateLimit.enabled &&
      `limit of ${rateLimit.requests} requests in ${rateLimit.window} by ${rateLimit.keyBy}`,
    cors.enabled && `answers for pages of ${listOrigins(cors.origin).join(', ')}`,
    rules > 0 && `${rules} ${rules === 1 ? 'rule' : 'rules'} of the proxy`,
    shells.length > 0 && `shell from ${shells.join(', ')}`,
    cache.enabled && 'cache',
    compression.enabled && 'compression',
  ].filter((part) => part !== false)
  return parts.length === 0 ? undefined : parts.join('; ')
}
