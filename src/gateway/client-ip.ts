import { isIPv6 } from 'node:net'
import { canonicalIp } from '../base/ip-address.js'
import { IpNetworks } from '../base/ip-networks.js'
import { clientIpLimits } from '../base/limits/server.js'
import { trustedProxyInvalid } from './errors.js'

/** Whom to believe about the address of a client. */
export interface ClientIpOptions {
  /** Addresses and CIDR blocks of our own proxies; with none X-Forwarded-For is never looked at. */
  readonly trustedProxies: readonly string[]
}

/**
 * Tells the IP address of the client that sent a request.
 *
 * @param socketAddress Address of the peer; undefined when the socket is gone or is not a network socket.
 * @param forwardedFor Value of X-Forwarded-For; undefined when it is absent.
 * @returns A canonical address without port, or `unknown` when there is no peer address.
 */
export type ClientIp = (socketAddress: string | undefined, forwardedFor: string | undefined) => string

/**
 * Creates the reader of client addresses. X-Forwarded-For counts only when the peer itself is a trusted proxy, and
 * is read from the right, where our own proxies append: the first readable entry that is not a proxy of ours is
 * the client. When there is none, it is the peer.
 *
 * @throws `TRUSTED_PROXY_INVALID` naming the first entry that is no address or CIDR block.
 */
export function createClientIp({ trustedProxies }: ClientIpOptions): ClientIp {
  const isTrusted = createTrust(trustedProxies)
  return (socketAddress, forwardedFor) => {
    const peer = canonicalIp(socketAddress ?? '')
    if (peer === undefined) return 'unknown'
    if (!forwardedFor || trustedProxies.length === 0 || !isTrusted(peer)) return peer
    return lastUntrusted(forwardedFor, isTrusted) ?? peer
  }
}

type Trust = (ip: string) => boolean

/**
 * Creates the test for addresses of our own proxies.
 *
 * @param entries Addresses and CIDR blocks.
 * @returns Tells whether an address, in its canonical form, is one of them; no other text is.
 * @throws `TRUSTED_PROXY_INVALID` naming the first entry that is no address or CIDR block.
 */
export function createTrust(entries: readonly string[]): Trust {
  const networks = new IpNetworks()
  for (const entry of entries) if (!networks.add(entry)) throw trustedProxyInvalid({ entry })
  return (ip) => networks.has(ip)
}

function lastUntrusted(forwardedFor: string, isTrusted: Trust): string | undefined {
  let end = forwardedFor.length
  for (let looked = 0; looked < clientIpLimits.forwardedEntriesMax && end >= 0; looked++) {
    const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1)
    const ip = readEntry(forwardedFor.slice(comma + 1, end))
    if (ip !== undefined && !isTrusted(ip)) return ip
    end = comma
  }
  return undefined
}

const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/
const withPort = /^([\d.]+):\d{1,5}$/

/** Reads `192.0.2.1`, `192.0.2.1:8080`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:8080`. */
function readEntry(entry: string): string | undefined {
  const text = entry.trim()
  if (text === '' || text.length > clientIpLimits.forwardedEntryLengthMax) return undefined
  const inBrackets = bracketed.exec(text)?.[1]
  if (inBrackets !== undefined) return isIPv6(inBrackets) ? canonicalIp(inBrackets) : undefined
  return canonicalIp(withPort.exec(text)?.[1] ?? text)
}
