import type { FastifyInstance } from 'fastify'
import { breakerNotFound } from './errors.js'
import type { OutboundAdministration } from './options.js'
import type { OperationContext } from './plugin-operations.js'
import {
  type BreakerBody,
  breakerBodySchema,
  breakerListSchema,
  doneSchema,
  errorSchema,
  schemaOf,
} from './schemas.js'

const tag = 'requests'

/** Adds the list of the breakers of outbound requests, and their reset. */
export function addOutboundOperations(
  app: FastifyInstance,
  { mutations }: OperationContext,
  outbound: OutboundAdministration,
): void {
  const list = schemaOf({
    tag,
    operationId: 'listRequestBreakers',
    summary: 'List the circuit breakers of requests to other servers',
    description: 'One for each plugin and domain whose last request failed; all others are closed.',
    answer: breakerListSchema,
  })
  app.get('/plugins/requests/breakers', { schema: list }, async () => ({
    breakers: outbound.breakers().map(({ retryAfterSeconds, ...breaker }) => ({
      ...breaker,
      retry_after_seconds: retryAfterSeconds,
    })),
  }))

  const reset = schemaOf({
    tag,
    operationId: 'resetRequestBreaker',
    summary: 'Let a plugin send requests to a domain again',
    description: 'Closes the circuit breaker and forgets the failures, without waiting for a probe.',
    body: breakerBodySchema,
    answer: doneSchema,
    failures: { 400: errorSchema, 404: errorSchema },
  })
  app.post<{ Body: BreakerBody }>('/plugins/requests/breakers/reset', { schema: reset }, async (request) => {
    const { plugin, domain } = request.body
    await mutations.run(request, 'request.breaker.reset', { plugin, domain }, async () => {
      if (!outbound.resetBreaker(plugin, domain)) throw breakerNotFound({ plugin, domain })
    })
    return { ok: true }
  })
}
