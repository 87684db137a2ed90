/** Globs of paths without authentication: for every method, or by method, where `ALL` holds for every one. */
export type PublicRoutes = readonly string[] | Readonly<Record<string, readonly string[]>>

/** What an admin says of a rule. */
export interface RuleFields {
  /** Label for people. */
  readonly name?: string
  /** A rule that is not enabled takes no request. */
  readonly enabled: boolean
  /** Regular expression that is looked for anywhere in the path. */
  readonly pattern: string
  /** http or https URL; its path goes in front of what is requested. */
  readonly target: string
  /** The path at the target, where `$1`, `$2`… stand for groups of the pattern; the path as it came when missing. */
  readonly rewrite?: string
  /** Tells the target its own host and origin in the place of ours. */
  readonly changeOrigin: boolean
  /** False takes any certificate of the target. */
  readonly secure: boolean
  /** Tells the target in `X-Identity` who sends a request. */
  readonly identity: boolean
  /** Set on requests to the target after everything else; the values may be secrets, see `shownRule`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Takes WebSocket upgrades, too. */
  readonly ws: boolean
  /** Where HTML pages say that their relative links start. */
  readonly base?: string
  /** Makes links of HTML pages that start at the root relative. */
  readonly relativePaths: boolean
  /** Paths that are public where no rule of the configuration says something else. */
  readonly publicRoutes?: PublicRoutes
}

/** A rule of the proxy. */
export interface ProxyRule extends RuleFields {
  /** `static-<index>` for a rule of the configuration, else a UUID. */
  readonly id: string
  /** Dynamic rules are looked at in ascending order; static ones come before them. */
  readonly order: number
  /** True for a rule of the configuration. */
  readonly readonly: boolean
}

/** Stands for the value of a header where rules are shown. */
export const shownSecret = '***'

/** A rule as admins see it: with the names of the headers that it sets, and without their values. */
export function shownRule(rule: ProxyRule): ProxyRule {
  if (rule.headers === undefined) return rule
  const names = Object.keys(rule.headers)
  return { ...rule, headers: Object.fromEntries(names.map((name) => [name, shownSecret])) }
}
