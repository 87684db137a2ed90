import type { FastifyRequest } from 'fastify'
import { HostError } from '../../base/errors.js'
import type { Identity } from '../../identity/identity.js'
import type { Actor, RecordAction } from '../../identity/recorded-action.js'
import { identityOf } from '../request-identity.js'

/** What can be done to a policy. */
export type PolicyAction = 'policy.put' | 'policy.delete'

/** Makes a change and has it recorded, however it ends; gives and throws what the change does. */
export type RecordPolicyChange = <Result>(
  request: FastifyRequest,
  action: PolicyAction,
  id: string | undefined,
  change: () => Promise<Result>,
) => Promise<Result>

/** Creates what has changes of policies recorded. */
export function createPolicyRecorder(
  record: RecordAction,
  clientIp: (request: FastifyRequest) => string,
): RecordPolicyChange {
  return async (request, action, id, change) => {
    const about = {
      action,
      actor: actorFrom(identityOf(request.raw)),
      resource: { type: 'policy', id },
      clientIp: clientIp(request),
      requestId: request.id,
    }
    try {
      const result = await change()
      record({ ...about, outcome: 'success' })
      return result
    } catch (error) {
      const reason = error instanceof HostError ? error.code : 'INTERNAL_ERROR'
      record({ ...about, outcome: 'failure', details: { reason } })
      throw error
    }
  }
}

function actorFrom({ kind, sub, name, tenant }: Identity): Actor {
  return kind === 'anonymous' ? { kind } : { kind, id: sub, name, tenant }
}
