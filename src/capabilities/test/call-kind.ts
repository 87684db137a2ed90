import type { CallKind } from '../../sandbox/call-kind.js'

/** Name of the kind of call that runs a test. */
export const testKindName = 'test'

/** What a call of this kind does: runs one test of a file, occupies its VM for a while, or finds out that there is one. */
export type TestCall =
  | { readonly act: 'run'; readonly chunkName: string; readonly text: string }
  | { readonly act: 'hold' | 'idle' }

/** Makes the payload of a call. */
export function encodeTestCall(call: TestCall): string {
  return call.act === 'run' ? `run\n${call.chunkName}\n${call.text}` : call.act
}

/** Runs the functions of the Lua part of the module `test`. */
export const testKind: CallKind = {
  name: testKindName,
  enter(site, state, { payload }) {
    const [act = '', chunkName = '', ...lines] = payload.split('\n')
    site.pushHidden(state, 'test', act)
    if (act !== 'run') return 1
    site.lua.pushText(state, chunkName)
    site.lua.pushText(state, lines.join('\n'))
    return 3
  },
  leave() {
    return []
  },
}
