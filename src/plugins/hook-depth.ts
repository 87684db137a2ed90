import type { HostAsk } from '../sandbox/generation.js'
import type { Phase } from '../sandbox/phase.js'

const hookPhases: readonly Phase[] = ['before_hook', 'after_hook', 'read_hook']

/**
 * Tells how many hooks have led to a write that a call of a plugin asks for. Calls of hooks have a request id that
 * ends with `~` and how many hooks led to the write that they belong to.
 *
 * @returns The depth of the write, and the request id without the mark.
 */
export function hookDepthOf({ phase, requestId }: Pick<HostAsk, 'phase' | 'requestId'>): {
  readonly depth: number
  readonly requestId: string
} {
  if (!hookPhases.includes(phase)) return { depth: 0, requestId }
  const mark = /^(.*)~(\d{1,4})$/s.exec(requestId)
  return mark === null ? { depth: 1, requestId } : { depth: Number(mark[2]), requestId: mark[1] ?? '' }
}
