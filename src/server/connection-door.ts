import type { Socket } from 'node:net'
import { canonicalIp, clientNetwork } from '../base/ip-address.js'
import { serverLimits } from '../base/limits/server.js'
import { addressFull, connectionsFull } from './errors.js'
import type { Refusals } from './refusals.js'
import { refuseSocket } from './refused-socket.js'

export interface DoorOptions {
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  /** Tells whether an address, in its canonical form, may have any number of connections: it stands for many clients. */
  isExempt(ip: string): boolean
  readonly refusals: Refusals
  /** Names an answer that belongs to no request. */
  nextId(): string
}

/** Lets connections in as long as there is room for them, for all and for each address. */
export class ConnectionDoor {
  readonly #options: DoorOptions
  readonly #byNetwork = new Map<string, number>()
  #open = 0
  #refused = 0

  constructor(options: DoorOptions) {
    this.#options = options
  }

  /** Connections that were let in and are open. */
  get size(): number {
    return this.#open
  }

  /** Takes a new connection in; false when it was refused, and is not to be used. */
  admit(socket: Socket): boolean {
    const { maxConnections, maxConnectionsPerAddress, isExempt } = this.#options
    const ip = canonicalIp(socket.remoteAddress ?? '') ?? 'unknown'
    const network = isExempt(ip) ? undefined : clientNetwork(ip)
    const ofNetwork = network === undefined ? 0 : (this.#byNetwork.get(network) ?? 0)
    if (this.#open >= maxConnections) return this.#refuse(socket, 'max_connections')
    if (ofNetwork >= maxConnectionsPerAddress) return this.#refuse(socket, 'max_connections_per_address')
    this.#open += 1
    if (network !== undefined) this.#byNetwork.set(network, ofNetwork + 1)
    socket.once('close', () => this.#leave(network))
    return true
  }

  #leave(network: string | undefined): void {
    this.#open -= 1
    if (network === undefined) return
    const left = (this.#byNetwork.get(network) ?? 1) - 1
    if (left === 0) this.#byNetwork.delete(network)
    else this.#byNetwork.set(network, left)
  }

  #refuse(socket: Socket, reason: 'max_connections' | 'max_connections_per_address'): false {
    this.#options.refusals.note(reason, socket.remoteAddress)
    // A client that resets its connection is no failure of ours.
    socket.on('error', () => socket.destroy())
    if (this.#refused >= serverLimits.refusedMax) {
      socket.destroy()
      return false
    }
    this.#refused += 1
    socket.once('close', () => {
      this.#refused -= 1
    })
    const create = reason === 'max_connections' ? connectionsFull : addressFull
    const error = create({}, { retryAfterSeconds: serverLimits.refusalRetrySeconds })
    refuseSocket(socket, error, this.#options.nextId())
    socket.resume()
    return false
  }
}
