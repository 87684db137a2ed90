import { cacheLimits } from '../../base/limits/gateway.js'
import { parseWindow } from '../../gateway/rate-limit/window.js'
import { TooLarge } from '../../sandbox/crossing.js'
import { jsonText } from '../../sandbox/json-text.js'
import { failure, LuaRaise, type LuaValue, type Results } from '../../sandbox/lua-value.js'
import { storagePhases } from '../../sandbox/phase.js'
import { errorReturned } from '../db/bind.js'
import type { ClassDoc, FunctionDefinition, ParamDoc } from '../define.js'
import { readOptions } from '../kv/options.js'
import { serviceFunction } from './service-function.js'
import { showGiven } from './service-options.js'
import { type CacheDeletion, type CacheEntry, gatewayTopics } from './service-wire.js'

const {
  lifetimeSecondsMax,
  pluginBytesMax,
  pluginKeyLengthMax,
  pluginTtlSecondsDefault,
  pluginValueBytesMax,
  tagLengthMax,
  tagsMax,
} = cacheLimits

const keyParam: ParamDoc = {
  name: 'key',
  type: 'string',
  doc: `Text of 1 to ${pluginKeyLengthMax} characters.`,
}

/** What a plugin does with its cache. */
export const cacheFunctions: readonly FunctionDefinition[] = [
  serviceFunction({
    name: 'cache.get',
    topic: gatewayTopics.cacheGet,
    doc: [
      'Gives a value that `gateway.cache.set` has kept: a copy, as JSON brings it back. Nil without a message means that',
      'there is none, or not any more. Costs one operation.',
    ].join('\n'),
    params: [keyParam],
    returns: [{ luaType: 'any', doc: 'The value; nil when there is none.' }, errorReturned],
    phases: [...storagePhases, 'before_hook'],
    cost: 1,
    example: 'local rates = gateway.cache.get("rates")',
    ask: (key) => readText('key', key, pluginKeyLengthMax, (text) => ({ key: text })),
  }),
  serviceFunction({
    name: 'cache.set',
    topic: gatewayTopics.cacheSet,
    doc: [
      'Keeps a value in the memory of the host, in the place of the one that the key had. All threads and VMs of the',
      'plugin see it, no other plugin does. It can be gone at any time: a restart of the host and disabling the plugin',
      'forget everything, a reload does not, so put a version into the keys of what changes its shape. What must stay',
      'belongs into `db` or `kv`. Costs one operation.',
      '',
      `Limits: ${pluginValueBytesMax / 1024} KiB of JSON a value, ${pluginBytesMax / 1024 / 1024} MiB a plugin, above which the least recently`,
      `used go; ${tagsMax} tags a value, ${tagLengthMax} characters each. What is too large gives \`nil, message\`, and the key keeps`,
      'the value that it had. Raises for what is no JSON (functions, cycles, NaN, bytes that are not UTF-8), for nil, and for',
      'options that mean nothing.',
    ].join('\n'),
    params: [
      keyParam,
      { name: 'value', type: 'any', doc: 'What is kept; `gateway.cache.delete` takes it out again.' },
      {
        name: 'options',
        type: 'any',
        optional: true,
        luaType: 'gateway.CacheOptions',
        doc: 'How long, and under which tags.',
      },
    ],
    returns: [{ luaType: 'true?', doc: 'True; nil when it was not kept.' }, errorReturned],
    phases: storagePhases,
    cost: 1,
    example: 'gateway.cache.set("rates", rates, { ttl = "10m", tags = { "bank" } })',
    ask: readEntry,
  }),
  serviceFunction({
    name: 'cache.delete',
    topic: gatewayTopics.cacheDelete,
    doc: 'Takes out one value by its key, or with `{ tag = ... }` all that have the tag. Costs one operation.',
    params: [
      {
        name: 'what',
        type: 'any',
        luaType: 'string|{ tag: string }',
        doc: 'A key, or a table with a tag.',
      },
    ],
    returns: [{ luaType: 'integer?', doc: 'How many values were there; nil when it failed.' }, errorReturned],
    phases: storagePhases,
    cost: 1,
    example: 'gateway.cache.delete({ tag = "bank" })',
    ask: readDeletion,
  }),
]

function readEntry(key: LuaValue, value: LuaValue, options: LuaValue): CacheEntry | Results {
  if (value === undefined) throw new LuaRaise('there is no value; gateway.cache.delete takes one out')
  const given = readOptions(options, ['ttl', 'tags'])
  const ttlSeconds = readTtl(given.ttl)
  const tags = readTags(given.tags)
  if (!Array.isArray(tags)) return tags as Results
  return readText('key', key, pluginKeyLengthMax, (text) => {
    const json = readValue(value)
    return typeof json === 'string' ? { key: text, json, ttlSeconds, tags } : json
  })
}

/** The value is made short enough before it goes to the thread that all requests share. */
function readValue(value: LuaValue): string | Results {
  const tooLarge = () => failure(`the value has more than ${pluginValueBytesMax} bytes of JSON, the limit`)
  try {
    const json = jsonText(value, pluginValueBytesMax)
    return Buffer.byteLength(json) > pluginValueBytesMax ? tooLarge() : json
  } catch (error) {
    if (error instanceof TooLarge) return tooLarge()
    throw error
  }
}

function readTtl(value: LuaValue): number {
  if (value === undefined) return pluginTtlSecondsDefault
  if (typeof value === 'string') return parseTtl(value)
  if (typeof value === 'number' && value > 0 && value <= lifetimeSecondsMax) return value
  throw new LuaRaise(
    `the ttl must be more than 0 and at most ${lifetimeSecondsMax} seconds, or a text such as "10m", ${showGiven(value)}`,
  )
}

function parseTtl(text: string): number {
  try {
    return parseWindow(text)
  } catch {
    throw new LuaRaise(
      `the ttl ${JSON.stringify(text.slice(0, 32))} cannot be used: write a whole number with the unit s, m, h or d, ` +
        'e.g. "10m", up to "31d"; longer times in seconds',
    )
  }
}

function readTags(value: LuaValue): readonly string[] | Results {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new LuaRaise(`the tags must be a list of texts, ${showGiven(value)}`)
  if (value.length > tagsMax) return failure(`the value has ${value.length} tags; the limit is ${tagsMax}`)
  for (const tag of value) {
    const fault = readText('tag', tag, tagLengthMax, () => undefined)
    if (fault !== undefined) return fault
  }
  return value as readonly string[]
}

function readDeletion(what: LuaValue): CacheDeletion | Results {
  if (typeof what !== 'object' || what === null || what instanceof Uint8Array) {
    return readText('key', what, pluginKeyLengthMax, (key) => ({ key }))
  }
  const { tag } = readOptions(what, ['tag'])
  return readText('tag', tag, tagLengthMax, (text) => ({ tag: text }))
}

/** Keys and tags may be made of what strangers send, so one that cannot be used is a plain failure. */
function readText<T>(
  name: string,
  value: LuaValue,
  lengthMax: number,
  use: (text: string) => T,
): T | Results {
  if (value instanceof Uint8Array) return failure(`the ${name} is not valid UTF-8`)
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new LuaRaise(`the ${name} must be a text, ${showGiven(value)}`)
  }
  const text = String(value)
  if (text !== '' && text.length <= lengthMax) return use(text)
  return failure(`the ${name} has ${text.length} characters; it must have 1 to ${lengthMax}`)
}

export const cacheClasses: readonly ClassDoc[] = [
  {
    name: 'gateway.CacheOptions',
    doc: 'How a value is kept. Other members are refused.',
    fields: [
      {
        name: 'ttl',
        luaType: 'number|string|nil',
        doc: `Seconds, at most ${lifetimeSecondsMax}, or a whole number with the unit \`s\`, \`m\`, \`h\` or \`d\`. Left out: ${pluginTtlSecondsDefault} seconds.`,
      },
      {
        name: 'tags',
        luaType: 'string[]?',
        doc: 'Names by which it can be taken out together with others.',
      },
    ],
  },
]
