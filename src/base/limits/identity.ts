/** Limits of credentials. */
export const identityLimits = {
  /** Characters of an admin token from the environment; a shorter one stops the start. */
  adminTokenLengthMin: 16,
  /** Characters of the admin token; a longer one is refused at the start, and unread in a request. */
  bearerTokenLengthMax: 512,
  /** Characters of what identifies somebody, of a name and of an e-mail address. */
  nameCharactersMax: 255,
  /** Roles of one identity. */
  rolesMax: 100,
  /** Groups of one identity. */
  groupsMax: 200,
  /** Characters of a role, of a group and of a tenant. */
  labelCharactersMax: 128,
  /** Bytes of the claims of one identity, as JSON. */
  claimsBytesMax: 16 * 1024,
  /** Levels of tables in claims. */
  claimsDepthMax: 8,
} as const
