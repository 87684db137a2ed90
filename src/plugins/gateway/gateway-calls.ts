import {
  gatewayTopics,
  type RateLimitAnswer,
  type RateLimitQuestion,
} from '../../capabilities/gateway/service-wire.js'
import type { PluginLimits } from '../../gateway/rate-limit/plugin-limits.js'
import type { HostAsk } from '../../sandbox/generation.js'

/** What the calls of plugins act on. */
export interface GatewayCallsOptions {
  readonly limits: PluginLimits
}

/** Answers one question of a plugin. */
export type GatewayCall = (ask: HostAsk) => Promise<unknown>

/** Creates the answers to the questions of the Lua module `gateway`, by topic. */
export function createGatewayCalls({ limits }: GatewayCallsOptions): ReadonlyMap<string, GatewayCall> {
  return new Map<string, GatewayCall>([
    [gatewayTopics.rateLimit, async ({ plugin, payload }) => takeTokens(limits, plugin, payload)],
  ])
}

function takeTokens(limits: PluginLimits, plugin: string, payload: unknown): RateLimitAnswer {
  const { key, ...limit } = payload as RateLimitQuestion
  const { isAllowed, remaining, retryAfter, fullInMs } = limits.take(plugin, key, limit)
  return {
    isAllowed,
    remaining,
    resetSeconds: Math.ceil(fullInMs / 1000),
    retryAfterSeconds: retryAfter,
  }
}
