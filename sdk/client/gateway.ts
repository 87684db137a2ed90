import type {
  GatewayBucket,
  GatewayCorsContent,
  GatewayCorsRule,
  GatewayInvalidation,
  GatewayLogEntry,
  GatewayLogQuery,
  GatewayProxyFields,
  GatewayProxyRule,
  GatewayShellExclude,
  GatewayStage,
  GatewayStats,
} from './gateway-types.js'
import { queryOf } from './query.js'
import type { Transport } from './transport.js'

/** Looks at the gateway of a server and changes what can be changed while it runs. All reject with `ClientError`. */
export interface GatewayClient {
  stats(): Promise<GatewayStats>
  /** The stages in their order. */
  pipeline(): Promise<readonly GatewayStage[]>
  /** The last requests, the newest first. */
  logs(query?: GatewayLogQuery): Promise<readonly GatewayLogEntry[]>
  /** Clients that have used some of their requests; `RATE_LIMIT_DISABLED` without a rate limit. */
  readonly limits: {
    list(query?: {
      readonly limit?: number
      readonly sortBy?: 'tokens' | 'lastActivity'
    }): Promise<readonly GatewayBucket[]>
    /** Resolves to false when the client had all its requests already. */
    reset(key: string): Promise<boolean>
    /** Resolves to the number of clients. */
    clear(): Promise<number>
  }
  /** What the shell does not serve; `SHELL_NOT_CONFIGURED` without a shell. */
  readonly excludes: {
    list(): Promise<readonly GatewayShellExclude[]>
    /** Resolves to false when it was there already. */
    add(basename: string): Promise<boolean>
    /** Resolves to false when it was not there. */
    remove(basename: string): Promise<boolean>
  }
  /** Rules for other origins. */
  readonly cors: {
    list(): Promise<readonly GatewayCorsRule[]>
    add(rule: GatewayCorsContent): Promise<GatewayCorsRule>
    /** Resolves to false when it was not there. */
    remove(id: string): Promise<boolean>
  }
  /** Rules of the proxy; `PROXY_RULE_NOT_FOUND` and `PROXY_RULE_STATIC` for those that cannot be changed. */
  readonly proxy: {
    list(): Promise<readonly GatewayProxyRule[]>
    add(rule: GatewayProxyFields): Promise<GatewayProxyRule>
    /** Turns a rule on that is off, and off that is on. */
    toggle(id: string): Promise<GatewayProxyRule>
    remove(id: string): Promise<void>
  }
  /** Takes answers out of the cache and resolves to how many; `CACHE_NOT_ENABLED` without one. */
  invalidate(what: GatewayInvalidation): Promise<number | 'all'>
}

const root = '/gateway/api'
const rules = '/redirects/api/rules'

/** Creates the part of a client that is about the gateway. */
export function createGatewayClient(send: Transport): GatewayClient {
  const get = async <T>(path: string): Promise<T> => (await send({ method: 'GET', path })) as T
  const change = async <T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> =>
    (await send({ method, path, ...(body === undefined ? {} : { body }) })) as T
  return {
    stats: () => get(`${root}/stats`),
    pipeline: () => get(`${root}/pipeline`),
    logs: (query = {}) => get(`${root}/logs${queryOf(query)}`),
    limits: {
      list: (query = {}) => get(`${root}/rate-limit/buckets${queryOf(query)}`),
      reset: async (key) =>
        (
          await change<{ deleted: boolean }>(
            'DELETE',
            `${root}/rate-limit/buckets/${encodeURIComponent(key)}`,
          )
        ).deleted,
      clear: async () => (await change<{ cleared: number }>('POST', `${root}/rate-limit/clear`)).cleared,
    },
    excludes: {
      list: () => get(`${root}/shell/excludes`),
      add: async (basename) =>
        (await change<{ added: boolean }>('POST', `${root}/shell/excludes`, { basename })).added,
      remove: (basename) => removed(change, `${root}/shell/excludes/${encodeURIComponent(basename)}`),
    },
    cors: {
      list: () => get(`${root}/cors/rules`),
      add: (rule) => change('POST', `${root}/cors/rules`, rule),
      remove: (id) => removed(change, `${root}/cors/rules/${encodeURIComponent(id)}`),
    },
    proxy: {
      list: () => get(rules),
      add: (rule) => change('POST', rules, rule),
      toggle: (id) => change('PATCH', `${rules}/${encodeURIComponent(id)}/toggle`),
      remove: async (id) => {
        await change('DELETE', `${rules}/${encodeURIComponent(id)}`)
      },
    },
    invalidate: async (what) =>
      (await change<{ invalidated: number | 'all' }>('POST', `${root}/cache/invalidate`, what)).invalidated,
  }
}

async function removed(
  change: (method: 'DELETE', path: string) => Promise<unknown>,
  path: string,
): Promise<boolean> {
  return ((await change('DELETE', path)) as { readonly removed: boolean }).removed
}
