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
