import type { CallKind } from '../../sandbox/call-kind.js'
import { LuaRaise } from '../../sandbox/lua-value.js'
import { withoutSecrets } from '../secrets/results-check.js'
import { pushRequest } from './request-writer.js'
import { readResponse } from './response-reader.js'
import { middlewareKind, routeKind } from './route-rules.js'
import { decodeRequest, encodeResponse } from './wire.js'

/** Calls a registered route with its middleware; the payload is the text of `encodeRequest`. */
export const httpKind: CallKind = {
  name: 'http',
  enter(site, state, input) {
    const request = decodeRequest(input.payload)
    const handler = site.handlerOf(routeKind, request.routeKey)
    if (handler === undefined)
      throw new LuaRaise(`this VM has no route ${request.routeKey}: init.lua registered others`)
    const middleware = site.handlersOf(middlewareKind)
    if (middleware.length === 0) {
      site.lua.pushRef(state, handler)
      pushRequest(site, state, request, input.body)
      return 2
    }
    if (site.lua.raw.lua_checkstack(state, middleware.length + 16) === 0)
      throw new LuaRaise('too many middlewares')
    site.pushChain(state)
    pushRequest(site, state, request, input.body)
    site.lua.pushRef(state, handler)
    for (const each of middleware) site.lua.pushRef(state, each)
    return 3 + middleware.length
  },
  leave(site, state, first) {
    return withoutSecrets(site, encodeResponse(readResponse(site, state, first)))
  },
}
