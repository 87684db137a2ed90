import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { dispatchLimits } from '../base/limits/plugins.js'

/** How the reading of a body ended. */
export type BodyOutcome =
  | { readonly kind: 'complete' /** One character per byte. */; readonly body: string }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'too-slow' }
  | { readonly kind: 'aborted' }

export interface BodyLimits {
  readonly bytesMax: number
  readonly timeoutMs: number
}

/** Tells whether a request says that a body follows its headers. */
export function hasBody(raw: IncomingMessage): boolean {
  const { headers } = raw
  if (headers['transfer-encoding'] !== undefined) return true
  const length = headers['content-length']
  return length !== undefined && length !== '0'
}

/** Gives the declared size of a body; undefined when the request has a chunked one. */
export function declaredBodyBytes(raw: IncomingMessage): number | undefined {
  const length = raw.headers['content-length']
  return length === undefined ? undefined : Number(length)
}

/**
 * Reads a body to its end, its limit or its deadline, whichever comes first.
 *
 * @param stream Where the body comes from: the request itself, or what a hook of the application made of it.
 * @param done Is told the outcome, once.
 */
export function readBody(
  raw: IncomingMessage,
  stream: Readable,
  limits: BodyLimits,
  done: (outcome: BodyOutcome) => void,
): void {
  const chunks: Buffer[] = []
  let bytes = 0

  function settle(outcome: BodyOutcome): void {
    clearTimeout(timer)
    stream.off('data', onData).off('end', onEnd).off('error', onAbort).off('close', onAbort)
    raw.off('close', onAbort)
    // A stream that breaks later has nobody to tell; without a listener it would end the process.
    stream.on('error', ignore)
    done(outcome)
  }
  function onData(chunk: Buffer): void {
    bytes += chunk.length
    if (bytes > limits.bytesMax) settle({ kind: 'too-large' })
    else chunks.push(chunk)
  }
  function onEnd(): void {
    const [first] = chunks
    const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, bytes)
    settle({ kind: 'complete', body: whole.toString('latin1') })
  }
  function onAbort(): void {
    settle({ kind: 'aborted' })
  }

  const timer = setTimeout(() => settle({ kind: 'too-slow' }), limits.timeoutMs)
  stream.on('data', onData).on('end', onEnd).on('error', onAbort).on('close', onAbort)
  if (stream !== raw) raw.on('close', onAbort)
}

/**
 * Drains what is left of the body of a refused request, for a short time: a connection that is cut while its
 * sender still writes loses the answer. Node discards the rest once the answer is out; this bounds how long.
 */
export function drainRest(raw: IncomingMessage): void {
  if (raw.complete || raw.destroyed) return
  const timer = setTimeout(() => {
    // The request and not its socket: one that was injected has none.
    if (!raw.complete) raw.destroy()
  }, dispatchLimits.lingerMs)
  timer.unref()
  raw.once('close', () => clearTimeout(timer))
  raw.resume()
}

function ignore(): void {}
