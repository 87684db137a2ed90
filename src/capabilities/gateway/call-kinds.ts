import { looseReading } from '../../gateway/request-path.js'
import type { CallKind, CallSite } from '../../sandbox/call-kind.js'
import { LuaRaise } from '../../sandbox/lua-value.js'
import type { Pointer } from '../../sandbox/lua-wasm.js'
import { pushHeaders, pushRequestHead, setBytes, setText } from '../http/request-writer.js'
import type { WireRequest } from '../http/wire.js'
import { withoutSecrets } from '../secrets/results-check.js'
import { keyRegistration, stageRegistration } from './stage-rules.js'
import { readKey, readRequestVerdict, readResponseVerdict } from './verdict-reader.js'
import {
  decodeStageCall,
  encodeRequestVerdict,
  encodeResponseVerdict,
  type SeenAnswer,
  stageCallKinds,
} from './wire.js'

/** Calls a stage for requests; the payload is the text of `encodeStageCall`. */
const requestStageKind: CallKind = {
  name: stageCallKinds.request,
  enter(site, state, { payload }) {
    const { request } = decodeStageCall(payload)
    pushHandler(site, state, stageRegistration, request.routeKey)
    pushSeenRequest(site, state, request)
    return 2
  },
  leave(site, state, first) {
    const verdict = readRequestVerdict(site, state, first)
    const results = encodeRequestVerdict(verdict)
    // A changed request goes on to servers that may have to see a secret.
    return verdict.kind === 'answer' ? withoutSecrets(site, results) : results
  },
}

/** Calls a stage for answers; the body of the call is that of the answer. */
const responseStageKind: CallKind = {
  name: stageCallKinds.response,
  enter(site, state, { payload, body }) {
    const { request, answer } = decodeStageCall(payload)
    if (answer === undefined) throw new LuaRaise('a stage for answers was called without an answer')
    pushHandler(site, state, stageRegistration, request.routeKey)
    pushSeenRequest(site, state, request)
    pushSeenAnswer(site, state, answer, body)
    return 3
  },
  leave: (site, state, first) =>
    withoutSecrets(site, encodeResponseVerdict(readResponseVerdict(site, state, first))),
}

/** Calls a function for keys. */
const keyKind: CallKind = {
  name: stageCallKinds.key,
  enter(site, state, { payload }) {
    const { request } = decodeStageCall(payload)
    pushHandler(site, state, keyRegistration, request.routeKey)
    pushSeenRequest(site, state, request)
    return 2
  },
  leave: (site, state, first) => [readKey(site, state, first)],
}

/** The kinds of calls that the gateway makes. */
export const stageKinds: readonly CallKind[] = [requestStageKind, responseStageKind, keyKind]

function pushHandler(site: CallSite, state: Pointer, kind: string, name: string): void {
  const handler = site.handlerOf(kind, name)
  if (handler === undefined) throw new LuaRaise(`this VM has no stage ${name}: init.lua registered others`)
  site.lua.pushRef(state, handler)
}

function pushSeenRequest(site: CallSite, state: Pointer, request: WireRequest): void {
  pushRequestHead(site, state, request)
  setText(site, state, 'loose_path', looseReading(request.path))
  setText(site, state, 'raw_query', request.query)
  // A table holds one value of each name: what is sent several times shows here alone.
  const { rawHeaders } = request
  setNumber(site, state, 'header_count', rawHeaders.length / 2)
  setNumber(
    site,
    state,
    'header_bytes',
    rawHeaders.reduce((bytes, { length }) => bytes + length, 0),
  )
}

function setNumber({ lua }: CallSite, state: Pointer, key: string, value: number): void {
  lua.pushText(state, key)
  lua.pushNumber(state, value)
  lua.raw.lua_rawset(state, -3)
}

function pushSeenAnswer(site: CallSite, state: Pointer, answer: SeenAnswer, body: string): void {
  const { lua } = site
  lua.raw.lua_createtable(state, 0, 3)
  lua.pushText(state, 'status')
  lua.pushNumber(state, answer.status)
  lua.raw.lua_rawset(state, -3)
  pushHeaders(site, state, answer.headers)
  if (answer.hasBody) setBytes(site, state, 'body', body)
}
