import { policyLimits } from '../../base/limits/policies.js'
import { requestInvalid } from '../../gateway/routes/routes-failures.js'
import type { ListedPolicy } from '../../policies/listed-policy.js'
import { byPriority } from '../../policies/policy.js'

/** A part of all policies. */
export interface PolicyPage {
  readonly policies: readonly ListedPolicy[]
  /** Where the next page begins; undefined when this is the last. */
  readonly nextCursor: string | undefined
}

type Place = Pick<ListedPolicy, 'id' | 'priority'>

/**
 * Takes a page out of all policies.
 *
 * @param all In the order in which they are looked at.
 * @param limit How many it has at most.
 * @param cursor `nextCursor` of the page before; the first page when missing.
 * @throws `GATEWAY_REQUEST_INVALID` for a cursor that no page had.
 */
export function takePage(
  all: readonly ListedPolicy[],
  limit: number,
  cursor: string | undefined,
): PolicyPage {
  const after = cursor === undefined ? undefined : readCursor(cursor)
  // The policy of the cursor may be gone, or stand somewhere else now.
  const rest = after === undefined ? all : all.filter((each) => byPriority(each, after) > 0)
  const policies = rest.slice(0, limit)
  const last = policies.at(-1)
  return { policies, nextCursor: last === undefined || rest.length <= limit ? undefined : cursorTo(last) }
}

function cursorTo({ priority, id }: Place): string {
  return Buffer.from(JSON.stringify([priority, id])).toString('base64url')
}

function readCursor(text: string): Place {
  const parts = text.length <= policyLimits.cursorCharactersMax ? decode(text) : undefined
  if (Array.isArray(parts) && parts.length === 2) {
    const [priority, id] = parts as readonly unknown[]
    if (typeof priority === 'number' && typeof id === 'string') return { priority, id }
  }
  throw requestInvalid({ problem: 'cursor is not the nextCursor of a page of this list; leave it out.' })
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
