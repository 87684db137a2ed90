import type { IncomingMessage } from 'node:http'
import type { HostError } from '../base/errors.js'
import { hostNotServed, hostRepeated, methodNotAllowed, targetAmbiguous } from './errors.js'
import type { HostList } from './host-list.js'
import { isAmbiguousTarget } from './request-path.js'

/** Characters of a refused host that its answer shows. */
const shownCharacters = 100

/** Methods by which a client makes a server show its request, or talk to others. */
const refusedMethods: ReadonlySet<string> = new Set(['TRACE', 'TRACK', 'CONNECT'])

/**
 * Says why a request is refused before any stage sees it; undefined when it may come in. What is refused here is what
 * two readers could understand in two ways, so that no rule could be trusted behind it.
 *
 * @param isServed Says which hosts are served.
 */
export function refusalAtDoor(request: IncomingMessage, isServed: HostList): HostError | undefined {
  const { method = '', url = '', rawHeaders, headers } = request
  if (refusedMethods.has(method)) return methodNotAllowed({ method })
  if (isAmbiguousTarget(url)) return targetAmbiguous()
  if (countHosts(rawHeaders) > 1) return hostRepeated()
  return isServed(headers.host) ? undefined : hostNotServed({ host: shown(headers.host) })
}

function shown(host: string | undefined): string {
  return host === undefined
    ? 'that the request does not name'
    : JSON.stringify(host.slice(0, shownCharacters))
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}
