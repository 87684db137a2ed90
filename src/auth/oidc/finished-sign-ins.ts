import { createHash } from 'node:crypto'
import { authLimits } from '../../base/limits/auth.js'
import { RecentRecords } from '../../identity/recent-records.js'

/**
 * Remembers sign-ins that were finished, so that none is finished twice at this host. Their codes are good once, as
 * providers have to see to; this holds where one does not.
 */
export class FinishedSignIns {
  readonly #states = new RecentRecords<true>(authLimits.oidcFinishedMax)

  /** Notes that a sign-in is being finished; false when it has been before. */
  finish(state: string): boolean {
    const key = createHash('sha256').update(state).digest('base64url')
    if (this.#states.get(key) !== undefined) return false
    this.#states.set(key, true)
    return true
  }
}
