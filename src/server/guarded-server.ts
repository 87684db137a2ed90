import { lookup } from 'node:dns'
import { createServer, type RequestListener, type Server } from 'node:http'
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from 'node:net'
import { serverLimits } from '../base/limits/server.js'
import { ClientFailures } from './client-failures.js'
import { ConnectionDoor } from './connection-door.js'
import { Connections } from './connections.js'
import type { Refusals } from './refusals.js'
import type { ServerSettings } from './settings.js'
import { StalledReaders } from './stalled-readers.js'

export interface GuardedServerOptions {
  readonly settings: ServerSettings
  readonly refusals: Refusals
  /** See `DoorOptions`. */
  isExempt(ip: string): boolean
  /** Names an answer that belongs to no request. */
  nextId(): string
}

/** An HTTP server that no client can hold up, with its connections. */
export interface GuardedServer {
  readonly server: Server
  readonly connections: Connections
  /** Takes no new connections on further addresses of `localhost`; those of the server itself end with it. */
  closeTwins(): void
}

/** Creates the server; it is not listening yet. */
export function createGuardedServer(serve: RequestListener, options: GuardedServerOptions): GuardedServer {
  const { settings, refusals } = options
  const connections = new Connections({
    serve,
    flooded: (socket) => refusals.note('pipelined', socket.remoteAddress),
    late: (socket) => failures.late(socket),
  })
  const failures = new ClientFailures({ ...options, ...settings, connections })
  const server = createServer(
    {
      maxHeaderSize: settings.maxHeaderSize,
      headersTimeout: settings.headersTimeoutMs,
      requestTimeout: settings.requestTimeoutMs,
      keepAliveTimeout: settings.keepAliveTimeoutMs,
      connectionsCheckingInterval: checkMs(Math.min(settings.headersTimeoutMs, settings.requestTimeoutMs)),
    },
    (request, response) => connections.take(request, response),
  )
  server.setTimeout(settings.connectionTimeoutMs)
  server.maxRequestsPerSocket = settings.maxRequestsPerSocket
  // Node would drop those beyond in silence; they are counted where the request is refused.
  server.maxHeadersCount = 0
  guardConnections(server, connections, options)
  server.on('clientError', (error, socket) => failures.take(error, socket as Socket))
  watchReaders(server, connections, options)
  return { server, connections, closeTwins: listenOnTwins(server) }
}

/** Lets only admitted connections come to Node's parser. */
function guardConnections(server: Server, connections: Connections, options: GuardedServerOptions): void {
  const { isExempt, refusals, nextId, settings } = options
  const door = new ConnectionDoor({ ...settings, isExempt, refusals, nextId })
  const accept = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (!door.admit(socket)) return
    for (const listener of accept) listener.call(server, socket)
    connections.add(socket)
  })
}

function watchReaders(
  server: Server,
  connections: Connections,
  { settings, refusals }: GuardedServerOptions,
): void {
  const readers = new StalledReaders({
    ...settings,
    cutting: (socket, reason) => refusals.note(reason, socket.remoteAddress),
  })
  let timer: NodeJS.Timeout | undefined
  server.once('listening', () => {
    const look = () => readers.look(connections.sockets, performance.now())
    timer = setInterval(look, checkMs(settings.stallTimeoutMs)).unref()
  })
  server.once('close', () => clearInterval(timer))
}

function checkMs(timeoutMs: number): number {
  const wanted = timeoutMs / serverLimits.checksPerTimeout
  return Math.min(serverLimits.checkMsMax, Math.max(serverLimits.checkMsMin, Math.ceil(wanted)))
}

/**
 * `localhost` is more than one address, of which a server listens on one. What comes in on the others goes through the
 * same door.
 */
function listenOnTwins(server: Server): () => void {
  const twins = new Set<NetServer>()
  const listen = server.listen.bind(server) as (...words: unknown[]) => Server
  let host: unknown
  server.listen = (...words: unknown[]) => {
    host = (words[0] as { host?: unknown } | undefined)?.host
    return listen(...words)
  }
  server.once('listening', () => {
    if (host !== 'localhost') return
    const { address, port } = server.address() as AddressInfo
    lookup(host, { all: true }, (_error, found = []) => {
      if (!server.listening) return
      for (const twin of found) if (twin.address !== address) twins.add(openTwin(server, twin.address, port))
    })
  })
  const close = () => {
    for (const twin of twins) twin.close()
    twins.clear()
  }
  server.once('close', close)
  return close
}

function openTwin(server: Server, host: string, port: number): NetServer {
  const twin = createNetServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    server.emit('connection', socket)
  })
  // An address that cannot be listened on is none that clients could come to.
  twin.on('error', () => twin.close())
  return twin.listen({ host, port })
}
