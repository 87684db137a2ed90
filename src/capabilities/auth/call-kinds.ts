import type { CallKind, CallSite } from '../../sandbox/call-kind.js'
import { DecodedJson, LuaRaise } from '../../sandbox/lua-value.js'
import type { Pointer } from '../../sandbox/lua-wasm.js'
import { pushRequestHead, setText } from '../http/request-writer.js'
import type { AuthKind } from './auth-rules.js'
import { readAuthOutcome, readDecision, readTruth } from './outcome-reader.js'
import { type AuthenticateCall, type AuthorizeCall, authCallKinds, type PredicateCall } from './wire.js'

/** Calls an authenticator; the payload is JSON of an `AuthenticateCall`. */
const authenticateKind: CallKind = {
  name: authCallKinds.authenticate,
  enter(site, state, { payload }) {
    const { name, bearer, ...request } = JSON.parse(payload) as AuthenticateCall
    pushHandler(site, state, 'authenticator', name)
    pushRequestHead(site, state, { ...request, routeKey: name, params: {}, user: undefined })
    if (bearer !== undefined) setText(site, state, 'bearer', bearer)
    return 2
  },
  leave: (site, state, first) => [JSON.stringify(readAuthOutcome(site.reader.read(state, first)))],
}

/** Calls an authorizer; the payload is JSON of an `AuthorizeCall`. */
const authorizeKind: CallKind = {
  name: authCallKinds.authorize,
  enter(site, state, { payload }) {
    const { name, identity, access } = JSON.parse(payload) as AuthorizeCall
    pushHandler(site, state, 'authorizer', name)
    site.writer.push(state, new DecodedJson(identity as never))
    site.writer.push(state, new DecodedJson(access as never))
    return 3
  },
  leave: (site, state, first) => [JSON.stringify(readDecision(site.reader.read(state, first)))],
}

/** Calls a predicate; the payload is JSON of a `PredicateCall`. */
const predicateKind: CallKind = {
  name: authCallKinds.predicate,
  enter(site, state, { payload }) {
    const { name, context } = JSON.parse(payload) as PredicateCall
    pushHandler(site, state, 'policy', name)
    site.writer.push(state, new DecodedJson(context as never))
    return 2
  },
  leave: (site, state, first) => [readTruth(site.reader.read(state, first))],
}

/** The kinds of calls that find out who somebody is, and what they may do. */
export const authCalls: readonly CallKind[] = [authenticateKind, authorizeKind, predicateKind]

function pushHandler(site: CallSite, state: Pointer, kind: AuthKind, name: string): void {
  const handler = site.handlerOf(kind, name)
  if (handler === undefined) throw new LuaRaise(`this VM has no ${kind} ${name}: init.lua registered others`)
  site.lua.pushRef(state, handler)
}
