import { messageOf } from '../../base/errors.js'
import { rateLimitLimits } from '../../base/limits/gateway.js'
import { boundKey } from '../../gateway/rate-limit/client-key.js'
import { parseWindow } from '../../gateway/rate-limit/window.js'
import { LuaRaise, type LuaValue, Results } from '../../sandbox/lua-value.js'
import { storagePhases } from '../../sandbox/phase.js'
import type { Call, ClassDoc, FunctionDefinition } from '../define.js'
import { readOptions } from '../kv/options.js'
import { naming, readCount, showGiven } from './service-options.js'
import { gatewayTopics, type RateLimitAnswer, type RateLimitQuestion } from './service-wire.js'

const { keyLengthMax, pluginBucketsMax, requestsMax, windowSecondsMax } = rateLimitLimits

/** Takes from a limit of the plugin's own. */
export const rateLimitFunction: FunctionDefinition = {
  name: 'rate_limit',
  doc: [
    'Counts something against a limit of the plugin, and tells whether it is allowed: `limit` in each `window` for every',
    'key. Keys can be anything, e.g. an account, a tenant or an address; no plugin shares keys with another one. The count',
    'is one for the whole host, however many threads and VMs run the plugin.',
    '',
    'Each key has a bucket that begins with `limit` tokens and is filled steadily, with `limit` tokens in a `window`. A call',
    'takes `cost` tokens, all or none; what is refused takes nothing. The same key with another `limit` or `window` is',
    'another bucket.',
    '',
    `Limits: ${pluginBucketsMax} keys a plugin are remembered, and above that the one not used for longest begins anew; of`,
    `a key longer than ${keyLengthMax} characters its digest counts. Counts are kept in memory: a restart of the host and`,
    'disabling the plugin forget them, a reload does not. In a before-hook a token can be taken twice for one write, when',
    'a plugin is reloaded meanwhile. Costs one operation.',
    '',
    'Raises for options that make no limit: it never allows or refuses because it could not be read.',
  ].join('\n'),
  params: [
    { name: 'key', type: 'string', doc: 'Whom or what is counted; not empty.' },
    { name: 'options', type: 'any', luaType: 'gateway.RateLimitOptions', doc: 'How much is allowed.' },
  ],
  returns: [
    { luaType: 'boolean', doc: 'Whether it is allowed.' },
    { luaType: 'gateway.RateLimitState', doc: 'How the limit stands now.' },
  ],
  // It touches memory only, so that a before-hook can refuse what is too much.
  phases: [...storagePhases, 'before_hook'],
  cost: 1,
  mode: 'async',
  example: [
    'local allowed, state = gateway.rate_limit("login:" .. account, { limit = 5, window = "1m" })',
    'if not allowed then',
    '  return { status = 429, headers = { ["retry-after"] = tostring(state.retry_after) }, json = { error = "slow down" } }',
    'end',
  ].join('\n'),
  async handler(call: Call, key: LuaValue, options: LuaValue): Promise<Results> {
    const question = readQuestion(key, options)
    const answer = (await call.ask(gatewayTopics.rateLimit, question)) as RateLimitAnswer
    return new Results(answer.isAllowed, stateOf(question, answer))
  },
}

function stateOf({ requests }: RateLimitQuestion, answer: RateLimitAnswer): LuaValue {
  return Object.assign(Object.create(null), {
    limit: requests,
    remaining: answer.remaining,
    reset: answer.resetSeconds,
    retry_after: answer.retryAfterSeconds,
  })
}

function readQuestion(key: LuaValue, options: LuaValue): RateLimitQuestion {
  return naming('rate_limit', () => {
    const given = readOptions(options, ['limit', 'window', 'cost'])
    const requests = readCount('limit', given.limit, 1, requestsMax)
    const windowSeconds = readWindow(given.window)
    const cost = given.cost === undefined ? 1 : readCount('cost', given.cost, 0, requests)
    return { key: readKey(key), requests, windowSeconds, cost }
  })
}

/** A key may be made of what strangers send: it can be any bytes, and the host gets no long ones. */
function readKey(key: LuaValue): string {
  const text = key instanceof Uint8Array ? `bytes:${Buffer.from(key).toString('latin1')}` : String(key)
  if (text === '') throw new LuaRaise('the key is empty: everything without a key would share one limit')
  return boundKey(text)
}

function readWindow(value: LuaValue): number {
  if (typeof value === 'number') return readCount('window', value, 1, windowSecondsMax)
  if (typeof value !== 'string') {
    throw new LuaRaise(`the window must be a text such as "1m" or whole seconds, ${showGiven(value)}`)
  }
  try {
    return parseWindow(value.length > 32 ? `${value.slice(0, 32)}...` : value)
  } catch (error) {
    throw new LuaRaise(messageOf(error))
  }
}

export const rateLimitClasses: readonly ClassDoc[] = [
  {
    name: 'gateway.RateLimitOptions',
    doc: 'How much is allowed. Other members are refused.',
    fields: [
      { name: 'limit', luaType: 'integer', doc: `How many in each window, from 1 to ${requestsMax}.` },
      {
        name: 'window',
        luaType: 'string|integer',
        doc: `A whole number with the unit \`s\`, \`m\`, \`h\` or \`d\`, e.g. \`"1m"\`, or seconds; at most ${windowSecondsMax} seconds.`,
      },
      {
        name: 'cost',
        luaType: 'integer?',
        doc: 'What this counts as, up to `limit`; 0 only looks how the limit stands. Left out: 1.',
      },
    ],
  },
  {
    name: 'gateway.RateLimitState',
    doc: 'How a limit stands after a call.',
    fields: [
      { name: 'limit', luaType: 'integer', doc: 'The `limit` of the options.' },
      { name: 'remaining', luaType: 'integer', doc: 'How many are left now.' },
      { name: 'reset', luaType: 'integer', doc: 'Seconds until all of `limit` is there again, rounded up.' },
      {
        name: 'retry_after',
        luaType: 'integer',
        doc: 'Seconds until the same call will be allowed, rounded up; 0 when it was.',
      },
    ],
  },
]
