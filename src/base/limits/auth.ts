/** Limits of what tells who sends a request, and what they may do. */
export const authLimits = {
  /** Characters of a JSON Web Token; a longer one is refused unread. */
  jwtCharactersMax: 16 * 1024,
  /** Time that fetching the keys of an issuer may take; then requests with its tokens answer 503. */
  jwksTimeoutMs: 5000,
  /** Time between two fetches because of a key that is not known. */
  jwksPauseMs: 10_000,
  /** Age at which keys are fetched anew. */
  jwksAgeMs: 600_000,
  /** Rules of paths. */
  rulesMax: 500,
  /** Patterns of one rule. */
  pathsMax: 100,
} as const

/** Limits of what routes of plugins ask of their callers. */
export const routeRequirementLimits = {
  /** Roles, permissions, authenticators or types that one route names. */
  namesMax: 32,
  /** Times that a handler may ask in one call whether something may be done. */
  checksMax: 50,
  /** Bytes of JSON that describe one thing that is asked about. */
  resourceBytesMax: 16 * 1024,
} as const

/** Limits of what plugins add to that. */
export const pluginAuthLimits = {
  /** Authenticators, authorizers and predicates of one plugin. */
  registrationsMax: 20,
  /** Characters of a name. */
  nameCharactersMax: 64,
  /** Time of one call; longer ones answer 503. */
  timeoutMs: 500,
  /** Database and key-value operations of one call. */
  operationsMax: 20,
  /** Characters of a reason that callers read. */
  reasonCharactersMax: 200,
  /** Characters of what a bearer token must begin with, and of the name of a header. */
  optionCharactersMax: 64,
} as const
