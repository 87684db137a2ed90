import type { IncomingMessage } from 'node:http'
import type { HostError } from '../base/errors.js'
import { hostRepeated, methodNotAllowed, targetAmbiguous } from './errors.js'
import { isAmbiguousTarget } from './request-path.js'

/** Methods by which a client makes a server show its request, or talk to others. */
const refusedMethods: ReadonlySet<string> = new Set(['TRACE', 'TRACK', 'CONNECT'])

/**
 * Says why a request is refused before any stage sees it; undefined when it may come in. What is refused here is what
 * two readers could understand in two ways, so that no rule could be trusted behind it.
 */
export function refusalAtDoor({ method = '', url = '', rawHeaders }: IncomingMessage): HostError | undefined {
  if (refusedMethods.has(method)) return methodNotAllowed({ method })
  if (isAmbiguousTarget(url)) return targetAmbiguous()
  return countHosts(rawHeaders) > 1 ? hostRepeated() : undefined
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}
