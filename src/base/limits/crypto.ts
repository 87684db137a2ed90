/** Limits of the Lua module `crypto`: its work is done in native code, which nothing can stop once it runs. */
export const cryptoLimits = {
  /** Bytes of one `crypto.random_bytes`; more raise. */
  randomBytesMax: 65_536,
  /** Characters of one `crypto.random_string`; more raise. */
  randomCharactersMax: 4096,
  /** Characters of an alphabet; more raise. */
  alphabetCharactersMax: 256,
  /** Bytes to hash that count as one operation of a call. */
  bytesPerOperation: 256 * 1024,
  /** Bytes of a token; a longer one is refused when it is verified, and raises when it is signed. */
  tokenBytesMax: 16 * 1024,
  /** Bytes of a key as text; a longer one raises. */
  keyBytesMax: 16 * 1024,
  /** Bits of the smallest RSA key; a smaller one raises. */
  rsaBitsMin: 2048,
  /** Bits of the largest RSA key to verify with; a larger one raises. */
  rsaBitsMax: 8192,
  /** Bits of the largest RSA key to sign with, whose work grows with the cube; a larger one raises. */
  rsaSigningBitsMax: 4096,
  /** Bits of the public exponent of an RSA key, which is what makes verifying slow; a larger one raises. */
  rsaExponentBitsMax: 32,
  /** Operations that signing or verifying a token counts as. */
  tokenOperations: 5,
  /** Seconds that `clock_skew` may forgive; more raise. */
  clockSkewSecondsMax: 300,
  /** The same when it is not given. */
  clockSkewSeconds: 60,
  /** Last second that `exp`, `nbf` and `iat` may name, the end of the year 9999; a token with a later one is refused. */
  timestampMax: 253_402_300_799,
  /** Entries of a list in the options; more raise. */
  listEntriesMax: 32,
  /** Characters of a text in the options; longer ones raise. */
  optionCharactersMax: 1024,
} as const

/** Limits of hashed passwords in Lua, looked at before anything is computed. */
export const passwordHashLimits = {
  /** Bytes of a password; a longer one raises. */
  passwordBytesMax: 1024,
  /** Characters of a hash; a longer one is no hash that can be checked. */
  hashCharactersMax: 512,
  /** Memory that a hash may ask for, in KiB; one that asks for more is not checked. */
  memoryKibMax: 64 * 1024,
  /** Passes over the memory that a hash may ask for. */
  passesMax: 16,
  /** Memory in KiB times passes: what the time of a check grows with. */
  workMax: 256 * 1024,
  /** Lanes that a hash may ask for. */
  lanesMax: 8,
  /** Operations that one hash or one check counts as. */
  operations: 50,
  /** Hashes and checks of one call; further ones raise. */
  perCallMax: 5,
  /** Hashes and checks of one plugin that wait or run; further ones fail. */
  waitingMax: 8,
} as const
