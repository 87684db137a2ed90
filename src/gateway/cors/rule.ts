/** Who may read answers from which other origins. */
export interface CorsRule {
  /** UUID; `config` for the rule of the configuration. */
  readonly id: string
  readonly name: string
  /** `*`, `https://app.example.com` or `*.example.com`. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  /** Request headers; when empty, those that a preflight asks for. */
  readonly allowedHeaders: readonly string[]
  readonly exposedHeaders: readonly string[]
  /** Whether cookies and the like may be sent along. */
  readonly credentials: boolean
  /** Seconds that browsers may remember a preflight. */
  readonly maxAge: number
  /** Milliseconds since 1970; the start of the gateway for the rule of the configuration. */
  readonly createdAt: number
  /** Only rules of the database can be changed. */
  readonly source: 'config' | 'database'
}

/** What an admin decides about a rule. */
export type CorsRuleContent = Omit<CorsRule, 'id' | 'createdAt' | 'source'>

/** The rule of the configuration. Lists may also be texts with commas or spaces. */
export interface CorsPolicy {
  /** Every origin when missing. */
  readonly origin?: string | readonly string[]
  /** `defaultMethods` when missing or empty. */
  readonly methods?: string | readonly string[]
  readonly allowedHeaders?: string | readonly string[]
  readonly exposedHeaders?: string | readonly string[]
  /** False when missing; cannot go with the origin `*`. */
  readonly credentials?: boolean
  /** Seconds; a day when missing. */
  readonly maxAge?: number
  /** False leaves preflights to what is behind the gateway. True when missing. */
  readonly preflight?: boolean
}

/** The id of the rule of the configuration. */
export const configuredRuleId = 'config'
