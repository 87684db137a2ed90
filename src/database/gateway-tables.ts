/** The requests counted by the rate limit since the start of the host, at one second. */
export interface GatewayMetricsHistoryTable {
  /** Primary key; milliseconds since 1970. */
  timestamp: number
  total_requests: number
  blocked_requests: number
  allowed_requests: number
  active_buckets: number
}

/** A first path segment whose pages are not served by the shell. */
export interface GatewayShellExcludesTable {
  /** Primary key. */
  basename: string
  /** Milliseconds since 1970. */
  added_at: number
  /** Name of the user or plugin that added it. */
  added_by: string
}

/** A rule for answers to other origins. */
export interface GatewayCorsRulesTable {
  /** UUID; primary key. */
  id: string
  /** Rules are looked at in ascending order. */
  position: number
  name: string
  /** JSON array, as the other lists. */
  origins: string
  methods: string
  allowed_headers: string
  exposed_headers: string
  credentials: 0 | 1
  /** Seconds. */
  max_age: number
  /** Milliseconds since 1970. */
  created_at: number
}

/** A rule of the proxy that was added while the host ran. */
export interface ProxyRulesTable {
  /** UUID; primary key. */
  id: string
  rule_order: number
  /** JSON object. */
  rule_json: string
}

/** The tables of the gateway. */
export interface GatewayTables {
  gateway_metrics_history: GatewayMetricsHistoryTable
  gateway_shell_excludes: GatewayShellExcludesTable
  gateway_cors_rules: GatewayCorsRulesTable
  proxy_rules: ProxyRulesTable
}
