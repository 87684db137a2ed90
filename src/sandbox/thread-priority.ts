import { constants, setPriority } from 'node:os'
import { messageOf } from '../base/errors.js'

/**
 * Lowers and restores the priority of single threads, where the system has such a thing (Linux takes a thread
 * number where others take a process). Raising a lowered priority again needs a privilege that not every process has.
 */
export class ThreadPriority {
  #canRestore: boolean | undefined

  /** Puts a thread behind all others; false when that is not possible here. */
  lower(systemId: number): boolean {
    return this.#set(systemId, constants.priority.PRIORITY_LOW)
  }

  /** Gives a thread its normal priority back; false when that is not allowed. */
  restore(systemId: number): boolean {
    return this.#set(systemId, constants.priority.PRIORITY_NORMAL)
  }

  /** Tries out, once, on a thread that has nothing to do, whether a lowered priority can be restored. */
  probe(systemId: number): boolean {
    this.#canRestore ??= this.#set(systemId, 1) && this.restore(systemId)
    return this.#canRestore
  }

  get canRestore(): boolean {
    return this.#canRestore ?? false
  }

  #set(systemId: number, priority: number): boolean {
    if (systemId === 0 || process.platform !== 'linux') return false
    try {
      setPriority(systemId, priority)
      return true
    } catch (error) {
      // A thread that has just ended, or a missing privilege: both leave the thread as it is.
      void messageOf(error)
      return false
    }
  }
}
