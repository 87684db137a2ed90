import { messageOf } from '../base/errors.js'
import type { Sandbox } from '../sandbox/generation.js'
import type { PluginLog } from './plugin-log.js'
import type { PluginStore } from './plugin-store.js'
import { SerialQueue } from './serial-queue.js'

export interface QuarantinesOptions {
  readonly sandbox: Sandbox
  readonly store: PluginStore
  readonly log: PluginLog
}

/** Which plugins run in an executor of their own, because they had to be terminated once: in the sandbox and stored. */
export class Quarantines {
  readonly #options: QuarantinesOptions
  /** What is being stored, for each plugin in the order in which it happened. */
  readonly #notes = new SerialQueue()

  constructor(options: QuarantinesOptions) {
    this.#options = options
  }

  has(plugin: string): boolean {
    return this.#options.sandbox.isQuarantined(plugin)
  }

  /** Puts a plugin back of which a quarantine is stored. */
  restore(plugin: string): void {
    this.#options.sandbox.setQuarantine(plugin, true)
  }

  /** Begins the quarantine of a plugin that had to be terminated; it is stored in the background. */
  begin(plugin: string, reason: string): void {
    const { log, sandbox, store } = this.#options
    log.error({ plugin, reason }, 'plugin had to be terminated and is quarantined')
    if (!this.has(plugin)) sandbox.setQuarantine(plugin, true)
    void this.#notes
      .run(plugin, () => store.setQuarantined(plugin, true))
      .catch((error) => {
        log.error({ plugin, error: messageOf(error) }, 'a quarantine could not be stored')
      })
  }

  /** Ends the quarantine of a plugin: in the database first. */
  async lift(plugin: string): Promise<void> {
    const { sandbox, store } = this.#options
    await this.#notes.run(plugin, () => store.setQuarantined(plugin, false))
    sandbox.setQuarantine(plugin, false)
  }

  /** Resolves when all that has begun is stored, or could not be. */
  async idle(): Promise<void> {
    await this.#notes.idle()
  }
}
