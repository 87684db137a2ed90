import type { IncomingMessage } from 'node:http'
import { messageOf } from '../base/errors.js'
import { type AccessDecision, type AccessRequest, allowed, deny } from './authorizer.js'
import { authorizerFailed, checkOutsideOfRequest } from './errors.js'
import { accessOf } from './request-access.js'
import { identityOf } from './request-identity.js'

/** A call of a plugin. Not even its request id has to be unique: where an application embeds the host, clients may choose it. */
export interface PluginCall {
  readonly plugin: string
  readonly generation: number
  readonly requestId: string
}

/** What a handler asks about: never who, which is always the sender of its request. */
export interface FinerQuestion {
  readonly action: string
  readonly resourceType: string
  readonly resourceId: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
}

interface OpenCall extends PluginCall {
  readonly request: IncomingMessage
}

/** Where is said why an authorizer could not decide. */
interface ChecksLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Asks the authorizers of a request once more, while a plugin handles it and knows what it is about. */
export class FinerChecks {
  readonly #log: ChecksLog
  readonly #open = new Map<string, OpenCall[]>()

  constructor(log: ChecksLog) {
    this.#log = log
  }

  /** Lets a call ask about its request until the function that comes back is called. */
  open(call: PluginCall, request: IncomingMessage): () => void {
    const { requestId } = call
    const opened: OpenCall = { ...call, request }
    const others = this.#open.get(requestId) ?? []
    this.#open.set(requestId, [...others, opened])
    return () => {
      const left = this.#open.get(requestId)?.filter((each) => each !== opened) ?? []
      if (left.length === 0) this.#open.delete(requestId)
      else this.#open.set(requestId, left)
    }
  }

  /**
   * Decides whether the sender of a request may do something. All authorizers of its rule have to allow it; where there are
   * none, nobody has said that it is allowed.
   *
   * @throws `AUTH_CHECK_OUTSIDE` for a call that handles no request, or shares its id with another; `AUTHORIZER_FAILED`.
   */
  async check(call: PluginCall, question: FinerQuestion): Promise<AccessDecision> {
    const { request } = this.#callOf(call)
    const access = accessOf(request)
    if (access === undefined) throw checkOutsideOfRequest()
    const identity = identityOf(request)
    if (identity.kind === 'anonymous') return deny('it takes somebody who is signed in')
    const { rule, asked } = access
    if (rule.authorizers.length === 0) return deny('no authorizer is named for this path in auth.http')
    const { id: requestId, method, path, ip, headers } = asked
    const wanted = { ...question, identity, method, path, ip, requestId, userAgent: headers['user-agent'] }
    for (const authorizer of rule.authorizers) {
      const decision = await this.#ask(authorizer, wanted as AccessRequest)
      if (!decision.allows) return decision
    }
    return allowed
  }

  /** Whoever asks gets an answer about their own request, or none. */
  #callOf({ plugin, generation, requestId }: PluginCall): OpenCall {
    const [call, ...others] = this.#open.get(requestId) ?? []
    const isOwn = call?.plugin === plugin && call.generation === generation && others.length === 0
    if (call === undefined || !isOwn) throw checkOutsideOfRequest()
    return call
  }

  async #ask(
    authorizer: { readonly name: string; authorize(request: AccessRequest): unknown },
    request: AccessRequest,
  ): Promise<AccessDecision> {
    try {
      return (await authorizer.authorize(request)) as AccessDecision
    } catch (error) {
      const { requestId: request_id } = request
      this.#log.error(
        { authorizer: authorizer.name, request_id, error: messageOf(error) },
        'an authorizer failed',
      )
      throw authorizerFailed()
    }
  }
}
