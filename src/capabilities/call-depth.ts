import type { Phase } from '../sandbox/phase.js'

const hookPhases: readonly Phase[] = ['before_hook', 'after_hook', 'read_hook']

/**
 * Tells how many hooks and functions for changes have led to a write that a call of a plugin makes, so that those which
 * set off each other come to an end. The host calls them with a request id that ends with `~` and that number; in other
 * calls the request id is what a client wrote.
 *
 * @returns The depth of the write, and the request id without the mark.
 */
export function callDepthOf({ phase, requestId }: { readonly phase: Phase; readonly requestId: string }): {
  readonly depth: number
  readonly requestId: string
} {
  const isHook = hookPhases.includes(phase)
  if (!isHook && phase !== 'message') return { depth: 0, requestId }
  const mark = /^(.*)~(\d{1,4})$/s.exec(requestId)
  if (mark === null) return { depth: isHook ? 1 : 0, requestId }
  return { depth: Number(mark[2]), requestId: mark[1] ?? '' }
}
