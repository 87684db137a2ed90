import type { ConfigProblem } from './problems.js'
import { nearestName, showValue } from './problems.js'
import { describeRule, isAllowed } from './rules.js'
import { listSectionKeys, type Setting, variablePrefix } from './settings.js'

/** One value that somebody gave for one key. */
export interface Given {
  readonly value: unknown
  /** e.g. `config.json line 4`, `environment variable MODULACMS__SERVER__PORT`. */
  readonly origin: string
}

/** The values of one source by dotted key, and what is wrong with that source. */
export interface Layer {
  readonly values: ReadonlyMap<string, Given>
  readonly problems: readonly ConfigProblem[]
}

/** Collects one layer; every value is checked on its way in. */
export class LayerBuilder implements Layer {
  readonly values = new Map<string, Given>()
  readonly problems: ConfigProblem[] = []

  /** Takes a value when it is allowed. `shown` replaces it in the problem, so that no resolved secret is printed. */
  add(setting: Setting, value: unknown, origin: string, shown: unknown = value): void {
    if (isAllowed(setting, value)) {
      this.values.set(setting.key, { value, origin })
      return
    }
    this.reject(setting.key, shown, `must be ${describeRule(setting)}`, origin)
  }

  reject(key: string, shown: unknown, rule: string, origin: string): void {
    const problem = { key, rule, origin }
    this.problems.push(shown === undefined ? problem : { ...problem, value: showValue(key, shown) })
  }

  rejectUnknown(name: string, shown: unknown, known: readonly string[], origin: string): void {
    const nearest = nearestName(name, known)
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
      return fromListText(text)
    default:
      return text
  }
}

/** Reads the variables that start with `MODULACMS__`; all of them have to be known. */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting[],
): Layer {
  const builder = new LayerBuilder()
  const byVariable = new Map(settings.map((setting) => [setting.variable, setting]))
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !name.startsWith(variablePrefix)) continue
    const origin = `environment variable ${name}`
    const setting = byVariable.get(name)
    if (setting) builder.add(setting, fromText(setting, text), origin)
    else builder.rejectUnknown(name, undefined, [...byVariable.keys()], 'environment')
  }
  return builder
}

/** Reads values given by dotted key; undefined ones count as not given. */
export function readFlags(
  flags: Readonly<Record<string, unknown>>,
  settings: readonly Setting[],
  origin: string,
): Layer {
  const builder = new LayerBuilder()
  const byKey = new Map(settings.map((setting) => [setting.key, setting]))
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue
    const setting = byKey.get(key)
    if (!setting) builder.rejectUnknown(key, value, [...byKey.keys()], origin)
    else builder.add(setting, typeof value === 'string' ? fromText(setting, value) : value, origin)
  }
  return builder
}

/** Says what an object of the file has to be, e.g. `must be an object with the keys host and port`. */
export function describeSection(name: string): string {
  const keys = listSectionKeys().get(name) ?? []
  return `must be an object with the keys ${keys.join(', ')}`
}

function fromListText(text: string): unknown {
  const trimmed = text.trim()
  if (!trimmed.startsWith('[')) {
    return trimmed
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  }
  try {
    return JSON.parse(trimmed)
  } catch {
    return text
  }
}
