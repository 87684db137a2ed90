import type { FastifyRequest } from 'fastify'
import { FinerChecks } from '../auth/finer-checks.js'
import { type CheckAnswer, type CheckQuestion, checkTopic } from '../capabilities/auth/check-function.js'
import type { HostAsk } from '../sandbox/generation.js'
import type { Logger } from '../telemetry/logger.js'
import type { HostAnswers } from './answers.js'

/**
 * Lets handlers of plugins ask the authorizers of their requests.
 *
 * @returns To be told of each call of a handler; see `PluginRoutesOptions.openCall`.
 */
export function composeFinerChecks(
  answers: HostAnswers,
  log: Logger,
): (request: FastifyRequest, plugin: string, generation: number) => () => void {
  const checks = new FinerChecks(log)
  answers.provide(checkTopic, async (ask: HostAsk): Promise<CheckAnswer> => {
    const { attributes, ...question } = ask.payload as CheckQuestion
    const decision = await checks.check(ask, {
      ...question,
      attributes: JSON.parse(attributes) as object as never,
    })
    return decision.allows ? { allows: true, reason: '' } : { allows: false, reason: decision.reason }
  })
  return (request, plugin, generation) =>
    checks.open({ plugin, generation, requestId: request.id }, request.raw)
}
