import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { OutboundError, outboundError } from './failures.js'

/** Where a body comes from and how large it may be. */
export interface BodySource {
  readonly host: string
  readonly chunks: AsyncIterable<Uint8Array>
  /** Value of Content-Encoding; undefined without one. */
  readonly encoding: string | undefined
  /** Bytes, before and after decoding. */
  readonly bytesMax: number
}

type Decoder = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>

const decoders: Readonly<Record<string, Decoder>> = {
  gzip: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip),
  'x-gzip': promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip),
  deflate: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate),
  br: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(brotliDecompress),
}

/**
 * Reads a body to its end, or to its limit, and decodes it. Requests ask for no compression; some servers compress
 * all the same.
 *
 * @throws OutboundError `response_too_large` or `response_unreadable`; what the connection throws.
 */
export async function readBody({ host, chunks, encoding, bytesMax }: BodySource): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > bytesMax) throw tooLarge(host, bytesMax)
    parts.push(chunk)
  }
  const bytes = joined(parts, length)
  const name = encoding?.trim().toLowerCase() ?? ''
  if (length === 0 || name === '' || name === 'identity') return bytes
  const decode = Object.hasOwn(decoders, name) ? decoders[name] : undefined
  if (decode === undefined) {
    const detail = `: its content-encoding is ${JSON.stringify(name.slice(0, 32))}`
    throw outboundError('response_unreadable', host, detail)
  }
  // A limit of 0 would be taken for none.
  if (bytesMax === 0) throw tooLarge(host, bytesMax)
  try {
    return new Uint8Array(await decode(bytes, { maxOutputLength: bytesMax }))
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(host, bytesMax)
    throw outboundError('response_unreadable', host, `: its body is not ${name}`)
  }
}

/** Makes the error of a response that is larger than it may be. */
export function tooLarge(host: string, bytesMax: number): OutboundError {
  return new OutboundError(
    'response_too_large',
    `response body too large: ${host} sent more than the limit of ${bytesMax} bytes`,
  )
}

/** Copies into memory of its own: what shares a pool would drag the pool along to other threads. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
