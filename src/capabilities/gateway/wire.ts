import { decodeRequest, encodeRequest, type WireRequest, type WireResponse } from '../http/wire.js'

/** Names of the call kinds: a stage for requests, a stage for answers, a function for keys. */
export const stageCallKinds = {
  request: 'stage_request',
  response: 'stage_response',
  key: 'stage_key',
} as const

/** An answer as a stage gets to see it; its body travels beside it. */
export interface SeenAnswer {
  readonly status: number
  /** Name and value in turns, names in lower case. */
  readonly headers: readonly string[]
  /** False when the body is a stream, no text or too large. */
  readonly hasBody: boolean
}

/** What a stage is called with; `routeKey` of the request is the name of the registration. */
export interface StageCall {
  readonly request: WireRequest
  /** Only for stages that look at answers. */
  readonly answer?: SeenAnswer
}

const separator = '\n'

/** Makes the flat text of a call: JSON of the answer has no line feeds, so the first one ends it. */
export function encodeStageCall({ request, answer }: StageCall): string {
  const first = answer === undefined ? '' : JSON.stringify([answer.status, answer.hasBody, ...answer.headers])
  return `${first}${separator}${encodeRequest(request)}`
}

/** Reads what `encodeStageCall` made. */
export function decodeStageCall(text: string): StageCall {
  const end = text.indexOf(separator)
  const request = decodeRequest(text.slice(end + 1))
  if (end === 0) return { request }
  const [status, hasBody, ...headers] = JSON.parse(text.slice(0, end)) as [number, boolean, ...string[]]
  return { request, answer: { status, hasBody, headers } }
}

/** Headers that are set and removed; names as the plugin wrote them. */
export interface HeaderChanges {
  /** Name and value in turns. */
  readonly set: readonly string[]
  readonly remove: readonly string[]
}

/** What a stage wants to be done with a request. */
export type RequestVerdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'answer'; readonly answer: WireResponse }
  | { readonly kind: 'change'; readonly headers: HeaderChanges; readonly target: string | undefined }

/** What a stage wants to be done with an answer. */
export interface ResponseVerdict {
  /** Undefined leaves the status as it is. */
  readonly status: number | undefined
  readonly headers: HeaderChanges
  /** Undefined leaves the body as it is. */
  readonly body: string | Uint8Array | undefined
}

export function encodeRequestVerdict(verdict: RequestVerdict): unknown[] {
  if (verdict.kind === 'pass') return []
  if (verdict.kind === 'answer') {
    const { status, headers, body } = verdict.answer
    return [status, headers.join(separator), '', body]
  }
  const { headers, target } = verdict
  return [0, headers.set.join(separator), headers.remove.join(separator), target]
}

export function decodeRequestVerdict(result: readonly unknown[]): RequestVerdict {
  if (result.length === 0) return { kind: 'pass' }
  const [status, set, remove, last] = result as [number, string, string, string | Uint8Array | undefined]
  if (status !== 0) {
    return { kind: 'answer', answer: { status, headers: split(set), body: last ?? '' } }
  }
  return {
    kind: 'change',
    headers: { set: split(set), remove: split(remove) },
    target: last as string | undefined,
  }
}

/** @param verdict Undefined when the answer stays as it is. */
export function encodeResponseVerdict(verdict: ResponseVerdict | undefined): unknown[] {
  if (verdict === undefined) return []
  const { status, headers, body } = verdict
  return [status, headers.set.join(separator), headers.remove.join(separator), body]
}

/** Gives undefined when the answer stays as it is. */
export function decodeResponseVerdict(result: readonly unknown[]): ResponseVerdict | undefined {
  if (result.length === 0) return undefined
  const [status, set, remove, body] = result as [
    number | undefined,
    string,
    string,
    string | Uint8Array | undefined,
  ]
  return { status, headers: { set: split(set), remove: split(remove) }, body }
}

function split(text: string): readonly string[] {
  return text === '' ? [] : text.split(separator)
}
