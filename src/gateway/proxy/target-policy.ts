import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net'
import { canonicalIp } from '../../base/ip-address.js'
import { allowedTargetInvalid, ruleInvalid } from './errors.js'
import type { UpstreamTarget } from './upstream-target.js'

const hostName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/

/** Which servers rules may lead to: all when it has no entries. */
export class TargetPolicy {
  readonly #hosts = new Set<string>()
  readonly #blocks = new BlockList()
  readonly #hasBlocks: boolean
  readonly #isOpen: boolean

  /**
   * @param entries Host names, addresses and CIDR blocks. A name stands for the host, wherever it leads; a block for
   * every host whose address is inside when it is connected to.
   * @throws `PROXY_ALLOWED_TARGET_INVALID` naming the first entry that is none of these.
   */
  constructor(entries: readonly string[]) {
    let blocks = 0
    for (const entry of entries) {
      if (this.#addBlock(entry)) blocks += 1
      else if (hostName.test(entry.toLowerCase())) this.#hosts.add(entry.toLowerCase())
      else throw allowedTargetInvalid({ entry })
    }
    this.#hasBlocks = blocks > 0
    this.#isOpen = entries.length === 0
  }

  #addBlock(entry: string): boolean {
    const [address = '', bits, ...rest] = entry.split('/')
    const family = isIP(address)
    if (family === 0 || rest.length > 0 || address.includes('%')) return false
    const max = family === 4 ? 32 : 128
    const count = bits === undefined ? max : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
    if (count < 0 || count > max) throw allowedTargetInvalid({ entry })
    this.#blocks.addSubnet(address, count, family === 4 ? 'ipv4' : 'ipv6')
    return true
  }

  /** @throws `PROXY_RULE_INVALID` when rules may not lead to this target. */
  check({ hostname }: UpstreamTarget): void {
    if (this.#isOpen || this.#hosts.has(hostname)) return
    if (isIP(hostname) === 0 ? this.#hasBlocks : this.#isInside(hostname)) return
    throw ruleInvalid({ reason: `target host "${hostname}" is not among the allowed targets` })
  }

  #isInside(address: string): boolean {
    const ip = canonicalIp(address)
    return ip !== undefined && this.#blocks.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6')
  }

  /** Resolves names for connections: only to addresses that rules may lead to. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    if (this.#isOpen || this.#hosts.has(hostname.toLowerCase())) {
      // Whether one address is asked for or all, callback and options belong together; the types tell them apart.
      lookup(hostname, options as LookupOptions, callback as never)
      return
    }
    lookup(hostname, { ...(options as LookupOptions), all: true }, (error, addresses: LookupAddress[]) => {
      const allowed = error ? [] : addresses.filter(({ address }) => this.#isInside(address))
      const [first] = allowed
      if (first === undefined) callback(error ?? refusedAddress(hostname), '', 0)
      else if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function refusedAddress(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`no address of ${hostname} is among the allowed targets`), {
    code: 'EACCES',
  })
}
