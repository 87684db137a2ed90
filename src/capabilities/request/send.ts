import { vmLimits } from '../../base/limits/sandbox.js'
import { isOutboundMethod, outboundMethods } from '../../outbound/outbound-sender.js'
import { readOutboundUrl } from '../../outbound/outbound-url.js'
import { isBlockedRequestHeader } from '../../outbound/request-headers.js'
import { parseJson } from '../../sandbox/json-parser.js'
import { DecodedJson, type LuaObject, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { Call } from '../define.js'
import { readSendOptions } from './send-options.js'
import { requestTopic, type WireAnswer, type WireRequest } from './wire.js'

/** What a request is sent with, as Lua gave it. */
export interface SendArguments {
  readonly method: LuaValue
  readonly url: LuaValue
  readonly options: LuaValue
}

/**
 * Asks the host to send a request and makes a table of its answer.
 *
 * @param name Of the Lua function, for messages.
 * @throws LuaRaise at once for misuse; whatever else goes wrong is the `error` of the result.
 */
export function sendRequest(call: Call, name: string, given: SendArguments): Promise<LuaValue> {
  const method = typeof given.method === 'string' ? given.method.toUpperCase() : ''
  if (!isOutboundMethod(method)) {
    const shown = JSON.stringify(method.slice(0, 32))
    throw new LuaRaise(`${name}: invalid HTTP method ${shown}: use ${outboundMethods.join(', ')}`)
  }
  const read = readOutboundUrl(typeof given.url === 'string' ? given.url : '')
  if (!read.ok) throw new LuaRaise(`${name}: invalid URL: ${read.reason}`)
  const { parseJson: isParsing, body, ...options } = readSendOptions(name, given.options)
  reportBlocked(call, options.headers)
  const bodyBytes = body?.length ?? 0
  const fits = bodyBytes <= (call.limits.extra.outboundBodyBytesMax ?? vmLimits.marshalBytesMax)
  const request: WireRequest = {
    ...options,
    method,
    target: read.target,
    body: fits ? body : undefined,
    bodyBytes,
  }
  return call.ask(requestTopic, request).then((answer) => resultOf(answer as WireAnswer, isParsing))
}

function reportBlocked(call: Call, headers: readonly string[]): void {
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? ''
    if (isBlockedRequestHeader(name)) call.report('blocked_request_header', { name: name.slice(0, 64) })
  }
}

function resultOf(answer: WireAnswer, isParsing: boolean): LuaObject {
  const result: LuaObject = Object.create(null)
  if ('error' in answer) {
    result.error = answer.error
    return result
  }
  const headers: LuaObject = Object.create(null)
  for (let at = 0; at < answer.headers.length; at += 2) {
    headers[answer.headers[at] ?? ''] = answer.headers[at + 1]
  }
  result.status = answer.status
  result.headers = headers
  result.body = answer.body
  if (isParsing) result.json = decoded(headers['content-type'], answer.body)
  return result
}

/** Decodes a body that says it is JSON; undefined when it is not, is `null`, or has more than may cross. */
function decoded(type: LuaValue, body: Uint8Array): LuaValue {
  if (typeof type !== 'string' || !type.trimStart().toLowerCase().startsWith('application/json'))
    return undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    const value = parseJson(text)
    return value === null || !canCross(value) ? undefined : new DecodedJson(value)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof LuaRaise)
      return undefined
    throw error
  }
}

/** What else a result has: its own fields and the headers, which their bytes limit. */
const otherNodesMax = 20_000

/** A result table must never fail on its way into Lua because of what another server has sent. */
function canCross(value: LuaValue): boolean {
  let nodesLeft = vmLimits.marshalNodesMax - otherNodesMax
  // The result itself is the first level.
  const fits = (each: LuaValue, levelsLeft: number): boolean => {
    nodesLeft -= 1
    if (typeof each !== 'object' || each === null) return nodesLeft >= 0
    return nodesLeft >= 0 && levelsLeft > 0 && Object.values(each).every((item) => fits(item, levelsLeft - 1))
  }
  return fits(value, vmLimits.marshalDepthMax - 1)
}
