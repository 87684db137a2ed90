import { BlockList, isIP } from 'node:net'

/** Networks of IPv4 that are not the public internet, from the registry of special-purpose addresses. */
export const blockedIpv4: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8], // this host, this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT; metadata of some clouds
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local; metadata of most clouds
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // relays of 6to4
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and the broadcast address
]

/** Where public addresses of IPv6 are; all else is unassigned, local, multicast, or holds an IPv4 address. */
const publicIpv6 = ['2000::', 3] as const

/** Networks inside it that are not the public internet. */
export const blockedIpv6: readonly (readonly [network: string, bits: number])[] = [
  ['2001::', 23], // protocol assignments: Teredo, benchmarks, ORCHID
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: holds an IPv4 address
  ['3fff::', 20], // documentation
]

/** Decides which addresses a connection may go to. */
export class AddressPolicy {
  readonly #allowLoopback: boolean
  // One list for each family: a list that holds ::ffff:0:0/96 or the like would match addresses of IPv4 as well.
  readonly #ipv4 = new BlockList()
  readonly #ipv6 = new BlockList()
  readonly #publicIpv6 = new BlockList()
  readonly #loopback = new BlockList()

  /** @param allowLoopback Whether 127.0.0.0/8 and ::1 are allowed. */
  constructor(allowLoopback: boolean) {
    this.#allowLoopback = allowLoopback
    for (const [network, bits] of blockedIpv4) this.#ipv4.addSubnet(network, bits, 'ipv4')
    for (const [network, bits] of blockedIpv6) this.#ipv6.addSubnet(network, bits, 'ipv6')
    this.#publicIpv6.addSubnet(...publicIpv6, 'ipv6')
    this.#loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  }

  /** Tells whether a connection may go to an address; false also for what is no address, or has a zone. */
  allows(address: string): boolean {
    switch (isIP(address)) {
      case 4:
        if (this.#allowLoopback && this.#loopback.check(address, 'ipv4')) return true
        return !this.#ipv4.check(address, 'ipv4')
      case 6:
        if (address.includes('%')) return false
        if (this.#allowLoopback && address === '::1') return true
        return this.#publicIpv6.check(address, 'ipv6') && !this.#ipv6.check(address, 'ipv6')
      default:
        return false
    }
  }
}
