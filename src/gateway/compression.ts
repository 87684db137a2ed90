import compress from '@fastify/compress'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

export interface CompressionOptions {
  readonly enabled: boolean
  /** Bytes below which an answer is sent as it is; 1024 when missing. */
  readonly thresholdBytes?: number
  /** The best first; `br` and `gzip` when missing. */
  readonly encodings?: readonly ('br' | 'gzip' | 'deflate')[]
}

/** What gets smaller, and is not read piece by piece as it comes. */
const compressible =
  /^(?:text\/(?!event-stream)|application\/(?:[\w.-]+\+)?(?:json|xml)\b|application\/(?:javascript|wasm|xhtml\+xml|x-ndjson)\b|image\/svg\+xml)/i

/** By this header of a request, the package leaves its answer alone. */
const untouched = 'x-no-compression'

/**
 * Compresses answers of routes as their clients ask for. To be called behind the installation of the pipeline, so that
 * its stages see answers as they were made, and before the routes are added. Answers of other servers pass as they
 * come: these know the wishes of the client.
 */
export async function addCompression(app: FastifyInstance, options: CompressionOptions): Promise<void> {
  if (!options.enabled) return
  const threshold = options.thresholdBytes ?? 1024
  app.addHook('onSend', (request, reply, payload, done) => {
    prepare(request, reply, payload, threshold)
    done(null, payload)
  })
  await app.register(compress, {
    globalDecompression: false,
    threshold,
    encodings: [...(options.encodings ?? (['br', 'gzip'] as const))],
    customTypes: (type: string) => compressible.test(type),
  })
  // Comes behind the hook that the package adds in the same way.
  app.addHook('onRoute', (route) => {
    const before =
      route.onSend === undefined ? [] : Array.isArray(route.onSend) ? route.onSend : [route.onSend]
    route.onSend = [
      ...before,
      (request, reply, payload, done) => {
        correct(request, reply, payload, threshold)
        done(null, payload)
      },
    ]
  })
}

function prepare(request: FastifyRequest, reply: FastifyReply, payload: unknown, threshold: number): void {
  if (!isCompressible(reply, payload, threshold)) {
    request.headers[untouched] = '1'
    return
  }
  // Also said of the answer that is sent as it is: a cache on the way must not give it to everybody.
  addVary(reply)
  if (request.method === 'HEAD') request.headers[untouched] = '1'
}

function isCompressible(reply: FastifyReply, payload: unknown, threshold: number): boolean {
  if (isBelow(payload, threshold)) return false
  if (reply.statusCode === 206 || reply.hasHeader('content-encoding')) return false
  if (!compressible.test(String(reply.getHeader('content-type') ?? ''))) return false
  if (/\bno-transform\b/i.test(String(reply.getHeader('cache-control') ?? ''))) return false
  return sizeOf(reply, payload) >= threshold
}

/** Tells of most small answers what they are without looking at anything else. */
function isBelow(payload: unknown, threshold: number): boolean {
  return typeof payload === 'string' && payload.length * bytesPerUnitMax < threshold
}

/** Of UTF-8, for one of the units by which texts are counted. */
const bytesPerUnitMax = 3

/** The length of what is sent, infinite when nobody knows it. */
function sizeOf(reply: FastifyReply, payload: unknown): number {
  if (typeof payload === 'string' || payload instanceof Uint8Array) return Buffer.byteLength(payload)
  const told = reply.getHeader('content-length')
  return told === undefined ? Number.POSITIVE_INFINITY : Number(told)
}

function addVary(reply: FastifyReply): void {
  const names = reply.getHeader('vary')
  if (names === undefined) reply.header('vary', 'accept-encoding')
  else if (!/(?:^|,)\s*(?:accept-encoding|\*)\s*(?:,|$)/i.test(String(names))) {
    reply.header('vary', `${String(names)}, accept-encoding`)
  }
}

/** Corrects what the head says once it is known what is sent. */
function correct(request: FastifyRequest, reply: FastifyReply, payload: unknown, threshold: number): void {
  if (request.method === 'HEAD') {
    // The length that GET would have is not known without compressing.
    const isAsked = request.headers['accept-encoding'] !== undefined
    if (isAsked && isCompressible(reply, payload, threshold)) reply.removeHeader('content-length')
  } else if (request.headers[untouched] === undefined && reply.hasHeader('content-encoding')) {
    // A strong tag names the bytes, which are others now.
    const tag = reply.getHeader('etag')
    if (typeof tag === 'string' && tag.startsWith('"')) reply.header('etag', `W/${tag}`)
  }
}
