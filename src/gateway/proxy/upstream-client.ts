import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import type { Readable } from 'node:stream'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import type { TargetPolicy } from './target-policy.js'
import { answerHeaders } from './upstream-answer.js'

/** Times of a target. */
export interface UpstreamTimeouts {
  readonly connectMs: number
  readonly headersMs: number
  readonly bodyIdleMs: number
}

/** One request, where it differs from what reply-from makes of it. */
export interface UpstreamCall {
  /** Sent as it is: nothing reads it as a URL again. */
  readonly path: string
  readonly body: Readable | null
  /** False takes any certificate. */
  readonly secure: boolean
  /** Ends the request when the client has gone. */
  readonly signal: EventEmitter
}

/** The answer of the target is none that can be passed on. */
export class UnusableAnswer extends Error {}

type RequestDone = (error: Error | null, data: Dispatcher.ResponseData) => void

/** The connections to all targets, as reply-from wants them. */
export class UpstreamClient {
  readonly #verifying: Agent
  readonly #trusting: Agent
  #next: UpstreamCall | undefined

  constructor(policy: TargetPolicy, { connectMs, headersMs, bodyIdleMs }: UpstreamTimeouts) {
    const create = (rejectUnauthorized: boolean): Agent => {
      const connect = buildConnector({ timeout: connectMs, rejectUnauthorized, lookup: policy.lookup })
      return new Agent({
        // The name of the certificate is that of the target, whatever the Host header says.
        connect: (options, done) => connect({ ...options, servername: serverName(options.hostname) }, done),
        headersTimeout: headersMs,
        bodyTimeout: bodyIdleMs,
      })
    }
    this.#verifying = create(true)
    this.#trusting = create(false)
  }

  /** Says what the next request is; reply-from makes it before `send` returns. */
  prepare<T>(call: UpstreamCall, send: () => T): T {
    this.#next = call
    try {
      return send()
    } finally {
      this.#next = undefined
    }
  }

  /** Called by reply-from. */
  request(options: Dispatcher.RequestOptions, done: RequestDone): void {
    const call = this.#next
    if (call === undefined) throw new Error('the request was not prepared')
    const { secure, ...differences } = call
    const agent = secure ? this.#verifying : this.#trusting
    agent.request({ ...options, ...differences }, (error, data) => {
      if (error) {
        done(error, data)
        return
      }
      const headers = answerHeaders(data.statusCode, data.headers as IncomingHttpHeaders)
      if (headers === undefined) {
        data.body.on('error', ignore).destroy()
        done(new UnusableAnswer(), data)
      } else done(null, { ...data, headers, body: data.body })
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.#verifying.destroy(), this.#trusting.destroy()])
  }
}

function serverName(hostname: string): string {
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : ''
}

function ignore(): void {
  // Nobody waits for the rest.
}
