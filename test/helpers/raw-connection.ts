import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** A connection whose every byte a test decides on. */
export interface RawConnection {
  readonly socket: Socket
  /** What has come so far, as Latin-1. */
  text(): string
  /** Settles when the connection is gone. */
  readonly gone: Promise<void>
}

export interface RawOptions {
  /** Address to come from, e.g. `127.0.0.7`. */
  readonly from?: string
  /** Reads nothing until the socket is resumed. */
  readonly isPaused?: boolean
}

/** Opens a connection that goes with the test. */
export async function openRaw(
  test: TestContext,
  port: number,
  { from, isPaused = false }: RawOptions = {},
): Promise<RawConnection> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    allowHalfOpen: true,
    ...(from === undefined ? {} : { localAddress: from }),
  })
  const chunks: Buffer[] = []
  socket.on('error', () => {})
  // A client that is told of the end goes away as well.
  socket.on('end', () => socket.end())
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  test.after(() => socket.destroy())
  await once(socket, 'connect')
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  if (isPaused) socket.pause()
  return { socket, gone, text: () => Buffer.concat(chunks).toString('latin1') }
}

/** Opens many at once. */
export function openMany(
  test: TestContext,
  port: number,
  count: number,
  options: RawOptions = {},
): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: count }, () => openRaw(test, port, options)))
}

/** Sends a text, waits until the server has ended the connection, and gives its answer. */
export async function tellRaw(test: TestContext, port: number, text: string): Promise<string> {
  const connection = await openRaw(test, port)
  connection.socket.write(text, 'latin1')
  await connection.gone
  return connection.text()
}
