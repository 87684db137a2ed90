import { kvLimits, kvLuaLimits } from '../../base/limits/kv.js'
import { sharedNamespace } from '../../kv/namespace.js'
import { queueName } from '../../kv/queue-options.js'
import type { Registration } from '../../sandbox/host-function.js'
import { FunctionRef, LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { Call, FunctionDefinition, ParamDoc } from '../define.js'
import { sharedPrefix, translate } from './bind.js'
import { readOptions } from './options.js'
import { describe, readPrefix } from './read-values.js'
import {
  type ChangeType,
  changeRegistration,
  changeToRegistration,
  changeTypes,
  queueRegistration,
  queueToRegistration,
} from './wire.js'

const registering = { phases: ['manifest', 'module'], cost: 0, mode: 'sync', returns: [] } as const

const optionsDoc = (luaType: string): ParamDoc => ({
  name: 'options',
  type: 'any',
  optional: true,
  luaType,
  doc: 'How it is called.',
})

const retries = [
  'A handler that raises, runs out of time, or returns `false` or `nil, message`, gives the message back: it comes',
  'again after its pauses, and is a dead letter after its last try. So a message comes at least once, and its handler',
  'should do no harm when it comes twice.',
].join('\n')

const listen: FunctionDefinition = {
  ...registering,
  name: 'listen',
  doc: [
    "Registers a function that is called with each message of a queue in the plugin's own namespace.",
    '',
    retries,
    '',
    `Limits: ${kvLuaLimits.queueHandlersMax} queues a plugin, one function each; ${kvLuaLimits.handlerConcurrencyMax}`,
    'calls of it at once. Works only at module scope, when init.lua is loaded. Raises for a queue that has a function',
    'already, and for a name that is none.',
  ].join('\n'),
  params: [
    { name: 'queue', type: 'any', luaType: 'string', doc: 'Name of the queue.' },
    {
      name: 'handler',
      type: 'function',
      luaType: 'fun(message: kv.Message)',
      doc: 'Called once for each try.',
    },
    optionsDoc('kv.ListenOptions?'),
  ],
  example: [
    'kv.listen("mails", function(message)',
    '  local response = request.post(url, { json = message.value })',
    '  if response.error then error(response.error) end',
    'end, { concurrency = 4 })',
  ].join('\n'),
  handler: (call, queue, handler, options) =>
    guarded('listen', () => {
      if (typeof queue !== 'string') throw new LuaRaise(`the queue must be a string, not ${describe(queue)}`)
      const { concurrency } = readOptions(options, ['concurrency'])
      const registration = queueToRegistration({
        queue: queueName(queue),
        concurrency: readConcurrency(concurrency),
      })
      register(call, registration, handler, `the queue "${queue}" has a handler already`, {
        kind: queueRegistration,
        max: kvLuaLimits.queueHandlersMax,
      })
    }),
}

const onChange: FunctionDefinition = {
  ...registering,
  name: 'on_change',
  doc: [
    'Registers a function that is called with each change of an entry at or below a prefix, whoever made it. Changes are',
    'queued in the commit that makes them, so none of a commit that failed is told, and none is lost by a crash; with',
    'one call at a time, as when options say nothing, they come in their order until one fails. Entries that expire are',
    'told as deleted, soon.',
    '',
    retries,
    '',
    `A change that the function itself makes is told too, and so on, ${kvLimits.changeDepthMax} times; what is changed`,
    'after that, and while too many changes wait, is told to nobody.',
    '',
    `Limits: ${kvLuaLimits.changeHandlersMax} functions a plugin, one a prefix; ${kvLuaLimits.handlerConcurrencyMax} calls`,
    'of each at once. Works only at module scope, when init.lua is loaded. Raises for a prefix that has a function',
    'already, and for one that is no key.',
  ].join('\n'),
  params: [
    {
      name: 'prefix',
      type: 'any',
      luaType: 'kv.Key',
      doc: 'What keys begin with; `{}` for every key.',
    },
    {
      name: 'handler',
      type: 'function',
      luaType: 'fun(change: kv.Change)',
      doc: 'Called once for each try.',
    },
    optionsDoc('kv.ChangeOptions?'),
  ],
  example: [
    'kv.on_change({ "orders" }, function(change)',
    '  if change.type == "set" then kv.set({ "totals", change.key[2] }, change.value.total) end',
    'end)',
  ].join('\n'),
  handler: (call, prefix, handler, options) =>
    guarded('on_change', () => registerChange(call, undefined, prefix, handler, options)),
}

const sharedOnChange: FunctionDefinition = {
  ...onChange,
  name: `${sharedPrefix}on_change`,
  title: 'on_change',
  params: [...onChange.params, { name: 'namespace', type: 'string', doc: 'Name of the namespace.' }],
  handler: (call, prefix, handler, options, namespace) =>
    guarded('on_change', () => {
      const name = String(namespace)
      sharedNamespace(name)
      registerChange(call, name, prefix, handler, options)
    }),
}

/** Declares what can be registered at module scope. */
export const registrationFunctions: readonly FunctionDefinition[] = [listen, onChange, sharedOnChange]

function registerChange(
  call: Call,
  shared: string | undefined,
  prefix: LuaValue,
  handler: LuaValue,
  given: LuaValue,
): void {
  const { concurrency, events } = readOptions(given, ['concurrency', 'events'])
  if (prefix === undefined) throw new LuaRaise('the prefix is nil; {} means every key')
  const registration = changeToRegistration({
    shared,
    prefix: readPrefix(prefix),
    events: readEvents(events),
    concurrency: readConcurrency(concurrency),
  })
  register(call, registration, handler, 'the prefix has a handler already', {
    kind: changeRegistration,
    max: kvLuaLimits.changeHandlersMax,
  })
}

function register(
  call: Call,
  registration: Registration,
  handler: LuaValue,
  duplicate: string,
  { kind, max }: { readonly kind: string; readonly max: number },
): void {
  const others = call.registrations.filter((each) => each.kind === kind)
  if (others.some(({ key }) => key === registration.key)) throw new LuaRaise(duplicate)
  if (others.length >= max) throw new LuaRaise(`maximum reached: a plugin may have ${max} of these handlers`)
  if (!(handler instanceof FunctionRef)) throw new LuaRaise('a function is expected')
  call.register(registration, handler.ref)
}

function readConcurrency(value: LuaValue): number {
  const max = kvLuaLimits.handlerConcurrencyMax
  if (value === undefined) return 1
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) return value
  throw new LuaRaise(`the option concurrency must be an integer from 1 to ${max}`)
}

function readEvents(value: LuaValue): readonly ChangeType[] {
  if (value === undefined) return changeTypes
  const known = changeTypes.filter((type) => Array.isArray(value) && value.includes(type))
  if (Array.isArray(value) && known.length > 0 && known.length === value.length) return known
  throw new LuaRaise(
    `the option events must be a list of ${changeTypes.map((type) => `"${type}"`).join(', ')}`,
  )
}

function guarded(title: string, act: () => void): undefined {
  try {
    act()
  } catch (error) {
    throw translate(error, title)
  }
}
