import { isPluginVariable } from './plugin-sections.js'
import type { ConfigProblem } from './problems.js'
import { nearestSetting, showValue } from './problems.js'
import { findFaults } from './rules.js'
import { listGroups, type Setting, variablePrefix } from './settings.js'

/** One value that somebody gave for one key. */
export interface Given {
  readonly value: unknown
  /** e.g. `config.json line 4`, `environment variable MODULACMS__SERVER__PORT`. */
  readonly origin: string
}

/** The values of one source by dotted key, and what is wrong with that source. */
export interface Layer {
  readonly values: ReadonlyMap<string, Given>
  /** Where objects are from that were given without any member, by dotted key, e.g. `gateway.cors`. */
  readonly emptyGroups: ReadonlyMap<string, string>
  readonly problems: readonly ConfigProblem[]
}

/** Collects one layer; every value is checked on its way in. */
export class LayerBuilder implements Layer {
  readonly values = new Map<string, Given>()
  readonly emptyGroups = new Map<string, string>()
  readonly problems: ConfigProblem[] = []

  /**
   * Takes a value when it is allowed. `shown` replaces it in the problems, so that no resolved secret is printed, and
   * `originOf` gives the place of a member deep inside it by its dotted path.
   */
  add(
    setting: Setting,
    value: unknown,
    origin: string,
    shown: unknown = value,
    originOf: (path: string) => string = () => origin,
  ): void {
    const faults = findFaults(setting, value)
    if (faults.length === 0) this.values.set(setting.key, { value, origin })
    for (const { path, rule } of faults) {
      const place = path.length === 0 ? origin : originOf([setting.key, ...path].join('.'))
      this.reject(memberKey(setting.key, value, path), memberOf(shown, path), rule, place)
    }
  }

  reject(key: string, shown: unknown, rule: string, origin: string): void {
    const problem = { key, rule, origin }
    this.problems.push(shown === undefined ? problem : { ...problem, value: showValue(key, shown) })
  }

  /** Takes an object of settings that has no members; anything else is refused. */
  addEmptyGroup(key: string, value: unknown, origin: string): void {
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
    if (isEmpty && !Array.isArray(value)) this.emptyGroups.set(key, origin)
    else this.reject(key, value, describeGroup(key), origin)
  }

  rejectUnknown(name: string, shown: unknown, known: readonly string[], origin: string): void {
    const nearest = nearestSetting(name, known)
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    this.reject(name, shown, `is not a known setting${hint}`, origin)
  }
}

/**
 * Turns text from the environment or the command line into the type of a setting. Text that does not fit stays
 * text, so that the check of the setting shows it as it was given.
 */
export function fromText(setting: Setting, text: string): unknown {
  switch (setting.schema.type) {
    case 'boolean':
      return { true: true, '1': true, false: false, '0': false }[text.trim().toLowerCase()] ?? text
    case 'integer':
      return /^\s*-?\d{1,15}\s*$/.test(text) ? Number(text) : text
    case 'array':
      return setting.schema.items.type === 'object' ? fromJsonText(text) : fromListText(text)
    case 'object':
      return fromJsonText(text)
    case undefined:
      // One text or a list: only what begins as a list is one.
      return text.trimStart().startsWith('[') ? fromJsonText(text) : text
    default:
      return text
  }
}

/** Reads the variables that start with `MODULACMS__`, all of which have to be known, and the aliases. */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting[],
): Layer {
  const builder = new LayerBuilder()
  readAliases(environment, settings, builder)
  const byVariable = new Map(settings.map((setting) => [setting.variable, setting]))
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !name.startsWith(variablePrefix) || isPluginVariable(name)) continue
    const origin = `environment variable ${name}`
    const setting = byVariable.get(name)
    if (setting) builder.add(setting, fromText(setting, text), origin)
    else builder.rejectUnknown(name, undefined, [...byVariable.keys()], 'environment')
  }
  return builder
}

/** Takes the aliases first, so that a variable of the usual form, read after them, wins. */
function readAliases(
  environment: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting[],
  builder: LayerBuilder,
): void {
  for (const setting of settings) {
    const text = setting.alias === undefined ? undefined : environment[setting.alias]
    if (text === undefined) continue
    const origin = `environment variable ${setting.alias}, another name of ${setting.variable}`
    builder.add(setting, fromText(setting, text), origin)
  }
}

/** Reads values given by dotted key; undefined ones count as not given. */
export function readFlags(
  flags: Readonly<Record<string, unknown>>,
  settings: readonly Setting[],
  origin: string,
): Layer {
  const builder = new LayerBuilder()
  const byKey = new Map(settings.map((setting) => [setting.key, setting]))
  const groups = listGroups()
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue
    const setting = byKey.get(key)
    if (!setting && groups.has(key)) builder.addEmptyGroup(key, value, origin)
    else if (!setting) builder.rejectUnknown(key, value, [...byKey.keys()], origin)
    else builder.add(setting, typeof value === 'string' ? fromText(setting, value) : value, origin)
  }
  return builder
}

/** Says what an object of the file has to be, e.g. `must be an object with the keys host and port`. */
export function describeGroup(key: string): string {
  const keys = listGroups().get(key) ?? []
  return `must be an object with the keys ${keys.join(', ')}`
}

function fromListText(text: string): unknown {
  const trimmed = text.trim()
  if (trimmed.startsWith('[')) return fromJsonText(text)
  return trimmed
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function fromJsonText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Writes the place of a member as people do, e.g. `gateway.proxy.rules[2].pattern`. */
function memberKey(key: string, value: unknown, path: readonly string[]): string {
  let written = key
  let holder = value
  for (const name of path) {
    written += Array.isArray(holder) ? `[${name}]` : `.${name}`
    holder = memberOf(holder, [name])
  }
  return written
}

function memberOf(value: unknown, path: readonly string[]): unknown {
  let member = value
  for (const name of path) {
    const holds = typeof member === 'object' && member !== null && Object.hasOwn(member, name)
    member = holds ? (member as Readonly<Record<string, unknown>>)[name] : undefined
  }
  return member
}
