import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { canonicalIp } from './ip-address.js'

/** The addresses with the same bits under the mask, as numbers of 32 bits. */
interface Network4 {
  readonly bits: number
  readonly mask: number
}

const mappedBits = 96

/**
 * Addresses and CIDR blocks of both families. Requests ask for their addresses, and those of IPv4 are compared as
 * numbers: a BlockList makes an object of each.
 */
export class IpNetworks {
  readonly #networks: Network4[] = []
  readonly #blocks = new BlockList()

  /** Adds an address or CIDR block; false, and nothing is added, when the entry is neither. */
  add(entry: string): boolean {
    const [address = '', bitsText, ...rest] = entry.trim().split('/')
    const network = address.includes('%') ? undefined : canonicalIp(address)
    if (network === undefined || rest.length > 0) return false
    const isMapped = isIPv4(network) && isIPv6(address)
    const bitsMax = isIPv6(address) ? 128 : 32
    const bits = bitsText === undefined ? bitsMax : Number(bitsText)
    const isNumber = bitsText === undefined || /^\d{1,3}$/.test(bitsText)
    if (!isNumber || bits > bitsMax || (isMapped && bits < mappedBits)) return false
    if (isIPv6(network)) this.#blocks.addSubnet(network, bits, 'ipv6')
    else {
      const count = isMapped ? bits - mappedBits : bits
      // A shift by 32 is one by 0.
      const mask = count === 0 ? 0 : -1 << (32 - count)
      this.#networks.push({ bits: numberOf(network) & mask, mask })
    }
    return true
  }

  /** Tells whether an address, as `canonicalIp` gives it, is one of them; no other text is. */
  has(ip: string): boolean {
    if (!isIPv4(ip)) return this.#blocks.check(ip, 'ipv6')
    const address = numberOf(ip)
    return this.#networks.some(({ bits, mask }) => (address & mask) === bits)
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
