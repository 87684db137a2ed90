import type { AuthRequest } from './authenticator.js'

const bearer = /^bearer +([^\s]+)$/i

/** Gives the bearer token of a request; undefined without one, or with more than one `Authorization`. */
export function bearerToken({ headers }: Pick<AuthRequest, 'headers'>): string | undefined {
  const { authorization } = headers
  return typeof authorization === 'string' ? bearer.exec(authorization)?.[1] : undefined
}

/** Tells how often a request has a header; what says twice who sends it can be read in two ways. */
export function countHeader({ rawHeaders }: Pick<AuthRequest, 'rawHeaders'>, name: string): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const each = rawHeaders[at] as string
    if (each.length === name.length && each.toLowerCase() === name) count += 1
  }
  return count
}
