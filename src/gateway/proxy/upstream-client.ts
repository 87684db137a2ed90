import { isIP } from 'node:net'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import type { TargetPolicy } from './target-policy.js'

/** Times of a target. */
export interface UpstreamTimeouts {
  readonly connectMs: number
  readonly headersMs: number
  readonly bodyIdleMs: number
}

/** The connections to all targets. */
export class UpstreamClient {
  readonly #verifying: Agent
  readonly #trusting: Agent

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

  /** @param secure False takes any certificate. */
  send(secure: boolean, call: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const agent = secure ? this.#verifying : this.#trusting
    agent.dispatch(call, handler)
  }

  async close(): Promise<void> {
    await Promise.all([this.#verifying.destroy(), this.#trusting.destroy()])
  }
}

function serverName(hostname: string): string {
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : ''
}
