import type { KvSubscription } from './types.js'

/**
 * Starts work that goes on until it is stopped.
 *
 * @param run Ends soon after its signal, or rejects with what it cannot go on after.
 * @param onError Told of what it cannot go on after, too. Without it such an error is reported as all rejections are
 *   that nobody looks at.
 */
export function subscribe(
  run: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal | undefined,
  onError: ((error: Error) => void) | undefined,
): KvSubscription {
  const stopping = new AbortController()
  const unlink = follow(signal, stopping)
  const closed = run(stopping.signal).finally(unlink)
  if (onError !== undefined) closed.catch(onError)
  const stop = () => {
    stopping.abort()
    return closed
  }
  return { stop, closed, [Symbol.dispose]: () => void stop() }
}

/** Lets a controller abort with a signal; the function that comes back ends that. */
export function follow(signal: AbortSignal | undefined, controller: AbortController): () => void {
  const abort = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  return () => signal?.removeEventListener('abort', abort)
}
