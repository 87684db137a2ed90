import { isUtf8 } from 'node:buffer'
import { stageLimits } from '../../base/limits/gateway.js'
import type { ResponseVerdict, SeenAnswer } from '../../capabilities/gateway/wire.js'
import { isBlockedResponseHeader } from '../../capabilities/http/header-rules.js'
import { bodiless } from '../../capabilities/http/response-reader.js'
import type { OutgoingAnswer } from '../../gateway/outgoing-answer.js'
import { failureAnswer } from '../../gateway/pipeline.js'
import { stageUnavailable } from './errors.js'

/** Headers that speak of the body as it was. */
const bodyHeaders = ['accept-ranges', 'content-encoding', 'content-range', 'etag', 'last-modified'] as const

/** Cookies are for the client that they are sent to. */
const unseenHeaders: readonly string[] = ['set-cookie', 'set-cookie2']

/** Gives what a stage sees of an answer; the body is text a character a byte, empty where it is not shown. */
export function seenAnswer(answer: OutgoingAnswer): { readonly answer: SeenAnswer; readonly body: string } {
  const body = visibleBody(answer)
  const headers = answer.headers().filter(([name]) => !unseenHeaders.includes(name))
  return {
    answer: { status: answer.status, headers: headers.flat(), hasBody: body !== undefined },
    body: body ?? '',
  }
}

function visibleBody(answer: OutgoingAnswer): string | undefined {
  const { body } = answer
  if (body === undefined || body.length > stageLimits.bodyBytesMax) return undefined
  if (answer.header('content-encoding') !== undefined) return undefined
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (bytes.length > stageLimits.bodyBytesMax || !isUtf8(bytes)) return undefined
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/**
 * Does what a stage wants with an answer.
 *
 * @throws Error for a body where the status has none; nothing is changed then.
 */
export function changeAnswer(answer: OutgoingAnswer, { status, headers, body }: ResponseVerdict): void {
  const next = status ?? answer.status
  const isEmpty = body === undefined || body.length === 0
  if (bodiless.includes(next) && !isEmpty) throw new Error(`an answer with status ${next} cannot have a body`)
  if (status !== undefined) answer.status = status
  for (const name of headers.remove) answer.removeHeader(name)
  if (bodiless.includes(next) ? status !== undefined : body !== undefined) {
    for (const name of bodyHeaders) answer.removeHeader(name)
    answer.replaceBody(typeof body === 'object' ? Buffer.from(body) : (body ?? ''))
    if (isEmpty) answer.removeHeader('content-type')
    else if (answer.header('content-type') === undefined) {
      answer.setHeader('content-type', 'text/plain; charset=utf-8')
    }
  }
  for (let at = 0; at + 1 < headers.set.length; at += 2) {
    answer.setHeader(headers.set[at] ?? '', headers.set[at + 1] ?? '')
  }
}

/** Replaces an answer of which nothing may be sent. */
export function withholdAnswer(answer: OutgoingAnswer, stage: string): void {
  const { status, headers, body } = failureAnswer(stageUnavailable({ stage }))
  for (const [name] of answer.headers()) {
    if (!isBlockedResponseHeader(name) || unseenHeaders.includes(name)) answer.removeHeader(name)
  }
  answer.status = status
  answer.replaceBody(body)
  for (let at = 0; at + 1 < headers.length; at += 2)
    answer.setHeader(headers[at] ?? '', headers[at + 1] ?? '')
}
