import { isIP, type LookupFunction, connect as openSocket, type Socket } from 'node:net'
import { connect as openTls } from 'node:tls'
import { outboundLimits } from '../base/limits/outbound.js'
import type { AddressPolicy } from './address-policy.js'
import { outboundError } from './failures.js'
import type { OutboundTarget } from './outbound-url.js'
import type { AddressResolver } from './resolver.js'

export interface ConnectorOptions {
  readonly policy: AddressPolicy
  readonly resolve: AddressResolver
  /** Certificates that TLS trusts; those of Node when undefined. */
  readonly certificates: string | undefined
}

/** Opens connections to servers whose addresses have been checked. */
export class Connector {
  readonly #options: ConnectorOptions

  constructor(options: ConnectorOptions) {
    this.#options = options
  }

  /**
   * Connects to a target, over TLS unless its scheme is http. All addresses that its name has are checked before
   * any is tried, and the one that is connected to is looked at again.
   *
   * @param signal Ends the attempt.
   * @returns A socket that is ready to be written to; whoever gets it closes it.
   * @throws OutboundError, or the error of the socket.
   */
  async connect(target: OutboundTarget, signal: AbortSignal): Promise<Socket> {
    const addresses = await this.#checkedAddresses(target.host, signal)
    signal.throwIfAborted()
    const socket = this.#open(target, addresses)
    const ready = target.scheme === 'http' ? 'connect' : 'secureConnect'
    try {
      await happened(socket, ready, signal)
    } catch (error) {
      socket.destroy()
      throw error
    }
    if (this.#options.policy.allows(socket.remoteAddress ?? '')) return socket
    socket.destroy()
    throw outboundError('address_blocked', target.host)
  }

  async #checkedAddresses(host: string, signal: AbortSignal): Promise<readonly string[]> {
    const { policy, resolve } = this.#options
    const addresses = isIP(host) === 0 ? await resolve(host, signal) : [host]
    if (addresses.length === 0) throw outboundError('dns', host)
    if (!addresses.every((address) => policy.allows(address))) throw outboundError('address_blocked', host)
    return addresses.slice(0, outboundLimits.addressesMax)
  }

  #open({ scheme, host, port }: OutboundTarget, addresses: readonly string[]): Socket {
    const options = {
      host,
      port,
      lookup: pinnedLookup(addresses),
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: outboundLimits.connectTryMs,
    }
    if (scheme === 'http') return openSocket(options)
    const { certificates } = this.#options
    return openTls({
      ...options,
      // Said aloud, as an environment variable changes what happens when it is left out.
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(certificates === undefined ? {} : { ca: certificates }),
    })
  }
}

/** Answers every look-up of a socket with the addresses that were checked. */
function pinnedLookup(addresses: readonly string[]): LookupFunction {
  const answers = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_host, options, callback) => {
    const [first] = answers
    process.nextTick(() => {
      if (options.all === true) callback(null, answers)
      else callback(null, first?.address ?? '', first?.family)
    })
  }
}

/** Waits for an event of a socket that fails at an error, at its end and at a signal. */
function happened(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => (): void => {
      signal.removeEventListener('abort', onAbort)
      act()
    }
    const onAbort = settle(() => reject(signal.reason as Error))
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once(event, settle(resolve))
    socket.once('error', (error) => settle(() => reject(error))())
    socket.once(
      'close',
      settle(() => reject(new Error('the connection was closed'))),
    )
  })
}
