/** Topics under which code of plugins asks the host to hash a password and to check one. */
export const passwordTopics = { hash: 'crypto.argon2_hash', verify: 'crypto.argon2_verify' } as const

/** A password to hash. */
export interface WireHash {
  readonly password: string
}

/** A password to check against a hash, whose cost lies within the limits. */
export interface WireVerify {
  readonly password: string
  readonly hash: string
}

/** What the host answers; a text says why it did nothing. */
export type WireHashAnswer = { readonly hash: string } | { readonly error: string }
export type WireVerifyAnswer = { readonly matches: boolean } | { readonly error: string }
