import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { messageOf } from '../../base/errors.js'
import type { Exchange } from '../exchange.js'
import type { GatewayLog } from '../pipeline.js'
import { failureOf, sendFailure } from './failed-upstream.js'
import { requestHeaders } from './forwarded-headers.js'
import { HtmlRewriter } from './html-rewriter.js'
import type { ActiveRule } from './rule-reader.js'
import type { UpstreamClient } from './upstream-client.js'

/** What requests are sent on with. */
export interface ForwarderOptions {
  readonly client: UpstreamClient
  /** What is added to `Via`. */
  readonly via: string
  readonly log: GatewayLog
}

/**
 * Sends a request to the target of a rule and its answer to the client. Both bodies are streams; the request ends
 * when the client goes away.
 *
 * @param path What to ask the target for, with its query.
 */
export function forward(
  exchange: Exchange,
  active: ActiveRule,
  path: string,
  options: ForwarderOptions,
): void {
  const { client, via, log } = options
  const { reply, request } = exchange
  const headers = requestHeaders(exchange, active, via)
  const call = {
    path,
    body: hasBody(exchange) ? request.raw : null,
    secure: active.rule.secure,
    signal: new GoneSignal(reply.raw),
  }
  client.prepare(call, () =>
    reply.from(`${active.target.origin}/`, {
      queryString: () => '',
      retryDelay: () => null,
      rewriteRequestHeaders: () => headers,
      onResponse: (_request, _reply, answer) => {
        // With its own client, reply-from gives what that client gave it.
        const { stream } = answer as unknown as { readonly stream: Readable }
        sendOn(exchange, active, stream)
      },
      onError: (_reply, { error }) => {
        const cause = error.cause ?? error
        if (!call.signal.aborted) {
          log.warn(
            { rule: active.rule.id, request_id: request.id, error: messageOf(cause) },
            'the target of a rule of the proxy failed',
          )
        }
        sendFailure(reply, failureOf(cause))
      },
    }),
  )
}

function hasBody({ request }: Exchange): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.raw.headers
  return encoding !== undefined || (length !== undefined && Number(length) > 0)
}

/** Fires when the client leaves before it has its whole answer. An AbortSignal would cost more than the stages. */
class GoneSignal extends EventEmitter {
  aborted = false

  constructor(raw: ServerResponse) {
    super()
    raw.on('close', () => {
      if (raw.writableFinished || this.aborted) return
      this.aborted = true
      this.emit('abort')
    })
  }
}

function sendOn(exchange: Exchange, { rule }: ActiveRule, stream: Readable): void {
  const { reply } = exchange
  const rewriter = HtmlRewriter.of(rule)
  if (rewriter === undefined || !isWholePage(exchange)) {
    reply.send(stream)
    return
  }
  reply.removeHeader('content-length').removeHeader('etag').removeHeader('accept-ranges')
  reply.send(rewriter.rewrite(stream))
}

function isWholePage({ method, reply }: Exchange): boolean {
  const type = String(reply.getHeader('content-type') ?? '')
  const encoding = String(reply.getHeader('content-encoding') ?? 'identity')
  const isHtml = /^text\/html\s*(?:;|$)/i.test(type)
  const hasPage = method !== 'HEAD' && ![204, 206, 304].includes(reply.statusCode)
  return isHtml && hasPage && encoding.toLowerCase() === 'identity'
}
