import type { Dispatcher } from 'undici'
import type { Exchange } from '../exchange.js'
import type { GatewayLog } from '../pipeline.js'
import { type HostWords, requestHeaders } from './forwarded-headers.js'
import { Forwarding } from './forwarding.js'
import type { ActiveRule } from './rule-reader.js'
import type { UpstreamClient } from './upstream-client.js'

/** What requests are sent on with. */
export interface ForwarderOptions {
  readonly client: UpstreamClient
  readonly words: HostWords
  readonly log: GatewayLog
}

/**
 * Sends a request to the target of a rule and its answer to the client. Both bodies are streams; the request ends
 * when the client goes away.
 *
 * @param path What to ask the target for, with its query. Nothing reads it as a URL again.
 */
export function forward(
  exchange: Exchange,
  active: ActiveRule,
  path: string,
  { client, words, log }: ForwarderOptions,
): void {
  const call = {
    origin: active.target.origin,
    method: exchange.method as Dispatcher.HttpMethod,
    path,
    headers: requestHeaders(exchange, active, words),
    body: hasBody(exchange) ? exchange.request.raw : null,
  }
  client.send(active.rule.secure, call, new Forwarding(exchange, active, log))
}

function hasBody({ request }: Exchange): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.raw.headers
  return encoding !== undefined || (length !== undefined && Number(length) > 0)
}
