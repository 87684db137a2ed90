import type { IncomingMessage } from 'node:http'
import type { HostError } from '../base/errors.js'
import {
  framingUnknown,
  hostNotServed,
  hostRepeated,
  methodNotAllowed,
  targetAmbiguous,
  versionUnknown,
} from './errors.js'
import type { HostList } from './host-list.js'
import { isAmbiguousTarget } from './request-path.js'

/** Characters of a refused host that its answer shows. */
const shownCharacters = 100

/** Connections on which a body ended nobody knows where: what follows may be a part of it, and is no request. */
const unclearKey = Symbol('unclear')

type WithUnclear = { [unclearKey]?: true }

const versions: ReadonlySet<string> = new Set(['1.0', '1.1'])

/** Methods by which a client makes a server show its request, or talk to others. */
const refusedMethods: ReadonlySet<string> = new Set(['TRACE', 'TRACK', 'CONNECT'])

/**
 * Says why a request is refused before any stage sees it; undefined when it may come in. What is refused here is what
 * two readers could understand in two ways, so that no rule could be trusted behind it.
 *
 * @param isServed Says which hosts are served.
 */
export function refusalAtDoor(request: IncomingMessage, isServed: HostList): HostError | undefined {
  const { method = '', url = '', rawHeaders, headers, httpVersion } = request
  // Applications that embed the host may speak HTTP/2, where a request has a stream of its own.
  if (!versions.has(httpVersion) && !('stream' in request)) return versionUnknown({ version: httpVersion })
  const coding = headers['transfer-encoding']
  const isUnclear = coding !== undefined && !isPlainChunked(coding, httpVersion)
  const socket = request.socket as typeof request.socket & WithUnclear
  if (isUnclear) socket[unclearKey] = true
  if (socket[unclearKey]) return framingUnknown()
  if (refusedMethods.has(method)) return methodNotAllowed({ method })
  if (isAmbiguousTarget(url)) return targetAmbiguous()
  const host = headers.host ?? (headers[':authority'] as string | undefined)
  if (countHosts(rawHeaders) > 1) return hostRepeated()
  return isServed(host) ? undefined : hostNotServed({ host: shown(host) })
}

function shown(host: string | undefined): string {
  return host === undefined
    ? 'that the request does not name'
    : JSON.stringify(host.slice(0, shownCharacters))
}

/** A coding that is not undone would be passed on without its name; with HTTP/1.0 nobody agrees on where a body ends. */
function isPlainChunked(coding: string, version: string): boolean {
  return version === '1.1' && coding.trim().toLowerCase() === 'chunked'
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}
