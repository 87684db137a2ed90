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

/** Limits of passwords and of what checking them costs. */
export const passwordLimits = {
  /** Characters (code points) of a password; a shorter one is refused. */
  charactersMin: 8,
  /** Characters (code points) of a password; a longer one is refused, never cut. */
  charactersMax: 256,
  /** Code units of a text that is looked at as a password at all; some characters have several spellings. */
  codeUnitsMax: 2048,
  /** Memory of one hash in KiB; argon2id's m. */
  memoryKib: 32 * 1024,
  /** Passes over that memory; argon2id's t. */
  passes: 3,
  /** Hashes that are computed at once, each in a thread that also reads files and looks up names; the others wait. */
  concurrentMax: 2,
  /** Hashes that wait; one more is refused with PASSWORDS_BUSY. */
  waitingMax: 64,
  /** Memory in KiB that a stored hash may ask for; one that asks for more fits no password. */
  storedMemoryKibMax: 256 * 1024,
  /** Passes that a stored hash may ask for; one that asks for more fits no password. */
  storedPassesMax: 16,
  /** Lanes that a stored hash may ask for; one that asks for more fits no password. */
  storedLanesMax: 16,
} as const

/** Limits of users and roles in the database. */
export const accountLimits = {
  /** Characters of a user name. */
  usernameCharactersMax: 64,
  /** Characters of an e-mail address, as mail servers take them. */
  emailCharactersMax: 254,
  /** Characters of the issuer of an external identity. */
  issuerCharactersMax: 512,
  /** Characters of the description of a role. */
  descriptionCharactersMax: 500,
  /** Permissions of one role or key. */
  permissionsMax: 100,
  /** Roles in the database; one more is refused. */
  rolesMax: 1000,
  /** Users and keys that the refusal to delete their role names; the rest is only counted. */
  holdersNamedMax: 5,
  /** Bytes of the body of a request about them; a larger one is answered with 413 INVALID_REQUEST. */
  bodyBytesMax: 64 * 1024,
  /** Items of a page that names no limit. */
  pageDefault: 50,
  /** Items of one page; a larger limit is refused. */
  pageMax: 200,
  /** Characters of a cursor; a longer one is refused unread. */
  cursorCharactersMax: 512,
  /** Characters that a list can be searched for. */
  searchCharactersMax: 255,
} as const

/** Limits of API keys and sessions. */
export const credentialLimits = {
  /** Keys of one user that are neither revoked nor expired; one more is refused. */
  keysPerUserMax: 100,
  /** Sessions of one user; with one more the one that was used least recently ends. */
  sessionsPerUserMax: 20,
  /** Time between two notes of when a key or session was last used; less often where sessions are shorter. */
  lastUseMs: 60_000,
  /** Time that such a note may wait to be written together with others. */
  lastUseDelayMs: 1000,
  /** Notes that wait; one more is left out, and made at a later use. */
  lastUseWaitingMax: 10_000,
  /** Time between two sweeps of sessions that have ended. */
  sweepEveryMs: 600_000,
  /** Ended sessions that are deleted in one transaction. */
  sweepMax: 500,
  /** Characters of the name of a browser that a session keeps; the rest is cut. */
  userAgentCharactersMax: 256,
  /** Characters of an address that a session keeps; a longer text is left out. */
  ipCharactersMax: 64,
} as const

/** Limits of tries to sign in. */
export const loginLimits = {
  /** Names, networks and pairs of them remembered, each for itself; beyond, those not heard of for longest go. */
  keysMax: 50_000,
  /** First pause after too many failures; each further failure doubles it, up to the window. */
  firstPauseMs: 5000,
  /** How many times the failures of one network a name takes in a window, from all, before strangers get fewer tries. */
  nameFactor: 3,
  /** Characters of the name of a refused try that its record has. */
  recordedCharactersMax: 64,
  /** Tries of a stranger at a name that many fail at. */
  wariedAttempts: 2,
} as const
