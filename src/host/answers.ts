import { defineError, HostError, messageOf } from '../base/errors.js'
import type { HostAsk } from '../sandbox/generation.js'
import type { Logger } from '../telemetry/logger.js'

/** Answers the questions of one topic. A `HostError` that it throws is shown to the plugin. */
export type HostAnswer = (ask: HostAsk) => Promise<unknown>

/** The host was composed without somebody who answers. */
export const topicUnknown = defineError('HOST_TOPIC_UNKNOWN', 503, '{topic} is not available in this host')

/** Routes what code of plugins asks of the host to who can answer it, by topic. */
export class HostAnswers {
  readonly #log: Logger
  readonly #answers = new Map<string, HostAnswer>()

  constructor(log: Logger) {
    this.#log = log
  }

  /** Sets who answers a topic, e.g. `request.send`. */
  provide(topic: string, answer: HostAnswer): void {
    this.#answers.set(topic, answer)
  }

  /** Answers one question; what fails unexpectedly is logged with the request that asked. */
  async answer(ask: HostAsk): Promise<unknown> {
    const answer = this.#answers.get(ask.topic)
    if (answer === undefined) throw topicUnknown({ topic: ask.topic })
    try {
      return await answer(ask)
    } catch (error) {
      const { plugin, topic, requestId } = ask
      const fields = { plugin, topic, request_id: requestId, error: messageOf(error) }
      if (error instanceof HostError) this.#log.debug(fields, 'a question of a plugin was refused')
      else this.#log.error(fields, 'a question of a plugin could not be answered')
      throw error
    }
  }
}
