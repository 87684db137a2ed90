import type { FastifyReply, FastifyRequest } from 'fastify'
import { encodeRequest, type RequestUser } from '../capabilities/http/wire.js'
import type { Identity } from '../identity/identity.js'
import { missingFor } from '../identity/requirement.js'
import { callerLacks, type DispatchFailure, dispatchFailures } from './dispatch-failures.js'
import type { RequestTrace } from './dispatch-options.js'
import type { PluginDirectory, ServedPlugin } from './plugin-directory.js'
import type { RouteMatch } from './route-table.js'

/** One request on its way to a plugin and back. */
export interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly target: Target
  plugin: ServedPlugin
  match: RouteMatch
  user: RequestUser | undefined
  clientIp: string
  /** One character per byte. */
  body: string
  /** Times that the request was handed to a generation. */
  attempts: number
  /** On the clock of `performance.now()`, from the last hand-over to the plugin. */
  startedMs: number
  /** Undefined unless requests are traced. */
  trace: RequestTrace | undefined
}

/** What a URL below the prefix of the plugin routes names. */
export interface Target {
  /** Prefix, name and nothing else, e.g. `/api/v1/plugins/tasks`. */
  readonly base: string
  readonly plugin: string
  /** Behind the base, as it was sent. */
  readonly rawPath: string
  /** Without the question mark. */
  readonly query: string
}

/** A route of a plugin that may be called. */
export interface Located {
  readonly plugin: ServedPlugin
  readonly match: RouteMatch
}

/**
 * Takes a URL apart; undefined when it names no path of a plugin.
 *
 * @param prefix What plugin routes start with, with its final slash.
 */
export function parseTarget(url: string, prefix: string): Target | undefined {
  if (!url.startsWith(prefix)) return undefined
  const queryAt = url.indexOf('?', prefix.length)
  const pathEnd = queryAt === -1 ? url.length : queryAt
  const slashAt = url.indexOf('/', prefix.length)
  if (slashAt === -1 || slashAt >= pathEnd) return undefined
  return {
    base: url.slice(0, slashAt),
    plugin: url.slice(prefix.length, slashAt),
    rawPath: url.slice(slashAt, pathEnd),
    query: queryAt === -1 ? '' : url.slice(queryAt + 1),
  }
}

/** Finds the approved route of a target; undefined alike for all reasons why there is none. */
export function locate(directory: PluginDirectory, target: Target, method: string): Located | undefined {
  const plugin = directory.find(target.plugin)
  const isMissed = plugin?.generation === undefined && plugin?.state === 'failed'
  const routes = isMissed ? plugin.missedRoutes : plugin?.routes
  const match = routes?.find(method, target.rawPath)
  if (plugin === undefined || match === undefined || !match.route.approved) return undefined
  return { plugin, match }
}

/** Starts an exchange that nobody has looked at yet. */
export function createExchange(
  request: FastifyRequest,
  reply: FastifyReply,
  target: Target,
  { plugin, match }: Located,
): Exchange {
  return {
    request,
    reply,
    target,
    plugin,
    match,
    user: undefined,
    clientIp: '',
    body: '',
    attempts: 0,
    startedMs: 0,
    trace: undefined,
  }
}

/**
 * Tells why the caller may not use the route that was found; undefined when they may.
 *
 * @param identityOf Is asked only where the route says what callers need.
 */
export function refuseCaller(
  { match: { route }, user, request }: Exchange,
  identityOf: (request: FastifyRequest) => Identity,
): DispatchFailure | undefined {
  if (!route.public && user === undefined) return dispatchFailures.unauthorized
  if (route.requires === undefined) return undefined
  const identity = identityOf(request)
  if (identity.kind === 'anonymous') return dispatchFailures.unauthorized
  const missing = missingFor(route.requires, identity)
  return missing === undefined ? undefined : callerLacks(missing)
}

/** Writes the request as the executor reads it. */
export function payloadOf(exchange: Exchange, rawHeaders: readonly string[]): string {
  const { request, match, target, clientIp, user } = exchange
  return encodeRequest({
    routeKey: match.route.key,
    method: request.method,
    path: target.base + match.path,
    query: target.query,
    rawHeaders,
    params: match.params,
    clientIp,
    user,
  })
}
