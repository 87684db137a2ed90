import type { Exchange } from './dispatch-exchange.js'
import type { PluginRoutesOptions } from './dispatch-options.js'

/** Starts the trace of an exchange. It ends with the answer, or when the client goes away before. */
export function traceExchange(
  exchange: Exchange,
  startTrace: NonNullable<PluginRoutesOptions['startTrace']>,
): void {
  const { request, reply, plugin, match } = exchange
  const { traceparent, tracestate } = request.headers
  const trace = startTrace({
    requestId: request.id,
    method: request.method,
    plugin: plugin.name,
    routeKey: match.route.key,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    tracestate: typeof tracestate === 'string' ? tracestate : undefined,
  })
  exchange.trace = trace
  let isOver = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    trace.ended(reply.raw.writableFinished ? reply.raw.statusCode : undefined)
  }
  reply.raw.once('finish', end).once('close', end)
}
