import { passwordHashLimits } from '../base/limits/crypto.js'
import { Turns } from '../base/turns.js'
import { passwordHashFault } from '../capabilities/crypto/password-hash.js'
import {
  passwordTopics,
  type WireHash,
  type WireHashAnswer,
  type WireVerify,
  type WireVerifyAnswer,
} from '../capabilities/crypto/wire.js'
import { argon2Hash, argon2Verify } from '../identity/argon2.js'
import type { HostAsk } from '../sandbox/generation.js'

/** What the hashes of plugins cost, as OWASP advises for Argon2id. */
const cost = { memoryKib: 19 * 1024, passes: 2, lanes: 1 } as const

type PasswordAnswer = WireHashAnswer | WireVerifyAnswer

/** The hashes and checks of one plugin. */
interface Lane {
  readonly turns: Turns
  count: number
}

/**
 * Answers what plugins ask of passwords. Each plugin has one hash computed at a time, and all plugins together have one:
 * it takes a thread that the whole process shares, for tens of milliseconds, and nothing can stop it.
 */
export class PasswordCalls {
  readonly #lanes = new Map<string, Lane>()
  readonly #all = new Turns()

  /** Answers one question. */
  answer(ask: HostAsk): Promise<PasswordAnswer> {
    return ask.topic === passwordTopics.hash
      ? this.#inTurn(ask, async () => ({ hash: await argon2Hash((ask.payload as WireHash).password, cost) }))
      : this.#inTurn(ask, () => check(ask.payload as WireVerify))
  }

  async #inTurn(
    { plugin, timeLeftMs }: HostAsk,
    work: () => Promise<PasswordAnswer>,
  ): Promise<PasswordAnswer> {
    const lane = this.#lanes.get(plugin) ?? { turns: new Turns(), count: 0 }
    if (lane.count >= passwordHashLimits.waitingMax) {
      return {
        error: `too many passwords wait: a plugin may have ${passwordHashLimits.waitingMax}; try again later`,
      }
    }
    this.#lanes.set(plugin, lane)
    lane.count += 1
    const askedMs = performance.now()
    const unlessLate = async (): Promise<PasswordAnswer> =>
      performance.now() - askedMs > timeLeftMs ? { error: 'the time of the call ran out' } : work()
    try {
      // In the queue of all a plugin has one place at most, so that they come by turns.
      return await lane.turns.take(() => this.#all.take(unlessLate))
    } finally {
      lane.count -= 1
      if (lane.count === 0) this.#lanes.delete(plugin)
    }
  }
}

async function check({ password, hash: encoded }: WireVerify): Promise<WireVerifyAnswer> {
  const fault = passwordHashFault(encoded)
  if (fault !== undefined) return { error: fault }
  try {
    return { matches: await argon2Verify(encoded, password) }
  } catch {
    return { error: 'the hash cannot be read' }
  }
}
