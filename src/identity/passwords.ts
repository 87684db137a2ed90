import { randomBytes } from 'node:crypto'
import { passwordLimits } from '../base/limits/identity.js'
import { type Argon2Cost, argon2Hash, argon2Verify } from './argon2.js'
import { passwordsBusy } from './errors.js'
import { spellPassword } from './password-rules.js'
import { WorkRow } from './work-row.js'

/** What hashing costs; each defaults to the value of the same name in `passwordLimits`. */
export interface PasswordHasherOptions {
  /** KiB. */
  readonly memoryKib?: number
  readonly passes?: number
  readonly concurrentMax?: number
  readonly waitingMax?: number
}

/** Hashes passwords with argon2id, in threads beside the event loop, so many at once and no more. */
export interface PasswordHasher {
  /**
   * Gives what may be stored of a password, in PHC form with a salt of its own.
   *
   * @param password Checked by `checkNewPassword` before.
   * @throws `PASSWORDS_BUSY`; Error for a text that no password can be.
   */
  hash(password: string): Promise<string>
  /**
   * Tells whether a password is the one that was hashed. Takes as long where there is no hash, so that nobody learns
   * who has one.
   *
   * @param stored Undefined when there is none; then, and for a hash that is malformed or costs too much, false.
   * @throws `PASSWORDS_BUSY`
   */
  verify(password: string, stored: string | undefined): Promise<boolean>
  /** True for a hash that was made at other costs than new ones: it is made anew when its password is at hand. */
  needsRehash(stored: string): boolean
}

/** Creates a hasher; all hashes of a host come from one, as it is what bounds them. */
export function createPasswordHasher(options: PasswordHasherOptions = {}): PasswordHasher {
  return new Argon2Hasher(options)
}

/** Lanes would only spread one hash over more threads. */
const lanes = 1

const storedShape =
  /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

class Argon2Hasher implements PasswordHasher {
  readonly #cost: Argon2Cost
  readonly #row: WorkRow
  /** Looks like a hash at the costs of this hasher and fits nothing. */
  readonly #unfit: string

  constructor(options: PasswordHasherOptions) {
    const { memoryKib, passes, concurrentMax, waitingMax } = { ...passwordLimits, ...options }
    this.#cost = { memoryKib, passes, lanes }
    this.#row = new WorkRow(concurrentMax, waitingMax, () =>
      passwordsBusy({ waiting: waitingMax }, { retryAfterSeconds: 1 }),
    )
    this.#unfit = `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${base64(randomBytes(16))}$${base64(randomBytes(32))}`
  }

  async hash(password: string): Promise<string> {
    const text = spellPassword(password)
    if (text === undefined) throw new Error('the password is too long or no valid Unicode')
    return this.#row.run(() => argon2Hash(text, this.#cost))
  }

  async verify(password: string, stored: string | undefined): Promise<boolean> {
    const text = spellPassword(password)
    const isUsable = text !== undefined && stored !== undefined && isAffordable(stored)
    const fits = await this.#row.run(() => argon2Verify(isUsable ? stored : this.#unfit, text ?? ''))
    return fits && isUsable
  }

  needsRehash(stored: string): boolean {
    const { memoryKib, passes } = this.#cost
    return !stored.startsWith(`$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$`)
  }
}

/** Hashes may come from elsewhere, with costs that nobody here has chosen. */
function isAffordable(stored: string): boolean {
  const [, memory, time, parallelism, salt, digest] = storedShape.exec(stored) ?? []
  if (salt === undefined || digest === undefined) return false
  if (!isBase64(salt) || !isBase64(digest)) return false
  const [memoryKib, passes, ownLanes] = [Number(memory), Number(time), Number(parallelism)]
  const { storedMemoryKibMax, storedPassesMax, storedLanesMax } = passwordLimits
  if (memoryKib > storedMemoryKibMax || passes > storedPassesMax || ownLanes > storedLanesMax) return false
  // The least that argon2 is defined for.
  return passes >= 1 && ownLanes >= 1 && memoryKib >= 8 * ownLanes
}

/** True for the one spelling of some bytes; the library throws for any other. */
function isBase64(text: string): boolean {
  return base64(Buffer.from(text, 'base64')) === text
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
