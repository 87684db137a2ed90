import { routeLimits } from '../../base/limits/plugins.js'
import type { Requirement } from '../../identity/requirement.js'
import type { Registration } from '../../sandbox/host-function.js'
import { parseRoutePattern, patternsConflict } from './route-pattern.js'

/** Methods that a route can be registered for. A GET route answers HEAD as well. */
export const routeMethods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const

export type RouteMethod = (typeof routeMethods)[number]

/** What a plugin declared with `http.handle`. */
export interface RouteDeclaration {
  /** `METHOD path`, unique within the plugin. */
  readonly key: string
  readonly method: RouteMethod
  /** Path behind `/api/v1/plugins/<name>`, with its parameters. */
  readonly path: string
  /** True when callers need no credentials. */
  readonly public: boolean
  /** What callers need beside a credential; nothing when missing. */
  readonly requires?: Requirement
}

/** Kind of the registrations that routes make. */
export const routeKind = 'route'

/** Kind of the registrations that middleware makes. */
export const middlewareKind = 'middleware'

const allowedCharacters = /^[a-zA-Z0-9/_{}.-]*$/

/** Tells whether a text is a method that a route can have. */
export function isRouteMethod(method: string): method is RouteMethod {
  return (routeMethods as readonly string[]).includes(method)
}

/** Gives the key under which a route is registered and approved. */
export function routeKey(method: string, path: string): string {
  return `${method} ${path}`
}

/** Checks the method of a route; undefined means that it is fine, a text says what is wrong. */
export function checkRouteMethod(method: string): string | undefined {
  if (isRouteMethod(method)) return undefined
  const shown = JSON.stringify(method.slice(0, 32))
  return `invalid HTTP method ${shown}: use ${routeMethods.join(', ')}, in upper case`
}

/** Checks the path of a route; undefined means that it is fine, a text says what is wrong. */
export function checkRoutePath(path: string): string | undefined {
  const reason = pathFault(path)
  if (reason === undefined) return undefined
  return `invalid route path ${JSON.stringify(path.slice(0, routeLimits.pathBytesMax))}: ${reason}`
}

function pathFault(path: string): string | undefined {
  if (path === '') return 'it is empty; the shortest path is "/"'
  if (!path.startsWith('/')) return 'it must start with "/"'
  const bytes = Buffer.byteLength(path)
  if (bytes > routeLimits.pathBytesMax)
    return `it is ${bytes} bytes; the limit is ${routeLimits.pathBytesMax}`
  if (path.includes('?')) return 'it must not contain "?": the query is not a part of it'
  if (path.includes('#')) return 'it must not contain "#"'
  // The dots of {name...} are the only place where two dots may follow each other.
  if (path.replaceAll('...}', '}').includes('..')) return 'it must not contain ".."'
  if (!allowedCharacters.test(path)) return 'it may only have letters, digits and / _ { } . -'
  const parsed = parseRoutePattern(path)
  return parsed.ok ? undefined : parsed.reason
}

/**
 * Checks a route, whose method and path are fine, against those that the plugin has already: duplicates, then
 * their number, then overlaps. Undefined means that it may be added.
 *
 * @param routesMax How many routes the plugin may have.
 */
export function checkAgainstRoutes(
  route: { readonly method: string; readonly path: string },
  existing: readonly RouteDeclaration[],
  routesMax: number,
): string | undefined {
  const key = routeKey(route.method, route.path)
  if (existing.some((other) => other.key === key)) return `duplicate route ${JSON.stringify(key)}`
  if (existing.length >= routesMax) {
    return `maximum route limit reached: a plugin may have ${routesMax} routes; merge some or split the plugin`
  }
  const rival = existing.find((other) => other.method === route.method && overlaps(other.path, route.path))
  if (rival === undefined) return undefined
  return (
    `conflicting routes ${JSON.stringify(rival.key)} and ${JSON.stringify(key)}: a request can match both and ` +
    'neither is more specific; change one of the paths'
  )
}

function overlaps(one: string, other: string): boolean {
  const first = parseRoutePattern(one)
  const second = parseRoutePattern(other)
  return first.ok && second.ok && patternsConflict(first.segments, second.segments)
}

/** Picks the routes out of what a plugin registered, in the order of registration. */
export function routesOf(registrations: readonly Registration[]): RouteDeclaration[] {
  const routes: RouteDeclaration[] = []
  for (const { kind, key, data } of registrations) {
    if (kind !== routeKind) continue
    const { method, path, requires } = data
    if (typeof method !== 'string' || !isRouteMethod(method) || typeof path !== 'string') continue
    const isOpen = data.public === true
    routes.push({
      key,
      method,
      path,
      public: isOpen,
      ...(requires !== undefined && { requires: requires as Requirement }),
    })
  }
  return routes
}
