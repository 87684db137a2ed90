/** One request that has ended. */
export interface GatewayLogEntry {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly ip: string
  readonly method: string
  readonly path: string
  /** 499 when the client went away before there was an answer. */
  readonly status: number
  /** Milliseconds. */
  readonly duration: number
  readonly rateLimited: boolean
}

/** Which requests of the log are meant; what is missing does not matter. */
export interface GatewayLogQuery {
  /** The newest so many; 50 when missing, all with 0. */
  readonly limit?: number | undefined
  readonly ip?: string | undefined
  readonly rateLimited?: boolean | undefined
  /** First digit of the status. */
  readonly statusRange?: number | undefined
  readonly status?: number | undefined
  /** A part of the path. */
  readonly path?: string | undefined
}

/** The last requests in numbers. */
export interface GatewayLogStats {
  readonly total: number
  readonly rateLimited: number
  /** By class, e.g. `2xx`. */
  readonly byStatus: Readonly<Record<string, number>>
  /** Milliseconds. */
  readonly avgDuration: number
}

/** How all parts of the gateway are doing. */
export interface GatewayStats {
  readonly rateLimit: {
    readonly enabled: boolean
    /** Null without a rate limit. */
    readonly metrics: GatewayLimitMetrics | null
    readonly config: { readonly requests: number; readonly window: string; readonly keyBy: string } | null
  }
  readonly cors: { readonly enabled: boolean; readonly rulesCount: number }
  readonly cache: GatewayCacheStats
  readonly shell: {
    readonly enabled: boolean
    readonly dir: string | null
    readonly excludesCount: number
  }
  readonly logs: GatewayLogStats
}

/** What the rate limit has counted since the start. */
export interface GatewayLimitMetrics {
  readonly totalRequests: number
  readonly allowedRequests: number
  readonly blockedRequests: number
  readonly activeBuckets: number
}

/** Without a cache there is nothing but `enabled`. */
export interface GatewayCacheStats {
  readonly enabled: boolean
  readonly entries?: number
  readonly bytes?: number
  readonly hits?: number
  readonly misses?: number
  readonly stores?: number
  readonly evictions?: number
  readonly invalidations?: number
  readonly waits?: number
}

/** One stage of the chain; what there is beside these members depends on the stage. */
export interface GatewayStage {
  readonly name: string
  readonly priority: number
  /** `request`, `answer` and `finish`. */
  readonly phases: readonly string[]
  readonly [more: string]: unknown
}

/** A client that has used some of its requests. */
export interface GatewayBucket {
  readonly key: string
  readonly tokens: number
  /** Seconds until there is a whole token; 0 when there is one. */
  readonly retryAfter: number
  /** Milliseconds since 1970. */
  readonly lastActivity: number
}

/** A basename that the shell does not serve. */
export interface GatewayShellExclude {
  readonly basename: string
  /** Those of `env` cannot be removed. */
  readonly source: 'env' | 'database'
  /** Milliseconds since 1970. */
  readonly addedAt?: number
}

/** Who may read answers from which other origins. */
export interface GatewayCorsRule {
  readonly id: string
  readonly name: string
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  readonly allowedHeaders: readonly string[]
  readonly exposedHeaders: readonly string[]
  readonly credentials: boolean
  /** Seconds. */
  readonly maxAge: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Those of `config` cannot be changed. */
  readonly source: 'config' | 'database'
}

/** What is said of a new rule for other origins; what is missing has its default. */
export type GatewayCorsContent = Pick<GatewayCorsRule, 'name' | 'origins'> &
  Partial<Pick<GatewayCorsRule, 'methods' | 'allowedHeaders' | 'exposedHeaders' | 'credentials' | 'maxAge'>>

/** What is said of a rule of the proxy. */
export interface GatewayProxyFields {
  readonly name?: string
  readonly enabled?: boolean
  readonly pattern: string
  readonly target: string
  readonly rewrite?: string
  readonly changeOrigin?: boolean
  readonly secure?: boolean
  /** Tells the target in `X-Identity` who sends a request. */
  readonly identity?: boolean
  /** Values are given as `***`; one that is sent so stays what it is. */
  readonly headers?: Readonly<Record<string, string>>
  readonly ws?: boolean
  readonly base?: string
  readonly relativePaths?: boolean
  readonly publicRoutes?: readonly string[] | Readonly<Record<string, readonly string[]>>
}

/** A rule by which requests are sent to another server. */
export interface GatewayProxyRule extends GatewayProxyFields {
  readonly id: string
  readonly enabled: boolean
  readonly order: number
  /** True for a rule of the configuration, which cannot be changed. */
  readonly readonly: boolean
}

/** What is taken out of the cache: the answers of one key, of one tag, or those that a pattern means; all of them when empty. */
export type GatewayInvalidation =
  | { readonly key: string }
  | { readonly tag: string }
  | { readonly pattern: string }
  | Readonly<Record<string, never>>
