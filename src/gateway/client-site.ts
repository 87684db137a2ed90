import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { canonicalIp } from '../base/ip-address.js'
import { type ClientIpOptions, createTrust } from './client-ip.js'

/** How a client reaches the host, behind trusted proxies as those say. */
export interface ClientSite {
  /** Whether nobody in between can read along or write. */
  readonly isSecure: boolean
  /** Host name and port that the client has asked for; undefined when it names none. */
  readonly host: string | undefined
}

/** Tells how the sender of a request reaches the host. */
export type FindClientSite = (raw: IncomingMessage) => ClientSite

/**
 * Creates what tells how clients reach the host. `X-Forwarded-Proto` and `X-Forwarded-Host` count only when the peer
 * itself is a trusted proxy.
 *
 * @throws `TRUSTED_PROXY_INVALID` naming the first entry that is no address or CIDR block.
 */
export function createClientSite({ trustedProxies }: ClientIpOptions): FindClientSite {
  const isTrusted = createTrust(trustedProxies)
  return ({ headers, socket }) => {
    const isTls = (socket as TLSSocket).encrypted === true
    const peer = canonicalIp(socket.remoteAddress ?? '')
    if (peer === undefined || !isTrusted(peer)) return { isSecure: isTls, host: headers.host }
    const protocol = textOf(headers['x-forwarded-proto'])?.toLowerCase()
    return {
      isSecure: protocol === undefined ? isTls : protocol === 'https',
      host: textOf(headers['x-forwarded-host']) ?? headers.host,
    }
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}
