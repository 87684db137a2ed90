import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Stands between clients and a server, so that their connections can be cut, and the server can move. */
export class TcpRelay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Where new connections go. */
  target = ''
  /** Connections since the start. */
  accepted = 0

  private constructor() {
    this.#server = createServer((socket) => this.#relay(socket))
  }

  /** Start it before the server: connections that nobody uses would keep a server that closes. */
  static async start(test: TestContext): Promise<TcpRelay> {
    const relay = new TcpRelay()
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve))
    test.after(() => {
      relay.cut()
      relay.#server.close()
    })
    return relay
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Cuts all connections without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #relay(socket: Socket): void {
    this.accepted += 1
    const { hostname, port } = new URL(this.target)
    const onward = connect(Number(port), hostname)
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }
}
