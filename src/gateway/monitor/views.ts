import type { HistoryFigures } from './history.js'

/** What operators see of the rate limit. */
export interface LimiterView {
  /** What it has counted, and how large its buckets are. */
  metrics(): HistoryFigures
  /** What it was told, e.g. `requests`, `window` and `keyBy`. */
  config(): object
}

/** What operators see of the rules for other origins. */
export interface CorsView {
  rules(): readonly object[]
}

/** What operators see of the shell. */
export interface ShellView {
  view(): {
    /** False where no shell is configured. */
    readonly enabled: boolean
    readonly dir: string | null
    /** Those of the configuration. */
    readonly envExcludes: readonly string[]
    /** All of them. */
    readonly excludes: readonly object[]
  }
}

/** What operators see of the response cache. */
export interface CacheView {
  stats(): object
  config(): object
}

/** The parts of the gateway, as the routes show them; a part that is undefined is off. Nothing of it is secret. */
export interface GatewayViews {
  readonly limiter: LimiterView | undefined
  readonly cors: CorsView | undefined
  readonly shell: ShellView | undefined
  readonly cache: CacheView | undefined
}
