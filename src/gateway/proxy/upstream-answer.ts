import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { proxyLimits } from '../../base/limits/gateway.js'
import type { CredentialFilter } from '../../identity/credentials.js'
import { endToEndHeaders, type Headers } from './forwarded-headers.js'

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Gives the headers of an answer that may be passed to a client; undefined when the answer cannot be passed on: its
 * status is none, or it has too many headers, or bytes that no header has.
 */
export function answerHeaders(
  status: number,
  headers: IncomingHttpHeaders,
  credentials: CredentialFilter,
): Headers | undefined {
  return status < 200 || status > 599 ? undefined : passable(headers, credentials)
}

/** Gives the headers of an answer that opens a WebSocket; undefined when it opens none, or cannot be passed on. */
export function openingHeaders(
  { statusCode, headers }: IncomingMessage,
  credentials: CredentialFilter,
): Headers | undefined {
  const opens = statusCode === 101 && headers.upgrade?.trim().toLowerCase() === 'websocket'
  return opens ? passable(headers, credentials) : undefined
}

function passable(headers: IncomingHttpHeaders, credentials: CredentialFilter): Headers | undefined {
  let count = 0
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined) continue
    count += typeof value === 'string' ? 1 : value.length
    if (!token.test(name) || !isSendable(value)) return undefined
  }
  if (count > proxyLimits.answerHeadersMax) return undefined
  const kept = endToEndHeaders(headers)
  // Requests are numbered here.
  if (kept['x-request-id'] === undefined && kept['set-cookie'] === undefined) return kept
  const { 'x-request-id': _, 'set-cookie': cookies, ...rest } = kept
  const others = [cookies ?? []].flat().filter((cookie) => !credentials.setsHostCookie(cookie))
  return others.length === 0 ? rest : { ...rest, 'set-cookie': others }
}

function isSendable(value: string | readonly string[]): boolean {
  return typeof value === 'string' ? fieldValue.test(value) : value.every((each) => fieldValue.test(each))
}
