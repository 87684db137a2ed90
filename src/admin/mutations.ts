import type { FastifyRequest } from 'fastify'
import { HostError } from '../base/errors.js'
import type { AdminAuthentication } from './authentication.js'
import type { AdminLog } from './options.js'

/** Runs what changes something, and leaves a log line of who did what and how it ended. */
export interface Mutations {
  /**
   * @param action Dotted name of the action, e.g. `plugin.reload`.
   * @param subject What it is done to; goes into the log line.
   * @param change Gets the name of the acting user; what it rejects with is passed on.
   */
  run<Result>(
    request: FastifyRequest,
    action: string,
    subject: Readonly<Record<string, unknown>>,
    change: (actor: string) => Promise<Result>,
  ): Promise<Result>
}

/** Creates the audit trail of one admin API. */
export function createMutations(authentication: AdminAuthentication, log: AdminLog): Mutations {
  return {
    async run(request, action, subject, change) {
      const actor = authentication.actorOf(request)
      const fields = { action, actor, ...subject, request_id: request.id, client_ip: request.ip }
      try {
        const result = await change(actor)
        log.info(fields, 'admin action')
        return result
      } catch (thrown) {
        log.warn(
          { ...fields, code: thrown instanceof HostError ? thrown.code : 'INTERNAL_ERROR' },
          'admin action failed',
        )
        throw thrown
      }
    },
  }
}
