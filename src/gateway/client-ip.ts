import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { canonicalIp } from '../base/ip-address.js'
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

/** The addresses with the same bits under the mask, as numbers of 32 bits. */
interface Network4 {
  readonly bits: number
  readonly mask: number
}

/**
 * Creates the test for addresses of our own proxies. Each request asks, and the addresses of IPv4 are compared as
 * numbers: a BlockList makes an object of each.
 *
 * @param entries Addresses and CIDR blocks.
 * @returns Tells whether an address, in its canonical form, is one of them; no other text is.
 * @throws `TRUSTED_PROXY_INVALID` naming the first entry that is no address or CIDR block.
 */
export function createTrust(entries: readonly string[]): Trust {
  const networks: Network4[] = []
  const blocks = new BlockList()
  for (const entry of entries) addBlock(networks, blocks, entry)
  return (ip) => {
    if (!isIPv4(ip)) return blocks.check(ip, 'ipv6')
    const address = numberOf(ip)
    return networks.some(({ bits, mask }) => (address & mask) === bits)
  }
}

/** @param ip Four numbers with dots between them. */
function numberOf(ip: string): number {
  let address = 0
  let part = 0
  for (let at = 0; at < ip.length; at += 1) {
    const code = ip.charCodeAt(at)
    if (code === dotCode) {
      address = (address << 8) | part
      part = 0
    } else part = part * 10 + code - zeroCode
  }
  return (address << 8) | part
}

const dotCode = 46
const zeroCode = 48

const mappedBits = 96

function addBlock(networks: Network4[], blocks: BlockList, entry: string): void {
  const [address = '', bitsText, ...rest] = entry.trim().split('/')
  const network = address.includes('%') ? undefined : canonicalIp(address)
  if (network === undefined || rest.length > 0) throw trustedProxyInvalid({ entry })
  const isMapped = isIPv4(network) && isIPv6(address)
  const bitsMax = isIPv6(address) ? 128 : 32
  const bits = bitsText === undefined ? bitsMax : Number(bitsText)
  const isNumber = bitsText === undefined || /^\d{1,3}$/.test(bitsText)
  if (!isNumber || bits > bitsMax || (isMapped && bits < mappedBits)) throw trustedProxyInvalid({ entry })
  if (isIPv6(network)) blocks.addSubnet(network, bits, 'ipv6')
  else {
    const count = isMapped ? bits - mappedBits : bits
    // A shift by 32 is one by 0.
    const mask = count === 0 ? 0 : -1 << (32 - count)
    networks.push({ bits: numberOf(network) & mask, mask })
  }
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
