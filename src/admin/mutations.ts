import type { FastifyRequest } from 'fastify'
import type { ChangeDetail, RecordedChange } from '../areas/recorded-change.js'
import { HostError } from '../base/errors.js'
import type { AdminAuthentication } from './authentication.js'
import type { AdminApiOptions } from './options.js'

/** What a change is about, by the names of its log line. */
export type MutationSubject = Readonly<Record<string, ChangeDetail | undefined>>

/** Runs what changes something, and leaves a log line of who did what and how it ended. */
export interface Mutations {
  /**
   * @param action Dotted name of the action, e.g. `plugin.reload`.
   * @param subject What it is done to; goes into the log line and into the record. `plugin` names the one it concerns.
   * @param change Gets the name of the acting user; what it rejects with is passed on.
   */
  run<Result>(
    request: FastifyRequest,
    action: string,
    subject: MutationSubject,
    change: (actor: string) => Promise<Result>,
  ): Promise<Result>
}

/** Creates the audit trail of one admin API. */
export function createMutations(
  authentication: AdminAuthentication,
  { log, record }: Pick<AdminApiOptions, 'log' | 'record'>,
): Mutations {
  return {
    async run(request, action, subject, change) {
      const actor = authentication.actorOf(request)
      const fields = { action, actor, ...subject, request_id: request.id, client_ip: request.ip }
      try {
        const result = await change(actor)
        log.info(fields, 'admin action')
        record?.(request, { ...toChange(action, subject), outcome: 'success' })
        return result
      } catch (thrown) {
        const code = thrown instanceof HostError ? thrown.code : 'INTERNAL_ERROR'
        log.warn({ ...fields, code }, 'admin action failed')
        record?.(request, { ...toChange(action, { ...subject, code }), outcome: 'failure' })
        throw thrown
      }
    },
  }
}

function toChange(
  action: string,
  { plugin, ...details }: MutationSubject,
): Pick<RecordedChange, 'action' | 'resource' | 'details'> {
  const resource =
    typeof plugin === 'string' ? { type: 'plugin', id: plugin } : { type: action.split('.', 1)[0] ?? action }
  const known = Object.entries(details).filter(
    (entry): entry is [string, ChangeDetail] => entry[1] !== undefined,
  )
  return { action, resource, details: Object.fromEntries(known) }
}
