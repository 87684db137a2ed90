import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { OutboundFailure } from '../../src/outbound/failures.js'
import { OutboundClient, type OutboundClientOptions } from '../../src/outbound/outbound-client.js'
import type { OutboundRequest, OutboundResponse } from '../../src/outbound/outbound-sender.js'
import { readOutboundUrl } from '../../src/outbound/outbound-url.js'
import { RequestHeaders } from '../../src/outbound/request-headers.js'

/** Bytes of a response that the clients of tests take. */
export const bodyMax = 10_000

/** A client that may reach this machine and looks up nothing; closed with the test. */
export function createClient(
  test: TestContext,
  options: Partial<OutboundClientOptions> = {},
): OutboundClient {
  const client = new OutboundClient({
    allowLocal: true,
    responseBytesMax: bodyMax,
    resolve: async () => assert.fail('nothing is to be looked up'),
    ...options,
  })
  test.after(() => client.close())
  return client
}

/** A request of the plugin `p`. */
export function requestTo(
  url: string,
  more: Partial<OutboundRequest> & { readonly given?: Readonly<Record<string, string>> } = {},
): OutboundRequest {
  const read = readOutboundUrl(url)
  assert.ok(read.ok, url)
  const composed = RequestHeaders.compose({
    given: Object.entries(more.given ?? {}),
    defaults: {},
    forced: {},
  })
  assert.ok(composed.ok)
  const { target } = read
  const { headers } = composed
  return { plugin: 'p', method: 'GET', target, headers, body: undefined, timeoutMs: 10_000, ...more }
}

/** Sends a request that must succeed. */
export async function succeed(client: OutboundClient, request: OutboundRequest): Promise<OutboundResponse> {
  const result = await client.send(request)
  assert.ok(result.ok, result.ok ? '' : result.failure.message)
  return result.response
}

/** Sends a request that must fail. */
export async function fail(client: OutboundClient, request: OutboundRequest): Promise<OutboundFailure> {
  const result = await client.send(request)
  assert.ok(!result.ok, 'the request succeeded')
  return result.failure
}

/** The body of a response as text. */
export const textOf = (response: OutboundResponse) => Buffer.from(response.body).toString()
