import assert from 'node:assert/strict'
import type { TestHost } from './create-host.js'
import type { Answer } from './http-client.js'

/** An answer of the key-value store, decoded. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes.
export type KvAnswer = any

/** Sends a request to the key-value store of a host as an admin. */
export function kvSend(
  host: TestHost,
  method: string,
  path: string,
  options: {
    readonly json?: unknown
    readonly body?: string
    readonly headers?: Readonly<Record<string, string>>
  } = {},
): Promise<Answer> {
  const { json, body, headers = {} } = options
  return host.send(method, `/keyval/api${path}`, {
    headers: { ...host.credentials, ...headers },
    ...(json !== undefined && { json }),
    ...(body !== undefined && { body }),
  })
}

/** Sends such a request and gives its decoded answer, having asserted that it is 200. */
export async function kvCall(
  host: TestHost,
  method: string,
  path: string,
  json?: unknown,
): Promise<KvAnswer> {
  const answer = await kvSend(host, method, path, json === undefined ? {} : { json })
  assert.equal(answer.status, 200, `${method} ${path}: ${answer.text}`)
  return answer.json<KvAnswer>()
}

/** Sends such a request and asserts the refusal: its status, its code and words of its text. */
export async function kvRefused(
  host: TestHost,
  method: string,
  path: string,
  expected: { readonly status: number; readonly code: string; readonly text?: RegExp },
  options: Parameters<typeof kvSend>[3] = {},
): Promise<void> {
  const answer = await kvSend(host, method, path, options)
  const what = `${method} ${path}: ${answer.text}`
  assert.equal(answer.status, expected.status, what)
  const body = answer.json()
  assert.deepEqual(Object.keys(body), ['error', 'code'], what)
  assert.equal(body.code, expected.code, what)
  if (expected.text !== undefined) assert.match(String(body.error), expected.text)
  assert.match(String(answer.headers['content-type']), /^application\/json/)
  assert.equal(answer.headers['cache-control'], 'no-store')
}
