import type { FastifyRequest } from 'fastify'
import type { RequestUser } from '../capabilities/http/wire.js'
import type { PluginDirectory } from './plugin-directory.js'

/** Where the dispatcher writes what callers must not read; pino's loggers fit. */
export interface DispatchLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** What is told to the metrics; each member may be left out. */
export interface DispatchObserver {
  /** A request was answered by a plugin or failed in it. */
  answered?(plugin: string, routeKey: string, status: number, durationMs: number): void
  /** A request was refused before a plugin was called. */
  refused?(code: string, status: number): void
}

/** What the plugin routes need of their host. */
export interface PluginRoutesOptions {
  readonly directory: PluginDirectory
  /** Who is calling; undefined without valid credentials. Is asked once a request, on public routes too. */
  authenticate(request: FastifyRequest): RequestUser | undefined
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
}
