/** Limits of what tells who sends a request, and what they may do. */
export const authLimits = {
  /** Characters of a JSON Web Token; a longer one is refused unread. */
  jwtCharactersMax: 16 * 1024,
  /** Time that one request to an issuer may take, e.g. for its keys; then what needs the answer is answered 503. */
  issuerTimeoutMs: 5000,
  /** Bytes of one answer of an issuer; a longer one counts as none. */
  issuerBytesMax: 512 * 1024,
  /** Connections to one issuer at once. */
  issuerConnectionsMax: 8,
  /** Time in which an issuer that could not be asked is not asked again. */
  issuerRetryMs: 1000,
  /** Age at which what an issuer says of itself, such as its addresses, is fetched anew. */
  issuerDocumentAgeMs: 3_600_000,
  /** Keys that an issuer may publish. */
  jwksKeysMax: 100,
  /** Time between two fetches because of a key that is not known. */
  jwksPauseMs: 10_000,
  /** Age at which keys are fetched anew. */
  jwksAgeMs: 600_000,
  /** Time from the begin of a sign-in at a provider to its end. */
  oidcLoginMs: 600_000,
  /** Sign-ins at one provider whose codes are exchanged at once; more answer 503. */
  oidcExchangesMax: 16,
  /** Finished sign-ins that are remembered, so that none is finished twice. */
  oidcFinishedMax: 10_000,
  /** Sign-ins that a browser may have begun and not finished; with one more, all of them are forgotten. */
  oidcPendingMax: 3,
  /** Characters of the path to which a sign-in leads. */
  redirectCharactersMax: 1000,
  /** Characters of a user name that is made from what a provider says. */
  derivedNameCharactersMax: 40,
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
