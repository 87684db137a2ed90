import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { OutboundError, outboundError } from './failures.js'

/** A body as it came, and how large it may be. */
export interface EncodedBody {
  readonly host: string
  readonly bytes: Uint8Array
  /** Value of Content-Encoding; undefined without one. */
  readonly encoding: string | undefined
  /** Bytes after decoding. */
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
 * Decodes a body up to its limit. Requests ask for no compression; some servers compress all the same.
 *
 * @throws OutboundError `response_too_large` or `response_unreadable`.
 */
export async function decodeBody({ host, bytes, encoding, bytesMax }: EncodedBody): Promise<Uint8Array> {
  const name = encoding?.trim().toLowerCase() ?? ''
  if (bytes.length === 0 || name === '' || name === 'identity') return bytes
  const decode = Object.hasOwn(decoders, name) ? decoders[name] : undefined
  if (decode === undefined) {
    const detail = `: its content-encoding is ${JSON.stringify(name.slice(0, 32))}`
    throw outboundError('response_unreadable', host, detail)
  }
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
