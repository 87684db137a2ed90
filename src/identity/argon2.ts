import { hash, verify } from '@node-rs/argon2'

/** What one hash takes. */
export interface Argon2Cost {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

/** `Algorithm.Argon2id`, which the library gives to compilers only. */
const argon2id = 2

/** Hashes a text with argon2id and a salt of its own, in a thread beside the event loop; gives the PHC form. */
export function argon2Hash(text: string, { memoryKib, passes, lanes }: Argon2Cost): Promise<string> {
  return hash(text, { algorithm: argon2id, memoryCost: memoryKib, timeCost: passes, parallelism: lanes })
}

/**
 * Tells whether a text is the one that was hashed.
 *
 * @param encoded PHC form of any argon2; whoever calls has made sure that it does not cost too much.
 * @throws Error for a malformed one.
 */
export function argon2Verify(encoded: string, text: string): Promise<boolean> {
  return verify(encoded, text)
}
