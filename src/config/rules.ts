import { isIP } from 'node:net'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { parseDuration } from '../base/durations.js'
import type { Setting } from './settings.js'

/** What a value has to be beyond its JSON type, as words for people and as a test. */
interface Rule {
  readonly words: string
  holds(value: unknown): boolean
}

/** Rules that JSON Schema cannot say, by key. */
const extraRules: Readonly<Record<string, Rule>> = {
  plugin_reset_interval: {
    words: 'a duration from 100ms to 24h, e.g. "60s"',
    holds: (value) => isDurationWithin(value, 100, 24 * 3_600_000),
  },
  'keyval.sweep_interval': {
    words: 'a duration from 50ms to 24h, e.g. "1s"',
    holds: (value) => isDurationWithin(value, 50, 24 * 3_600_000),
  },
  plugin_trusted_proxies: {
    words: 'a list of at most 1000 IP addresses or CIDR ranges, e.g. ["10.0.0.0/8"]',
    holds: (value) => Array.isArray(value) && value.every(isAddressRange),
  },
  database_url: { words: '"sqlite:" and a file path, e.g. "sqlite:./data/modula.db"', holds: () => true },
}

/** Says in words what values a setting takes, e.g. `an integer from 1 to 64`; the words follow "must be". */
export function describeRule(setting: Setting): string {
  return extraRules[setting.key]?.words ?? describeSchema(setting.schema)
}

/** Tells whether a value is one that the setting takes. */
export function isAllowed(setting: Setting, value: unknown): boolean {
  return Value.Check(setting.schema, value) && (extraRules[setting.key]?.holds(value) ?? true)
}

/** Lists the texts of a setting that takes one of a few; undefined for any other setting. */
export function choicesOf(schema: TSchema): readonly string[] | undefined {
  const members: unknown = schema.anyOf
  if (!Array.isArray(members)) return undefined
  return members.map((member: TSchema) => String(member.const))
}

function describeSchema(schema: TSchema): string {
  const choices = choicesOf(schema)
  if (choices) return `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`
  switch (schema.type) {
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `an integer from ${schema.minimum} to ${schema.maximum}`
    case 'array':
      return 'a list of texts'
    default:
      return schema.minLength ? 'a text that is not empty' : 'a text'
  }
}

function isDurationWithin(value: unknown, minMs: number, maxMs: number): boolean {
  try {
    const durationMs = parseDuration(String(value))
    return durationMs >= minMs && durationMs <= maxMs
  } catch {
    return false
  }
}

function isAddressRange(value: unknown): boolean {
  const parts = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(String(value))
  const version = isIP(parts?.[1] ?? '')
  if (version === 0) return false
  return Number(parts?.[2] ?? 0) <= (version === 4 ? 32 : 128)
}
