/** Names one route of one plugin. */
export interface RouteReference {
  readonly plugin: string
  /** Upper case, e.g. `GET`. */
  readonly method: string
  /** Path below `/api/v1/plugins/<plugin>`, as the plugin registered it. */
  readonly path: string
  /** Source that was looked at: approving is refused when another is loaded. Any when missing. */
  readonly content_hash?: string | undefined
}

/** What callers of a route need, all of it. */
export interface RouteRequirement {
  /** One of them is enough. */
  readonly roles?: readonly string[]
  /** All of them. */
  readonly permissions?: readonly string[]
  /** To belong to a tenant. */
  readonly tenant?: boolean
  /** One of them has to vouch. */
  readonly authenticators?: readonly string[]
  /** To be one of these: `user`, `key`, `service`, `worker`. */
  readonly types?: readonly string[]
}

/** One route with its approval. */
export interface RouteListing extends RouteReference {
  /** True when the route answers without a credential once it is approved. */
  readonly public: boolean
  /** What callers need beside a credential; nothing when missing. */
  readonly requires?: RouteRequirement
  readonly approved: boolean
  readonly plugin_version: string
}
