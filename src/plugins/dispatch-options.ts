import type { FastifyRequest } from 'fastify'
import type { RequestUser } from '../capabilities/http/wire.js'
import type { Identity } from '../identity/identity.js'
import type { PluginDirectory } from './plugin-directory.js'

/** Where the dispatcher writes what callers must not read; pino's loggers fit. */
export interface DispatchLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** What is told to the metrics; each member may be left out. */
export interface DispatchObserver {
  /** A request was answered by a plugin or failed in it; the time counts from its hand-over to the plugin. */
  answered?(plugin: string, routeKey: string, status: number, durationMs: number, method: string): void
  /** A request was refused before a plugin was called; the plugin is undefined when its URL names none that is known. */
  refused?(code: string, status: number, plugin: string | undefined, method: string): void
  /** A call of a plugin did not end with a response; `answered` is told as well. */
  failed?(plugin: string, code: string): void
  /** The client went away while it sent the body: nobody is left to answer. */
  aborted?(plugin: string, method: string): void
}

/** What is known of a request when its trace starts. */
export interface TracedRequest {
  readonly requestId: string
  readonly method: string
  readonly plugin: string
  readonly routeKey: string
  /** The headers as they came; the last word on whether the caller has a trace already. */
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
}

/** The trace of one request. */
export interface RequestTrace {
  callStarted(generation: number): void
  /** Code of the failure; undefined when the call gave a response. */
  callEnded(failure: string | undefined): void
  /** The answer is out, with this status; undefined when the client went away before. */
  ended(status: number | undefined): void
}

/** What the plugin routes need of their host. */
export interface PluginRoutesOptions {
  readonly directory: PluginDirectory
  /** Who is calling; undefined without valid credentials. Is asked once a request, on public routes too. */
  authenticate(request: FastifyRequest): RequestUser | undefined
  /** Who sends a request, for routes that say what callers need; anonymous for nobody known. */
  identityOf(request: FastifyRequest): Identity
  /**
   * Is told of each call of a handler, so that it can ask about its request. What comes back is called when it ends.
   *
   * @param generation Number of the generation that is called.
   */
  openCall?(request: FastifyRequest, plugin: string, generation: number): () => void
  /** Takes the credentials of the host out of headers in the form name, value, name, value. */
  stripCredentials(rawHeaders: readonly string[]): readonly string[]
  /** Address of the caller, without the port. */
  clientIp(request: FastifyRequest): string
  /** Takes a token of the bucket of an address; false means that it is empty. */
  takeToken(clientIp: string): boolean
  isShuttingDown(): boolean
  readonly requestBodyBytesMax: number
  /** Time in which a body must have arrived; the default is `dispatchLimits.bodyReadMs`. */
  readonly requestBodyTimeoutMs?: number
  readonly log: DispatchLog
  readonly observer?: DispatchObserver
  /** Starts the trace of a request that has found its route; without it nothing is traced. */
  readonly startTrace?: (request: TracedRequest) => RequestTrace
}
