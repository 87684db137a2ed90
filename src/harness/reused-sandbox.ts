import type { Sandbox } from '../sandbox/generation.js'
import { createSandbox, type SandboxOptions } from '../sandbox/thread-sandbox.js'

/**
 * One sandbox for hosts that come one after the other: as long as all that ran could be stopped without force, the
 * next host gets the same warm thread. After a thread was lost or terminated it gets a fresh sandbox.
 */
export class ReusedSandbox {
  readonly #changes: Pick<SandboxOptions, 'composition' | 'coverage'>
  #sandbox: Sandbox | undefined
  #tenant: SandboxOptions | undefined
  #isSpent = false

  /** @param changes What differs from the options that hosts ask for. */
  constructor(changes: Pick<SandboxOptions, 'composition' | 'coverage'>) {
    this.#changes = changes
  }

  /** Gives the sandbox to a host, which must close it before the next one asks. */
  lease(options: SandboxOptions): Sandbox {
    this.#tenant = options
    const sandbox = this.#sandbox ?? this.#create(options)
    this.#sandbox = sandbox
    return {
      ready: () => sandbox.ready(),
      inspect: (source, settings) => sandbox.inspect(source, settings),
      createGeneration: (...args) => sandbox.createGeneration(...args),
      setQuarantine: (plugin, quarantined) => sandbox.setQuarantine(plugin, quarantined),
      isQuarantined: (plugin) => sandbox.isQuarantined(plugin),
      whileHeld: (work) => sandbox.whileHeld(work),
      close: () => this.#giveBack(),
    }
  }

  async close(): Promise<void> {
    const sandbox = this.#sandbox
    this.#sandbox = undefined
    await sandbox?.close()
  }

  async #giveBack(): Promise<void> {
    this.#tenant = undefined
    if (this.#isSpent) await this.close()
  }

  #create({ entry, executors, softLimits = true }: SandboxOptions): Sandbox {
    this.#isSpent = false
    return createSandbox({
      ...this.#changes,
      entry,
      executors,
      softLimits,
      isShared: false,
      observer: {
        hardStopped: (plugin, reason) => {
          this.#isSpent = true
          this.#tenant?.observer?.hardStopped?.(plugin, reason)
        },
        executorStarted: (id) => this.#tenant?.observer?.executorStarted?.(id),
        executorLost: (id, reason, end) => {
          this.#isSpent = true
          this.#tenant?.observer?.executorLost?.(id, reason, end)
        },
        budgetKilled: (plugin, code) => this.#tenant?.observer?.budgetKilled?.(plugin, code),
        vmBuilt: (plugin, durationMs) => this.#tenant?.observer?.vmBuilt?.(plugin, durationMs),
        vmRetired: (plugin, reason) => this.#tenant?.observer?.vmRetired?.(plugin, reason),
      },
      answer: async (ask) => {
        const answer = this.#tenant?.answer
        if (answer === undefined) throw new Error('the host of this test is closed')
        return answer(ask)
      },
      report: (report) => this.#tenant?.report?.(report),
    })
  }
}
