import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorFactory, HostError } from '../base/errors.js'
import { areaLimits } from '../base/limits/server.js'

/** Text in the place of those that callers must not read: they may have texts of the database or paths of the machine. */
export const serverFailureText = 'The server failed to do this. The log line of this request tells why.'

/** Where failures are written that callers must not read; pino's loggers fit. */
export interface FailureLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** How an area puts what the server by itself has to refuse. */
export interface AreaRefusals {
  /** For `{problem}`. */
  readonly requestInvalid: ErrorFactory
  /** For a body above `{limit}` bytes. */
  readonly bodyTooLarge: ErrorFactory
  /** For a body that is not JSON by its content type, which is `{type}`. */
  readonly bodyNotJson: ErrorFactory
  /** For a `{method}` and `{path}` that there is not. */
  readonly pathUnknown: ErrorFactory
}

/** A failure as its caller may read it. */
export interface ToldFailure {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>> | undefined
}

/** How an area answers failures. */
export interface AreaOptions {
  /** Begins its lines in the log, e.g. `kv`. */
  readonly name: string
  readonly bodyBytesMax: number
  /** True where an empty body with the content type of JSON is no body, instead of one that cannot be read. */
  readonly mayBodyBeEmpty?: boolean
  readonly refusals: AreaRefusals
  /** Tells of a failure with a status of 5xx whether its text is one for callers; none is when missing. */
  isPlain?(error: HostError): boolean
  /** The text in the place of one that callers must not read; `serverFailureText` when missing. */
  substitute?(error: HostError): string
  /** The body of the answer. */
  envelope(failure: ToldFailure, request: FastifyRequest): unknown
  /** Headers of every answer beside `areaHeaders`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Headers of every answer: nothing of an area belongs into a cache, or is anything but what it says. */
const areaHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** One way to read bodies and to answer failures. */
export class Area {
  readonly #options: AreaOptions

  constructor(options: AreaOptions) {
    this.#options = options
  }

  /** Sets up an encapsulated application, before its routes are added. */
  install(app: FastifyInstance, log: FailureLog): void {
    const { bodyBytesMax, headers } = this.#options
    this.#readJson(app)
    app.addHook('onRoute', (route) => {
      route.bodyLimit = bodyBytesMax
    })
    app.addHook('onRequest', (_request, reply, done) => {
      reply.headers({ ...areaHeaders, ...headers })
      done()
    })
    app.setErrorHandler((thrown: FastifyError | HostError, request, reply) => {
      const error = thrown instanceof HostError ? thrown : this.#fromFramework(thrown, request)
      if (error.status === 500 || !this.#isTold(error)) {
        const { method, id } = request
        const fields = { request_id: id, method, path: pathOf(request), code: error.code, err: thrown }
        log.error(fields, `${this.#options.name} request failed`)
      }
      this.#send(request, reply, error)
    })
    app.setNotFoundHandler((request, reply) => {
      const { method } = request
      this.#send(request, reply, this.#options.refusals.pathUnknown({ method, path: pathOf(request) }))
    })
  }

  /** Answers a request that comes to no route, e.g. because its path is not percent-encoded UTF-8. */
  readonly refuse = (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    reply.headers({ ...areaHeaders, ...this.#options.headers })
    this.#send(request, reply, this.#fromFramework(thrown, request))
  }

  /** Gives what a caller may know of a failure. */
  tell(error: unknown): ToldFailure {
    if (!(error instanceof HostError)) {
      return { code: 'INTERNAL_ERROR', message: serverFailureText, details: undefined }
    }
    const { code, message, details } = error
    if (this.#isTold(error)) return { code, message, details }
    return { code, message: this.#options.substitute?.(error) ?? serverFailureText, details }
  }

  #isTold(error: HostError): boolean {
    return error.status < 500 || this.#options.isPlain?.(error) === true
  }

  #readJson(app: FastifyInstance): void {
    app.removeAllContentTypeParsers()
    const parse = app.getDefaultJsonParser('error', 'error')
    app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
      if (text === '' && this.#options.mayBodyBeEmpty === true) done(null, undefined)
      else parse(request, text, done)
    })
  }

  #send(request: FastifyRequest, reply: FastifyReply, error: HostError): void {
    const { status, retryAfterSeconds } = error
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
    void reply
      .code(status)
      .header('content-type', 'application/json; charset=utf-8')
      .send(JSON.stringify(this.#options.envelope(this.tell(error), request)))
  }

  #fromFramework(thrown: FastifyError, { headers }: FastifyRequest): HostError {
    const { bodyBytesMax, refusals } = this.#options
    switch (thrown.code) {
      case 'FST_ERR_CTP_BODY_TOO_LARGE':
        return refusals.bodyTooLarge({ limit: bodyBytesMax })
      case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
        return refusals.bodyNotJson({ type: headers['content-type'] ?? 'none' })
      case 'FST_ERR_CTP_EMPTY_JSON_BODY':
        return refusals.requestInvalid({
          problem: 'The body is empty although its content type is application/json.',
        })
      case 'FST_ERR_BAD_URL':
        return refusals.requestInvalid({
          problem:
            'The path is not percent-encoded UTF-8. Encode each part of it as encodeURIComponent does.',
        })
    }
    const status = thrown.statusCode ?? 500
    if (status >= 400 && status < 500) {
      return refusals.requestInvalid({ problem: `The request could not be read: ${thrown.message}` })
    }
    return new HostError('INTERNAL_ERROR', 500, serverFailureText, { cause: thrown })
  }
}

function pathOf({ url }: FastifyRequest): string {
  return (url.split('?', 1)[0] ?? '').slice(0, areaLimits.pathCharactersMax)
}
