import type { FastifyRequest } from 'fastify'
import { HostError } from '../../base/errors.js'
import type { JsonValue } from '../../identity/identity.js'
import { type Actor, type RecordedAction, toActor } from '../../identity/recorded-action.js'
import { identityOf } from '../request-identity.js'
import type { AccountsApiOptions } from './options.js'

/** What somebody does, without who they are. */
export interface Deed {
  /** As `RecordedAction.action`. */
  readonly action: string
  readonly resource: RecordedAction['resource']
  /** Never a credential. */
  readonly details?: Readonly<Record<string, JsonValue>>
}

/** Leaves a record and a log line of each action. */
export class ActionNotes {
  readonly #options: Pick<AccountsApiOptions, 'record' | 'log' | 'clientIp'>

  constructor(options: Pick<AccountsApiOptions, 'record' | 'log' | 'clientIp'>) {
    this.#options = options
  }

  /** Does something and notes how it ended. What it rejects with is passed on. */
  async run<Result>(request: FastifyRequest, deed: Deed, work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work()
      this.note(request, deed, 'success')
      return result
    } catch (thrown) {
      const code = thrown instanceof HostError ? thrown.code : 'INTERNAL_ERROR'
      this.note(request, { ...deed, details: { ...deed.details, code } }, 'failure')
      throw thrown
    }
  }

  /** @param actor Who it was, where the request does not say so. */
  note(
    request: FastifyRequest,
    { action, resource, details = {} }: Deed,
    outcome: RecordedAction['outcome'],
    actor: Actor = toActor(identityOf(request.raw)),
  ): void {
    const { record, log, clientIp } = this.#options
    const [ip, requestId] = [clientIp(request), request.id]
    record({ action, outcome, actor, resource, details, clientIp: ip, requestId })
    const fields = {
      action,
      actor: actor.name ?? actor.kind,
      resource,
      details,
      request_id: requestId,
      client_ip: ip,
    }
    if (outcome === 'success') log.info(fields, 'account action')
    else log.warn(fields, 'account action failed')
  }
}
