import { proxyLimits } from '../../base/limits/gateway.js'
import type { Identity } from '../../identity/identity.js'
import { identityTooLong } from './errors.js'

/** Name of the header by which a server behind the proxy is told who sends a request. */
export const identityHeaderName = 'x-identity'

/**
 * Writes who sends a request, for a server behind the proxy: JSON as base64url, which no character of a name turns into
 * something else.
 *
 * @returns undefined for somebody who is not known.
 * @throws `PROXY_IDENTITY_TOO_LONG`. Nothing is left out of it: who is in fewer groups may be somebody else there.
 */
export function identityHeader(identity: Identity): string | undefined {
  const { kind, sub, roles, groups, tenant, email, name } = identity
  if (kind === 'anonymous') return undefined
  const text = JSON.stringify({ sub, kind, roles, groups, tenant, email, name })
  const value = Buffer.from(text).toString('base64url')
  const { identityBytesMax: max } = proxyLimits
  if (value.length > max) throw identityTooLong({ bytes: value.length, max })
  return value
}
