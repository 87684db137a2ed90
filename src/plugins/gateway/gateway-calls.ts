import { HostError } from '../../base/errors.js'
import {
  type CacheDeletion,
  type CacheEntry,
  gatewayTopics,
  type LogQuestion,
  type RateLimitAnswer,
  type RateLimitQuestion,
  type ServiceAnswer,
} from '../../capabilities/gateway/service-wire.js'
import type { PluginLimits } from '../../gateway/rate-limit/plugin-limits.js'
import type { Shell } from '../../gateway/shell/shell.js'
import type { HostAsk } from '../../sandbox/generation.js'
import type { GatewayAccess } from '../manifest.js'
import type { GrantDirectory } from '../plugin-directory.js'
import { ReadPace } from '../read-pace.js'
import { gatewayNotApproved, gatewayReadTooLate, gatewayWithoutShell } from './gateway-errors.js'
import { type GatewayFigures, readFigures, readLog } from './gateway-figures.js'
import type { PluginMemory } from './plugin-memory.js'

/** What the calls of plugins act on. */
export interface GatewayCallsOptions {
  readonly directory: GrantDirectory
  readonly memory: Pick<PluginMemory, 'limits' | 'cache'>
  readonly figures: GatewayFigures
  readonly shell: Pick<Shell, 'view' | 'exclude' | 'remove'>
}

/** Answers one question of a plugin. */
export type GatewayCall = (ask: HostAsk) => Promise<unknown>

/**
 * Creates the answers to the questions of the Lua module `gateway`, by topic. Limits and caches are the plugin's own;
 * for all else its approval is checked anew at each call, so that a revoked approval ends at once.
 */
export function createGatewayCalls(options: GatewayCallsOptions): ReadonlyMap<string, GatewayCall> {
  const { limits } = options.memory
  const calls = new GatewayCalls(options)
  return new Map<string, GatewayCall>([
    [gatewayTopics.rateLimit, async ({ plugin, payload }) => takeTokens(limits, plugin, payload)],
    [gatewayTopics.cacheGet, (ask) => answered(() => calls.cached(ask))],
    [gatewayTopics.cacheSet, (ask) => answered(() => calls.keep(ask))],
    [gatewayTopics.cacheDelete, (ask) => answered(() => calls.discard(ask))],
    [gatewayTopics.logQuery, (ask) => answered(() => calls.log(ask))],
    [gatewayTopics.stats, (ask) => answered(() => calls.stats(ask))],
    [gatewayTopics.shellExclude, (ask) => answered(() => calls.exclude(ask))],
    [gatewayTopics.shellInclude, (ask) => answered(() => calls.include(ask))],
  ])
}

/** An expected failure is a plain one for the plugin; a mistake of the host is not its business. */
async function answered(act: () => Promise<string>): Promise<ServiceAnswer> {
  try {
    return { ok: true, json: await act() }
  } catch (error) {
    if (error instanceof HostError && (error.status < 500 || error.status === 503)) {
      return { ok: false, message: error.message }
    }
    throw error
  }
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

/** The answers that can fail; each gives JSON. */
class GatewayCalls {
  readonly #options: GatewayCallsOptions
  readonly #pace = new ReadPace(() => gatewayReadTooLate())

  constructor(options: GatewayCallsOptions) {
    this.#options = options
  }

  /** A value that is not there has no JSON: the empty text. */
  async cached({ plugin, payload }: HostAsk): Promise<string> {
    const { key } = payload as { readonly key: string }
    return this.#options.memory.cache.get(plugin, key) ?? ''
  }

  async keep({ plugin, payload }: HostAsk): Promise<string> {
    const { key, json, ...options } = payload as CacheEntry
    this.#options.memory.cache.set(plugin, key, json, options)
    return 'true'
  }

  async discard({ plugin, payload }: HostAsk): Promise<string> {
    const { cache } = this.#options.memory
    const what = payload as CacheDeletion
    const count =
      'tag' in what ? cache.invalidateTag(plugin, what.tag) : Number(cache.delete(plugin, what.key))
    return String(count)
  }

  async log(ask: HostAsk): Promise<string> {
    return this.#look(ask, 'log:read', () => readLog(this.#options.figures, ask.payload as LogQuestion))
  }

  async stats(ask: HostAsk): Promise<string> {
    return this.#look(ask, 'stats:read', () => readFigures(this.#options.figures))
  }

  async exclude(ask: HostAsk): Promise<string> {
    const { shell, basename } = this.#openShell(ask)
    if (shell.view().envExcludes.includes(basename)) return 'false'
    return String(await shell.exclude(basename, `plugin:${ask.plugin}`))
  }

  async include(ask: HostAsk): Promise<string> {
    const { shell, basename } = this.#openShell(ask)
    return String(await shell.remove(basename))
  }

  /** A log of many requests takes long to look through, on the thread that all requests share. */
  #look(ask: HostAsk, access: GatewayAccess, read: () => object): Promise<string> {
    this.#assertApproved(ask, access)
    return this.#pace.run(ask.plugin, ask.timeLeftMs, async () => JSON.stringify(read()))
  }

  #openShell(ask: HostAsk): { readonly shell: GatewayCallsOptions['shell']; readonly basename: string } {
    this.#assertApproved(ask, 'shell:write')
    const { shell } = this.#options
    if (!shell.view().enabled) throw gatewayWithoutShell()
    return { shell, basename: (ask.payload as { readonly basename: string }).basename }
  }

  #assertApproved({ plugin, generation }: HostAsk, access: GatewayAccess): void {
    const grants = this.#options.directory.grantsOf(plugin, generation)
    if (!grants.isApproved('gateway', access)) throw gatewayNotApproved({ plugin, access })
  }
}
