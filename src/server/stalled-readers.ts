import type { Socket } from 'node:net'

export interface StalledReadersOptions {
  readonly stallTimeoutMs: number
  readonly maxUnreadBytes: number
  /** Is told of a client before it is cut off. */
  cutting(socket: Socket, reason: 'stalled' | 'unread_bytes'): void
}

/** How far a client has come with what waits for it. */
interface Reading {
  /** Bytes that have left the process. */
  left: number
  /** Bytes of the write under way that the system has not taken. */
  queued: number
  sinceMs: number
}

/** Clients that do not take what waits for them, whatever it is: answers, events, frames of a tunnel. */
export class StalledReaders {
  readonly #options: StalledReadersOptions
  readonly #readings = new Map<Socket, Reading>()

  constructor(options: StalledReadersOptions) {
    this.#options = options
  }

  /**
   * Looks at all clients, cuts off those that have taken nothing for too long, and more when too much waits.
   *
   * @param nowMs On a clock that does not jump.
   */
  look(sockets: Iterable<Socket>, nowMs: number): void {
    const { stallTimeoutMs, maxUnreadBytes } = this.#options
    let unread = 0
    for (const socket of sockets) {
      if (socket.writableLength === 0) {
        this.#readings.delete(socket)
        continue
      }
      if (nowMs - this.#note(socket, nowMs) >= stallTimeoutMs) this.#cut(socket, 'stalled')
      else unread += socket.writableLength
    }
    for (const socket of this.#readings.keys()) if (socket.destroyed) this.#readings.delete(socket)
    if (unread > maxUnreadBytes) this.#free(unread - maxUnreadBytes)
  }

  /** Since when the client has taken nothing. */
  #note(socket: Socket, nowMs: number): number {
    const left = socket.bytesWritten - socket.writableLength
    const queued = queuedBytes(socket)
    const reading = this.#readings.get(socket)
    if (reading === undefined) this.#readings.set(socket, { left, queued, sinceMs: nowMs })
    else if (reading.left !== left || reading.queued !== queued) {
      Object.assign(reading, { left, queued, sinceMs: nowMs })
    }
    return reading?.sinceMs ?? nowMs
  }

  /** Those that have not read for longest go first; among equals those that have most to read. */
  #free(bytes: number): void {
    const candidates = [...this.#readings].sort(
      ([one, { sinceMs: a }], [other, { sinceMs: b }]) => a - b || other.writableLength - one.writableLength,
    )
    let left = bytes
    for (const [socket] of candidates) {
      if (left <= 0) return
      left -= socket.writableLength
      this.#cut(socket, 'unread_bytes')
    }
  }

  #cut(socket: Socket, reason: 'stalled' | 'unread_bytes'): void {
    this.#readings.delete(socket)
    this.#options.cutting(socket, reason)
    socket.destroy()
  }
}

/** A write of many bytes counts as one until its end; only the handle knows how far it has come. */
function queuedBytes(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { readonly writeQueueSize?: number } | null }
  return handle?.writeQueueSize ?? 0
}
