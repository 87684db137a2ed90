import type { Context, Span, SpanContext, Tracer } from '@opentelemetry/api'
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace-node'
import { traceLimits } from '../base/limits/telemetry.js'
import { boundedTracestate, formatTraceparent, parseTraceparent } from './trace-context.js'
import { readTraceSettings, type TraceEnvironment, type TraceSettings } from './trace-settings.js'

/** A request as its trace begins. */
export interface TraceStart {
  readonly requestId: string
  readonly method: string
  readonly plugin: string
  /** Method and path as the plugin registered them, e.g. `GET /items/{id}`. */
  readonly routeKey: string
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
}

/** The part of a logger that tracing writes to. */
export interface TraceLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface TracingOptions {
  readonly environment: TraceEnvironment
  /** Version of the product. */
  readonly version: string
  readonly log: TraceLog
}

/** Headers with which a request continues a trace. */
export interface TraceHeaders {
  readonly traceparent: string
  readonly tracestate?: string
}

type Sdk = typeof import('@opentelemetry/sdk-trace-node')
type Api = typeof import('@opentelemetry/api')

/**
 * Starts tracing where the environment asks for it with OTEL_EXPORTER_OTLP_ENDPOINT. Else it resolves to undefined,
 * and nothing of OpenTelemetry is even loaded.
 *
 * @throws Error when the address for traces is no URL.
 */
export async function createTracing(options: TracingOptions): Promise<Tracing | undefined> {
  const settings = readTraceSettings(options.environment)
  if (settings === undefined) return undefined
  for (const problem of settings.problems) options.log.warn({}, problem)
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const { url, exportMs } = settings
  const exporter = watchExporter(new OTLPTraceExporter({ url, timeoutMillis: exportMs }), options.log, url)
  const provider = new sdk.NodeTracerProvider({
    sampler: createSampler(sdk, settings),
    spanLimits: { attributeValueLengthLimit: traceLimits.attributeCharactersMax },
    resource: resourceFromAttributes({
      ...settings.attributes,
      'service.name': settings.serviceName,
      'service.version': options.version,
    }),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
  })
  options.log.info({ url, sampler: settings.sampler }, 'requests are traced')
  return new Tracing(api, provider.getTracer('modulacms', options.version), () => provider.shutdown())
}

/** Makes a trace of each request to a plugin: a span for the request, and one for each call of Lua in it. */
export class Tracing {
  readonly #api: Api
  readonly #tracer: Tracer
  readonly #shutDown: () => Promise<void>
  /** Innermost open span of each request, for what the request sends on. */
  readonly #open = new Map<string, SpanContext>()

  constructor(api: Api, tracer: Tracer, shutDown: () => Promise<void>) {
    this.#api = api
    this.#tracer = tracer
    this.#shutDown = shutDown
  }

  /** Starts the trace of a request, or goes on with the one that its caller has started. */
  start(request: TraceStart): RequestSpan {
    return new RequestSpan(this.#api, this.#tracer, this.#open, request)
  }

  /** The headers that a request which is sent on behalf of another one carries; undefined when that is not open. */
  headersOf(requestId: string): TraceHeaders | undefined {
    const context = this.#open.get(requestId)
    if (context === undefined) return undefined
    const tracestate = context.traceState?.serialize()
    const traceparent = formatTraceparent(context)
    return tracestate ? { traceparent, tracestate } : { traceparent }
  }

  /** Sends what is left to the collector, in bounded time. Never rejects. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, traceLimits.closeMs)
    })
    await Promise.race([this.#shutDown().catch(() => undefined), timeout])
    clearTimeout(timer)
  }
}

/** The spans of one request. */
class RequestSpan {
  readonly #api: Api
  readonly #tracer: Tracer
  readonly #open: Map<string, SpanContext>
  readonly #request: TraceStart
  readonly #span: Span
  readonly #context: Context
  #call: Span | undefined
  /** What this request has put into the map: another one may have the same id. */
  #entered: SpanContext | undefined

  constructor(api: Api, tracer: Tracer, open: Map<string, SpanContext>, request: TraceStart) {
    this.#api = api
    this.#tracer = tracer
    this.#open = open
    this.#request = request
    const parent = parentOf(api, request)
    const root = parent === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, parent)
    const { method, plugin, routeKey, requestId } = request
    const path = routeKey.slice(routeKey.indexOf(' ') + 1)
    this.#span = tracer.startSpan(
      `${method} /api/v1/plugins/${plugin}${path}`,
      {
        kind: api.SpanKind.SERVER,
        attributes: {
          'http.request.method': method,
          'http.route': `/api/v1/plugins/${plugin}${path}`,
          'modulacms.plugin': plugin,
          'modulacms.route': routeKey,
          'modulacms.request_id': requestId,
        },
      },
      root,
    )
    this.#context = api.trace.setSpan(root, this.#span)
    this.#enter(this.#span.spanContext())
  }

  callStarted(generation: number): void {
    const attributes = { 'modulacms.plugin': this.#request.plugin, 'modulacms.generation': generation }
    this.#span.setAttribute('modulacms.generation', generation)
    this.#call = this.#tracer.startSpan('lua call', { attributes }, this.#context)
    this.#enter(this.#call.spanContext())
  }

  callEnded(failure: string | undefined): void {
    if (failure !== undefined) {
      this.#call?.setAttribute('error.type', failure)
      this.#call?.setStatus({ code: this.#api.SpanStatusCode.ERROR })
    }
    this.#call?.end()
    this.#call = undefined
    this.#enter(this.#span.spanContext())
  }

  ended(status: number | undefined): void {
    // A client that went away does not end the call that it had started.
    this.#call?.end()
    if (status === undefined) this.#span.setAttribute('error.type', 'aborted')
    else this.#span.setAttribute('http.response.status_code', status)
    if (status === undefined || status >= 500) {
      this.#span.setStatus({ code: this.#api.SpanStatusCode.ERROR })
    }
    this.#span.end()
    const { requestId } = this.#request
    if (this.#open.get(requestId) === this.#entered) this.#open.delete(requestId)
  }

  #enter(context: SpanContext): void {
    const { requestId } = this.#request
    const current = this.#open.get(requestId)
    if (current === undefined && this.#open.size >= traceLimits.requestsMax) return
    // The first of two requests with one id keeps it: the other cannot be told apart.
    if (current !== undefined && current !== this.#entered) return
    this.#entered = context
    this.#open.set(requestId, context)
  }
}

function parentOf(api: Api, { traceparent, tracestate }: TraceStart): SpanContext | undefined {
  const parent = parseTraceparent(traceparent)
  const state = boundedTracestate(tracestate)
  return parent === undefined || state === undefined
    ? parent
    : { ...parent, traceState: api.createTraceState(state) }
}

function createSampler(sdk: Sdk, { sampler, ratio }: TraceSettings): Sampler {
  const isOff = sampler.endsWith('always_off')
  const byRatio = sampler.endsWith('traceidratio')
  const own = byRatio
    ? new sdk.TraceIdRatioBasedSampler(ratio)
    : isOff
      ? new sdk.AlwaysOffSampler()
      : new sdk.AlwaysOnSampler()
  return sampler.startsWith('parentbased_') ? new sdk.ParentBasedSampler({ root: own }) : own
}

/** Tells the log when the collector stops to take spans, and when it takes them again; each once. */
function watchExporter(exporter: SpanExporter, log: TraceLog, url: string): SpanExporter {
  let isFailing = false
  const note = (code: number, error: Error | undefined): void => {
    const fails = code !== 0
    if (fails === isFailing) return
    isFailing = fails
    if (fails) log.warn({ url, error: error?.message }, 'traces cannot be delivered and are dropped')
    else log.info({ url }, 'traces are delivered again')
  }
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        note(result.code, result.error)
        done(result)
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  }
}
