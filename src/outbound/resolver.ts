import { Resolver } from 'node:dns/promises'
import { outboundLimits } from '../base/limits/outbound.js'
import { outboundError } from './failures.js'

/**
 * Gives all addresses of a name.
 *
 * @param signal Ends the look-up.
 * @throws OutboundError `dns` when there are none.
 */
export type AddressResolver = (host: string, signal: AbortSignal) => Promise<readonly string[]>

/**
 * Creates a resolver that asks name servers, for IPv4 and IPv6 at once. Search domains and the file of hosts do not
 * count, so that a name stands for the same server on each machine. Sockets do the work: a slow name server does not
 * take the threads away that the process reads files with.
 *
 * @param servers Addresses of name servers, e.g. `192.0.2.1:53`; those of the system when missing.
 */
export function createAddressResolver(servers?: readonly string[]): AddressResolver {
  return async (host, signal) => {
    const resolver = new Resolver({ timeout: outboundLimits.dnsTryMs, tries: outboundLimits.dnsTriesMax })
    if (servers !== undefined) resolver.setServers(servers)
    const cancel = (): void => resolver.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
      const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
      if (addresses.length === 0) throw outboundError('dns', host)
      return addresses
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }
}
