import { isCsrfToken } from '../identity/session-token.js'
import type { AuthRequest } from './authenticator.js'

/** Name of the header that carries the CSRF token of a session. */
export const csrfHeader = 'x-csrf-token'

/** The part of a request that tells where it comes from. */
export type CrossSiteRequest = Pick<AuthRequest, 'headers' | 'site'>

/**
 * Tells whether a browser says that a page of another site has made it send a request.
 *
 * @returns A sentence that says how; undefined when nothing speaks for it, as with programs that are no browsers.
 */
export function crossSiteFault({ headers, site }: CrossSiteRequest): string | undefined {
  const fetchSite = headers['sec-fetch-site']
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') {
    return 'A page of another origin has sent this request.'
  }
  return originFault({ headers, site })
}

function originFault({ headers: { origin }, site }: CrossSiteRequest): string | undefined {
  if (origin === undefined || isOwnOrigin(origin, site)) return undefined
  return 'The Origin of this request is not the one of this host.'
}

/**
 * Tells whether a page of another site may have made a browser send a request with the cookie of a session.
 *
 * @returns As `crossSiteFault`, and for a request that changes something without the CSRF token of the session. Of a
 *   WebSocket only the Origin counts.
 */
export function forgeryFault(
  request: CrossSiteRequest & Pick<AuthRequest, 'method'>,
  sessionToken: string,
): string | undefined {
  if (isSafe(request.method)) {
    // Pages of any site may open a WebSocket and read what comes; browsers say where they are from, and send no token.
    return request.headers.upgrade === undefined ? undefined : originFault(request)
  }
  const fault = crossSiteFault(request)
  if (fault !== undefined) return fault
  const sent = request.headers[csrfHeader]
  if (sent === undefined) return 'This request changes something with the cookie of a session alone.'
  if (typeof sent === 'string' && isCsrfToken(sessionToken, sent)) return undefined
  return 'The CSRF token is not the one of this session.'
}

/** True for methods that change nothing. */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

function isOwnOrigin(origin: string | string[], { isSecure, host }: AuthRequest['site']): boolean {
  if (typeof origin !== 'string' || host === undefined || !URL.canParse(origin)) return false
  const { protocol, host: claimed } = new URL(origin)
  // Anybody in between can write a page that came unprotected.
  if (protocol !== 'https:' && (protocol !== 'http:' || isSecure)) return false
  const own = `${protocol}//${host}`
  return URL.canParse(own) && new URL(own).host === claimed
}
