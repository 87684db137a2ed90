import type { OutboundFailure } from './failures.js'
import type { OutboundTarget } from './outbound-url.js'
import type { RequestHeaders } from './request-headers.js'

/** Methods that a request can have. */
export const outboundMethods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'] as const

export type OutboundMethod = (typeof outboundMethods)[number]

/** Tells whether a text, in upper case, is a method that a request can have. */
export function isOutboundMethod(method: string): method is OutboundMethod {
  return (outboundMethods as readonly string[]).includes(method)
}

/** One request to another server. */
export interface OutboundRequest {
  /** On whose behalf it is sent; counts for the limit on requests at once. */
  readonly plugin: string
  readonly method: OutboundMethod
  readonly target: OutboundTarget
  readonly headers: RequestHeaders
  /** Undefined sends none. */
  readonly body: Uint8Array | undefined
  /** Time for all of it: DNS, connecting, sending, the last byte of the answer. */
  readonly timeoutMs: number
}

/** What the other server answered, redirects included. */
export interface OutboundResponse {
  readonly status: number
  /** The first value of each header by its name in lower case; without a prototype. */
  readonly headers: Readonly<Record<string, string>>
  /** Decoded when it was compressed. */
  readonly body: Uint8Array
}

/** How a request ended. */
export type OutboundResult =
  | { readonly ok: true; readonly response: OutboundResponse }
  | { readonly ok: false; readonly failure: OutboundFailure }

/** Sends requests; never rejects. */
export interface OutboundSender {
  send(request: OutboundRequest): Promise<OutboundResult>
}
