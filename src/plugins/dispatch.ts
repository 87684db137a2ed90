import type { Readable } from 'node:stream'
import type {
  FastifyError,
  FastifyInstance,
  FastifyPluginCallback,
  FastifyReply,
  FastifyRequest,
} from 'fastify'
import { messageOf } from '../base/errors.js'
import { dispatchLimits } from '../base/limits/plugins.js'
import { executorLimits } from '../base/limits/sandbox.js'
import { decodeResponse } from '../capabilities/http/wire.js'
import type { CallFailure, CallOutcome, Generation } from '../sandbox/generation.js'
import type { BreakerTicket } from './breaker.js'
import { sendResponse, setSecurityHeaders } from './dispatch-answer.js'
import { type BodyOutcome, declaredBodyBytes, drainRest, hasBody, readBody } from './dispatch-body.js'
import {
  createExchange,
  type Exchange,
  locate,
  parseTarget,
  payloadOf,
  refuseCaller,
} from './dispatch-exchange.js'
import {
  bodyTooLarge,
  type DispatchFailure,
  dispatchFailures,
  sendFailure,
  verdictOf,
} from './dispatch-failures.js'
import type { PluginRoutesOptions } from './dispatch-options.js'
import { traceExchange } from './dispatch-trace.js'

const routesPrefix = '/api/v1/plugins'

/**
 * Creates the Fastify plugin that serves the routes of all Lua plugins under `/api/v1/plugins/`, in the order
 *
 *   look-up ▸ approval ▸ credentials ▸ bucket of the address ▸ host and plugin up ▸ breaker ▸ body ▸ Lua ▸ answer
 *
 * It adds nothing to the application outside that prefix.
 */
export function createPluginRoutes(options: PluginRoutesOptions): FastifyPluginCallback {
  return (app, _registration, done) => {
    app.register(
      (scope, _scopeOptions, scopeDone) => {
        mount(scope, options)
        scopeDone()
      },
      { prefix: routesPrefix },
    )
    done()
  }
}

function mount(scope: FastifyInstance, options: PluginRoutesOptions): void {
  const dispatcher = new Dispatcher(options, `${scope.prefix}/`)
  scope.removeAllContentTypeParsers()
  // The body is read after the checks that can refuse the request, so no parser may read it before.
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  scope.route({
    method: scope.supportedMethods,
    url: '/*',
    exposeHeadRoute: false,
    handler: dispatcher.handle,
    errorHandler: dispatcher.handleError,
  })
  // Methods that Fastify has no routes for end here, and get the same 404.
  scope.setNotFoundHandler(dispatcher.handle)
}

class Dispatcher {
  readonly #options: PluginRoutesOptions
  readonly #prefix: string

  constructor(options: PluginRoutesOptions, prefix: string) {
    this.#options = options
    this.#prefix = prefix
  }

  /** Serves one request; Fastify calls it without a receiver. */
  readonly handle = (request: FastifyRequest, reply: FastifyReply): void => {
    setSecurityHeaders(reply)
    try {
      this.#serve(request, reply)
    } catch (error) {
      this.#crash(request, reply, error)
    }
  }

  /** Answers what Fastify refuses by itself before the handler: an unreadable content type. */
  readonly handleError = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    if (error.code !== 'FST_ERR_CTP_INVALID_MEDIA_TYPE') throw error
    setSecurityHeaders(reply)
    this.#refuse(request, reply, dispatchFailures.contentTypeMalformed)
  }

  #serve(request: FastifyRequest, reply: FastifyReply): void {
    const target = parseTarget(request.raw.url ?? '', this.#prefix)
    const located = target && locate(this.#options.directory, target, request.method)
    if (target === undefined || located === undefined) {
      const plugin = target && this.#options.directory.find(target.plugin)?.name
      this.#refuse(request, reply, dispatchFailures.routeNotFound, plugin)
      return
    }
    const exchange = createExchange(request, reply, target, located)
    if (this.#options.startTrace !== undefined) traceExchange(exchange, this.#options.startTrace)
    const failure = this.#admit(exchange)
    if (failure !== undefined) this.#refuse(request, reply, failure, exchange.plugin.name)
    else if (hasBody(request.raw)) this.#receive(exchange)
    else this.#call(exchange)
  }

  /** Who calls, how often, and whether the plugin is up. */
  #admit(exchange: Exchange): DispatchFailure | undefined {
    const { request } = exchange
    exchange.user = this.#options.authenticate(request)
    const refusal = refuseCaller(exchange, this.#options.identityOf)
    if (refusal !== undefined) return refusal
    exchange.clientIp = this.#options.clientIp(request)
    if (!this.#options.takeToken(exchange.clientIp)) return dispatchFailures.rateLimited
    return this.#refuseUnavailable(exchange)
  }

  #refuseUnavailable({ plugin }: Exchange): DispatchFailure | undefined {
    if (this.#options.isShuttingDown() || plugin.state !== 'running' || plugin.generation === undefined) {
      return dispatchFailures.pluginUnavailable
    }
    // Only a look: the probe of a half-open breaker is taken when the body is there, however slowly it comes.
    return plugin.breaker.refuses ? dispatchFailures.breakerOpen : undefined
  }

  #receive(exchange: Exchange): void {
    const { request, reply, plugin } = exchange
    const bytesMax = this.#options.requestBodyBytesMax
    const declared = declaredBodyBytes(request.raw)
    if (declared !== undefined && declared > bytesMax) {
      this.#refuse(request, reply, bodyTooLarge(declared, bytesMax), plugin.name)
      return
    }
    const timeoutMs = this.#options.requestBodyTimeoutMs ?? dispatchLimits.bodyReadMs
    // Fastify runs no parser for methods that rarely have a body: there the request is the stream.
    const stream = (request.body as Readable | null | undefined) ?? request.raw
    readBody(request.raw, stream, { bytesMax, timeoutMs }, (outcome) => {
      try {
        this.#received(exchange, outcome)
      } catch (error) {
        this.#crash(request, reply, error, plugin.name)
      }
    })
  }

  #received(exchange: Exchange, outcome: BodyOutcome): void {
    const { request, reply, plugin } = exchange
    if (outcome.kind === 'complete') {
      exchange.body = outcome.body
      this.#resume(exchange)
    } else if (outcome.kind === 'too-large') {
      this.#refuse(request, reply, bodyTooLarge(undefined, this.#options.requestBodyBytesMax), plugin.name)
    } else if (outcome.kind === 'too-slow') {
      this.#refuse(request, reply, dispatchFailures.bodyTooSlow, plugin.name)
    } else {
      // Nobody is left to answer.
      this.#options.observer?.aborted?.(plugin.name, request.method)
    }
  }

  /** Goes on after a pause, in which the plugin may have been reloaded, revoked or stopped. */
  #resume(exchange: Exchange): void {
    const { request, reply, target } = exchange
    const located = locate(this.#options.directory, target, request.method)
    if (located === undefined) {
      this.#refuse(request, reply, dispatchFailures.routeNotFound, exchange.plugin.name)
      return
    }
    exchange.plugin = located.plugin
    exchange.match = located.match
    // What the route asks of its callers may have changed as well.
    const failure = refuseCaller(exchange, this.#options.identityOf) ?? this.#refuseUnavailable(exchange)
    if (failure !== undefined) this.#refuse(request, reply, failure, exchange.plugin.name)
    else this.#call(exchange)
  }

  #call(exchange: Exchange): void {
    const { generation, breaker, name } = exchange.plugin
    if (generation === undefined) {
      this.#refuse(exchange.request, exchange.reply, dispatchFailures.pluginUnavailable, name)
      return
    }
    const ticket = breaker.tryEnter()
    if (ticket === 'refused') {
      this.#refuse(exchange.request, exchange.reply, dispatchFailures.breakerOpen, name)
      return
    }
    exchange.attempts += 1
    exchange.startedMs = performance.now()
    exchange.trace?.callStarted(generation.id)
    this.#start(generation, exchange).then(
      (outcome) => this.#settle(exchange, ticket, outcome),
      (error: unknown) => {
        breaker.neutral(ticket)
        exchange.trace?.callEnded('INTERNAL_ERROR')
        this.#crash(exchange.request, exchange.reply, error, name)
      },
    )
  }

  /** Async, so that what throws on the way arrives where the ticket is given back. */
  async #start(generation: Generation, exchange: Exchange): Promise<CallOutcome> {
    const { request, body } = exchange
    const payload = payloadOf(exchange, this.#options.stripCredentials(request.raw.rawHeaders))
    const ended = this.#options.openCall?.(request, exchange.plugin.name, generation.id)
    try {
      return await generation.call({ kind: 'http', phase: 'request', payload, body, requestId: request.id })
    } finally {
      ended?.()
    }
  }

  #settle(exchange: Exchange, ticket: BreakerTicket, outcome: CallOutcome): void {
    try {
      exchange.trace?.callEnded(outcome.ok ? undefined : outcome.code)
      if (outcome.ok) {
        exchange.plugin.breaker.success(ticket)
        const response = decodeResponse(outcome.result)
        sendResponse(exchange.reply, response)
        this.#observe(exchange, response.status)
      } else {
        this.#fail(exchange, ticket, outcome)
      }
    } catch (error) {
      this.#crash(exchange.request, exchange.reply, error, exchange.plugin.name)
    }
  }

  #fail(exchange: Exchange, ticket: BreakerTicket, outcome: CallFailure): void {
    const { reply, request, plugin } = exchange
    const { failure, counts } = verdictOf(outcome.code, outcome.blamed)
    if (counts) plugin.breaker.failure(ticket)
    else plugin.breaker.neutral(ticket)
    if (outcome.code === 'CLOSED' && this.#mayRepeat(exchange)) {
      this.#resume(exchange)
      return
    }
    this.#report(exchange, failure, outcome)
    sendFailure(reply, failure, request.id)
    this.#observe(exchange, failure.status)
  }

  /**
   * A call that answers CLOSED has not started, unless it outlived the drain of its generation. Only one that
   * cannot have had effects is made again, and only on another generation.
   */
  #mayRepeat({ attempts, target, plugin, startedMs }: Exchange): boolean {
    if (attempts >= dispatchLimits.attemptsMax) return false
    if (performance.now() - startedMs >= executorLimits.drainMs) return false
    return this.#options.directory.find(target.plugin)?.generation !== plugin.generation
  }

  #observe({ plugin, match, startedMs, request }: Exchange, status: number): void {
    const durationMs = performance.now() - startedMs
    this.#options.observer?.answered?.(plugin.name, match.route.key, status, durationMs, request.method)
  }

  #report({ plugin, match, request }: Exchange, failure: DispatchFailure, outcome: CallFailure): void {
    const fields = {
      plugin: plugin.name,
      route: match.route.key,
      request_id: request.id,
      code: failure.code,
      cause: outcome.code,
      error: outcome.message,
    }
    this.#options.observer?.failed?.(plugin.name, failure.code)
    if (failure.status === 503) this.#options.log.warn(fields, 'plugin call was not served')
    else this.#options.log.error(fields, 'plugin call failed')
  }

  /** @param plugin Name of the plugin that the request is for; undefined when no plugin has that name. */
  #refuse(request: FastifyRequest, reply: FastifyReply, failure: DispatchFailure, plugin?: string): void {
    sendFailure(reply, failure, request.id)
    if (hasBody(request.raw)) drainRest(request.raw)
    this.#options.observer?.refused?.(failure.code, failure.status, plugin, request.method)
  }

  /** Answers a failure of the host itself. */
  #crash(request: FastifyRequest, reply: FastifyReply, error: unknown, plugin?: string): void {
    const stack = error instanceof Error ? error.stack : undefined
    this.#options.log.error(
      { request_id: request.id, error: messageOf(error), stack },
      'plugin dispatch failed',
    )
    if (!reply.sent) this.#refuse(request, reply, dispatchFailures.internalError, plugin)
  }
}
