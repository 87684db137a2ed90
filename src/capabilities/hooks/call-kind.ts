import type { CallKind, CallSite } from '../../sandbox/call-kind.js'
import { parseJson } from '../../sandbox/json-parser.js'
import { DecodedJson, LuaRaise } from '../../sandbox/lua-value.js'
import type { Pointer } from '../../sandbox/lua-wasm.js'
import { withoutSecrets } from '../secrets/results-check.js'
import { type HookEvent, isBeforeWrite } from './events.js'
import { eventOfKey, hookRegistration } from './hook-rules.js'
import { readAddedHeaders, readAnswer, readState, readWriteOpinion } from './opinion-reader.js'
import { decodeHookCall, encodeReadOpinion, encodeWriteOpinion } from './wire.js'

/** Name of the call kind. */
export const hookCallKind = 'hook'

/** What a VM remembers of the hook that it runs, until the hook has ended. */
interface RunningHook {
  readonly event: HookEvent
  /** The data table of a before_read hook, which may leave state in it; undefined for other events. */
  readonly data: number | undefined
}

/** Creates the kind of calls that run a registered hook; the payload is the text of `encodeHookCall`. */
export function createHookKind(): CallKind {
  const running = new WeakMap<CallSite, RunningHook>()

  /** Gives back what the VM held for the last hook; one that failed did not come to its end. */
  function forget(site: CallSite, state: Pointer): RunningHook | undefined {
    const hook = running.get(site)
    running.delete(site)
    if (hook?.data !== undefined) site.lua.unref(state, hook.data)
    return hook
  }

  return {
    name: hookCallKind,
    enter(site, state, input) {
      forget(site, state)
      const { key, json } = decodeHookCall(input.payload)
      const handler = site.handlerOf(hookRegistration, key)
      if (handler === undefined) throw new LuaRaise(`this VM has no hook ${key}: init.lua registered others`)
      const event = eventOfKey(key)
      site.lua.pushRef(state, handler)
      site.writer.push(state, new DecodedJson(parseJson(json)))
      let data: number | undefined
      if (event === 'before_read') {
        site.lua.raw.lua_pushvalue(state, -1)
        data = site.lua.ref(state)
      }
      running.set(site, { event, data })
      return 2
    },
    leave(site, state, first) {
      const hook = running.get(site)
      if (hook === undefined) return []
      const { event, data } = hook
      // Results beyond the first mean nothing; what is pushed below must not lie among them.
      site.lua.raw.lua_settop(state, first)
      if (isBeforeWrite(event)) {
        return withoutSecrets(site, encodeWriteOpinion(readWriteOpinion(site, state, first, event)))
      }
      if (event === 'after_read') {
        const headers = readAddedHeaders(site, state, first)
        return withoutSecrets(site, encodeReadOpinion({ status: 0, headers, json: undefined, state: '{}' }))
      }
      if (data === undefined) return []
      const answer = readAnswer(site, state, first)
      site.lua.pushRef(state, data)
      const left = readState(site, state, first + 1)
      forget(site, state)
      return withoutSecrets(site, encodeReadOpinion({ ...answer, state: left }))
    },
  }
}
