import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { nearestName } from '../base/nearest-name.js'
import { authRules } from './auth-rules.js'
import { gatewayRules } from './gateway-rules.js'
import { serverRules } from './server-schema.js'
import type { Setting } from './settings.js'
import { durationRule, isAddressRange, type Rule } from './value-rules.js'

/** Rules that JSON Schema cannot say, by key. */
const extraRules: Readonly<Record<string, Rule>> = {
  plugin_reset_interval: durationRule(100, 24 * 3_600_000, 'from 100ms to 24h, e.g. "60s"'),
  'keyval.sweep_interval': durationRule(50, 24 * 3_600_000, 'from 50ms to 24h, e.g. "1s"'),
  plugin_trusted_proxies: {
    words: 'a list of at most 1000 IP addresses or CIDR ranges, e.g. ["10.0.0.0/8"]',
    holds: (value) => Array.isArray(value) && value.every(isAddressRange),
  },
  database_url: { words: '"sqlite:" and a file path, e.g. "sqlite:./data/modula.db"', holds: () => true },
  ...gatewayRules,
  ...authRules,
  ...serverRules,
}

/** What is wrong with a value, or with one member deep inside it. */
export interface Fault {
  /** The names and numbers that lead from the value to the member; empty for the value itself. */
  readonly path: readonly string[]
  /** What has to be different, as the end of a sentence. */
  readonly rule: string
}

/** Says in words what values a setting takes, e.g. `an integer from 1 to 64`; the words follow "must be". */
export function describeRule(setting: Setting): string {
  return describeSchema(setting.schema, setting.key)
}

/** Finds everything that is wrong with a value of a setting; nothing when the setting takes it. */
export function findFaults(setting: Setting, value: unknown): readonly Fault[] {
  return faultsOf(setting.schema, setting.key, value)
}

/**
 * Says in words what a schema takes.
 *
 * @param place Key of the setting and what leads to the member: `[]` for those of a list, `{}` for those of an object
 * with any names, a dot and a name otherwise.
 */
export function describeSchema(schema: TSchema, place: string): string {
  const words = extraRules[place]?.words
  if (words !== undefined) return words
  const choices = choicesOf(schema)
  if (choices) return `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`
  switch (schema.type) {
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `an integer from ${schema.minimum} to ${schema.maximum}`
    case 'array':
      return describeList(schema, place)
    case 'object':
      return describeObject(schema, place)
    default:
      return schema.minLength ? 'a text that is not empty' : 'a text'
  }
}

/** Gives the schema of the members of an object that takes any names; undefined for any other schema. */
export function valuesOf(schema: TSchema): TSchema | undefined {
  const patterns: Readonly<Record<string, TSchema>> = schema.patternProperties ?? {}
  return Object.values(patterns)[0]
}

function describeList(schema: TSchema, place: string): string {
  const choices = choicesOf(schema.items)
  if (choices) return `a list of ${choices.map((choice) => `"${choice}"`).join(', ')}`
  if (schema.items.type === 'object') {
    return `a list of at most ${schema.maxItems} objects with ${namesOf(schema.items)}`
  }
  return extraRules[`${place}[]`]
    ? `a list of which each is ${describeSchema(schema.items, `${place}[]`)}`
    : 'a list of texts'
}

function describeObject(schema: TSchema, place: string): string {
  const values = valuesOf(schema)
  if (!values) return `an object with ${namesOf(schema)}`
  return `an object of which each member is ${describeSchema(values, `${place}{}`)}`
}

/** `pattern and target, and optionally name, headers`. */
function namesOf(schema: TSchema): string {
  const required: readonly string[] = schema.required ?? []
  const optional = Object.keys(schema.properties).filter((name) => !required.includes(name))
  const needed = required.join(' and ')
  return optional.length === 0 ? needed : `${needed}, and optionally ${optional.join(', ')}`
}

function faultsOf(schema: TSchema, place: string, value: unknown): readonly Fault[] {
  const itemsPlace = `${place}[]`
  if (Array.isArray(value) && (schema.items?.type === 'object' || extraRules[itemsPlace])) {
    const faults = value.flatMap((item, index) =>
      within(String(index), faultsOf(schema.items, itemsPlace, item)),
    )
    if (faults.length > 0 || holds(schema, place, value)) return faults
    const least = schema.minItems ? `at least ${schema.minItems} and ` : ''
    return [{ path: [], rule: `must have ${least}at most ${schema.maxItems} members` }]
  }
  if (schema.type === 'object' && isObject(value)) return memberFaults(schema, place, value)
  return holds(schema, place, value) ? [] : [{ path: [], rule: `must be ${describeSchema(schema, place)}` }]
}

function memberFaults(
  schema: TSchema,
  place: string,
  value: Readonly<Record<string, unknown>>,
): readonly Fault[] {
  const values = valuesOf(schema)
  if (values) {
    const faults = Object.entries(value).flatMap(([name, item]) =>
      within(name, faultsOf(values, `${place}{}`, item)),
    )
    if (faults.length > 0 || holds(schema, place, value)) return faults
    return [{ path: [], rule: `must be ${describeSchema(schema, place)}` }]
  }
  const properties: Readonly<Record<string, TSchema>> = schema.properties
  const required: readonly string[] = schema.required ?? []
  const missing = required
    .filter((name) => value[name] === undefined)
    .map((name) => {
      const words = describeSchema(properties[name] as TSchema, `${place}.${name}`)
      return { path: [name], rule: `is missing; it must be ${words}` }
    })
  const wrong = Object.entries(value).flatMap(([name, item]) => {
    const member = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!member) return [{ path: [name], rule: describeUnknown(name, Object.keys(properties)) }]
    // In code a member may be there and undefined, which is as if it were absent.
    return item === undefined ? [] : within(name, faultsOf(member, `${place}.${name}`, item))
  })
  return [...missing, ...wrong]
}

function within(name: string, faults: readonly Fault[]): readonly Fault[] {
  return faults.map(({ path, rule }) => ({ path: [name, ...path], rule }))
}

function describeUnknown(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  const hint = nearest === undefined ? `; known are ${known.join(', ')}` : `; did you mean ${nearest}?`
  return `is not a known member${hint}`
}

function holds(schema: TSchema, place: string, value: unknown): boolean {
  return Value.Check(schema, value) && (extraRules[place]?.holds(value) ?? true)
}

/** Lists the texts of a schema that takes one of a few; undefined for any other schema. */
function choicesOf(schema: TSchema): readonly string[] | undefined {
  const members: unknown = schema.anyOf
  if (!Array.isArray(members) || members.some((member: TSchema) => member.const === undefined))
    return undefined
  return members.map((member: TSchema) => String(member.const))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
