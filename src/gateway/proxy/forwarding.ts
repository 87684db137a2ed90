import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { messageOf } from '../../base/errors.js'
import { ArrivingBody } from '../arriving-body.js'
import type { Exchange } from '../exchange.js'
import type { GatewayLog } from '../pipeline.js'
import { failureOf, sendFailure } from './failed-upstream.js'
import { HtmlRewriter } from './html-rewriter.js'
import type { ActiveRule } from './rule-reader.js'
import { answerHeaders } from './upstream-answer.js'

const forwardingKey = Symbol('forwarding')

type WithForwarding = { [forwardingKey]?: Forwarding }

/** One request on its way to a target, and its answer on the way back. Ends when the client goes away. */
export class Forwarding implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange
  readonly #active: ActiveRule
  readonly #log: GatewayLog
  #controller: Dispatcher.DispatchController | undefined
  #body: ArrivingBody | undefined
  /** An answer has been given to the client's side, that of the target or a failure. */
  #isAnswered = false
  #isGone = false

  constructor(exchange: Exchange, active: ActiveRule, log: GatewayLog) {
    this.#exchange = exchange
    this.#active = active
    this.#log = log
    const response = exchange.reply.raw as ServerResponse & WithForwarding
    response[forwardingKey] = this
    response.on('close', leave)
  }

  /** The client has gone before it had its whole answer. */
  abandon(): void {
    this.#isGone = true
    this.#controller?.abort(new Error('the client has gone'))
  }

  /** Comes again when a connection was lost before an answer began on it. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isGone) controller.abort(new Error('the client has gone'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    sent: IncomingHttpHeaders,
  ): void {
    // Others follow behind an informational one.
    if (status >= 100 && status < 200) return
    const headers = answerHeaders(status, sent, this.#exchange.credentials)
    if (headers === undefined) {
      controller.abort(new Error('the answer is none that can be passed on'))
      return
    }
    const body = new ArrivingBody(controller)
    this.#body = body
    // Of most answers, the rest is here as well; it is taken in before the answer goes to the stages.
    process.nextTick(() => {
      if (!this.#isAnswered) this.#answer(status, headers, body)
    })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.add(chunk)
  }

  onResponseEnd(): void {
    this.#body?.complete()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#body?.fail(error)
    if (this.#isAnswered) return
    this.#isAnswered = true
    const { reply, request } = this.#exchange
    if (!this.#isGone) {
      this.#log.warn(
        { rule: this.#active.rule.id, request_id: request.id, error: messageOf(error) },
        'the target of a rule of the proxy failed',
      )
    }
    this.#endWithRequest()
    sendFailure(reply, failureOf(error))
  }

  #answer(status: number, headers: Readonly<Record<string, unknown>>, body: ArrivingBody): void {
    this.#isAnswered = true
    const { reply } = this.#exchange
    for (const name in headers) reply.header(name, headers[name])
    reply.code(status)
    this.#endWithRequest()
    const rewriter = HtmlRewriter.of(this.#active.rule)
    if (rewriter === undefined || !isWholePage(this.#exchange)) {
      reply.send(body)
      return
    }
    reply.removeHeader('content-length').removeHeader('etag').removeHeader('accept-ranges')
    reply.send(rewriter.rewrite(body))
  }

  /** What of the request has not been read stands on the connection, where nobody takes it away. */
  #endWithRequest(): void {
    const { reply, request } = this.#exchange
    if (!request.raw.complete) reply.header('connection', 'close')
  }
}

/** Listens to responses; they know what they wait for. */
function leave(this: ServerResponse & WithForwarding): void {
  if (!this.writableFinished) this[forwardingKey]?.abandon()
}

function isWholePage({ method, reply }: Exchange): boolean {
  const type = String(reply.getHeader('content-type') ?? '')
  const encoding = String(reply.getHeader('content-encoding') ?? 'identity')
  const isHtml = /^text\/html\s*(?:;|$)/i.test(type)
  const hasPage = method !== 'HEAD' && ![204, 206, 304].includes(reply.statusCode)
  return isHtml && hasPage && encoding.toLowerCase() === 'identity'
}
