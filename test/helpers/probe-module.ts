import { messageOf } from '../../src/base/errors.js'
import type { CallKind } from '../../src/sandbox/call-kind.js'
import type { HostCall, HostFunction, HostModule, Param } from '../../src/sandbox/host-function.js'
import { encodeJson } from '../../src/sandbox/json-encoder.js'
import { parseJson } from '../../src/sandbox/json-parser.js'
import { jsonText } from '../../src/sandbox/json-text.js'
import {
  DecodedJson,
  type FunctionRef,
  failure,
  LuaRaise,
  type LuaValue,
  Results,
  Tagged,
} from '../../src/sandbox/lua-value.js'
import { phases } from '../../src/sandbox/phase.js'

/** What the functions of the probe module act on. */
export interface ProbeServices {
  /** Counters that outlive the thread: side effects, and how many calls run at once. */
  readonly counters: Int32Array
  /** What `probe.give` gives. */
  gift: LuaValue | Results
  /** What `probe.take` was given last. */
  taken: LuaValue
}

type Call = HostCall<ProbeServices>

/** Cells of `counters` below this number are free for the tests: one for each call that has an effect. */
export const countersMax = 2048

/** Creates services; `shared` lets several threads count in the same cells. */
export function createProbeServices(
  shared = new SharedArrayBuffer(countersMax * Int32Array.BYTES_PER_ELEMENT),
): ProbeServices {
  return { counters: new Int32Array(shared), gift: undefined, taken: undefined }
}

const any: Param = { name: 'value', type: 'any', optional: true }
const text: Param = { name: 'text', type: 'string' }
const integer: Param = { name: 'number', type: 'integer' }

function define(
  name: string,
  params: readonly Param[],
  handler: HostFunction<ProbeServices>['handler'],
  mode: 'sync' | 'async' = 'sync',
): HostFunction<ProbeServices> {
  return { name, phases, params, cost: 0, mode, handler }
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const describe = (value: LuaValue): string => {
  if (value instanceof Tagged) return `tagged ${value.tag}`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (value === null) return 'null'
  return Array.isArray(value) ? `array ${value.length}` : typeof value
}

function decode(json: string): LuaValue {
  try {
    return new DecodedJson(parseJson(json))
  } catch (error) {
    throw new LuaRaise(messageOf(error))
  }
}

const plain: readonly HostFunction<ProbeServices>[] = [
  define('give', [], ({ services }) => services.gift),
  define('take', [any], (call, value) => {
    call.services.taken = value
  }),
  define('echo', [any], (_call, value) => value),
  define('encode', [any], (_call, value) => jsonText(value)),
  define('decode', [text], (_call, json) => decode(String(json))),
  define('describe', [any], (_call, value) => describe(value)),
  define(
    'tag',
    [text, { name: 'fields', type: 'table' }],
    (_call, tag, fields) => new Tagged(String(tag), { fields }),
  ),
  define('many', [{ ...any, rest: true }], (_call, ...values) => new Results(values.length, ...values)),
  define('on', [text, { name: 'handler', type: 'function' }], (call, key, handler) => {
    const registration = { kind: 'handler', key: String(key), data: {} }
    call.register(registration, (handler as FunctionRef).ref)
  }),
  define('fail', [text], (_call, message) => failure(String(message))),
  define('raise', [text], (_call, message) => {
    throw new LuaRaise(String(message))
  }),
  define('fault', [], () => {
    throw new TypeError('a bug of the host')
  }),
]

const budgeted: readonly HostFunction<ProbeServices>[] = [
  { ...define('paid', [], () => true), cost: 1 },
  define('charge', [integer], (call, operations) => {
    call.budget.charge(Number(operations))
  }),
  define('left', [], (call) => call.budget.operationsLeft),
  define('hold', [integer], (call, ms) => {
    call.holdUntil(performance.now() + Number(ms))
  }),
  define('release', [], (call) => {
    call.holdUntil(undefined)
  }),
  define('phase', [], (call) => call.phase),
]

/** `count` is a side effect; `enter` and the end of the call tell how many calls are inside at the same time. */
const effects: readonly HostFunction<ProbeServices>[] = [
  define('count', [integer], ({ services }, cell) => Atomics.add(services.counters, Number(cell), 1) + 1),
  define('enter', [integer], (call: Call, cell) => {
    const { counters } = call.services
    call.onEnd(() => void Atomics.sub(counters, Number(cell), 1))
    return Atomics.add(counters, Number(cell), 1) + 1
  }),
  define('exit', [], () => process.exit(7)),
  define('crash', [], () => {
    setImmediate(() => {
      throw new Error('the thread broke')
    })
  }),
]

const waiting: readonly HostFunction<ProbeServices>[] = [
  define('wait', [integer, any], async (_call, ms, value) => later(Number(ms)).then(() => value), 'async'),
  define('wait_gift', [], async ({ services }) => later(0).then(() => services.gift), 'async'),
  define(
    'wait_count',
    [integer],
    async ({ services }, cell) => Atomics.add(services.counters, Number(cell), 1),
    'async',
  ),
  define('wait_fail', [text], async (_call, message) => failure(String(message)), 'async'),
  define(
    'wait_raise',
    [text],
    async (_call, message) => Promise.reject(new LuaRaise(String(message))),
    'async',
  ),
  define(
    'ask',
    [text, any],
    async (call, topic, payload) => (await call.ask(String(topic), payload)) as LuaValue,
    'async',
  ),
  define('never', [], () => new Promise<LuaValue>(() => undefined), 'async'),
]

/** A module with one function for each thing that a host function can do. */
export const probeModule: HostModule<ProbeServices> = {
  name: 'probe',
  functions: [...plain, ...budgeted, ...effects, ...waiting],
  constants: { null: null, answer: 42 },
}

/**
 * Calls the handler that the payload names with the body, or runs the file that it names when there is no such
 * handler; all results cross.
 */
export const probeKind: CallKind = {
  name: 'probe',
  enter(site, state, { payload, body }) {
    const handler = site.handlerOf('handler', payload)
    if (handler === undefined) site.pushChunk(state, payload)
    else site.lua.pushRef(state, handler)
    site.lua.pushLatin1(state, body)
    return 2
  },
  leave(site, state, first) {
    const values: LuaValue[] = []
    for (let index = first; index <= site.lua.raw.lua_gettop(state); index += 1) {
      values.push(site.reader.read(state, index))
    }
    return values
  },
}

/** As `probeKind`, but the first result crosses as JSON text. */
export const jsonKind: CallKind = {
  ...probeKind,
  name: 'json',
  leave: (site, state, first) => [encodeJson(site.lua, site.tags, state, first)],
}
