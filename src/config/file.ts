import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { interpolate } from '../base/interpolation.js'
import { configLimits } from '../base/limits/config.js'
import { parseJson } from './json-source.js'
import { describeGroup, fromText, type Layer, LayerBuilder } from './layers.js'
import type { GivenSections } from './plugin-sections.js'
import { listGroups, type Setting } from './settings.js'

/** What one configuration file gave. */
export interface FileLayer extends Layer {
  /** False when there is no such file. */
  readonly exists: boolean
  /** The object `plugins`, as it is written; undefined when there is none. */
  readonly plugins: GivenSections | undefined
}

/** What a value of the file is turned into by the environment. */
interface Resolved {
  readonly value: unknown
  readonly problem?: string
}

/** Reads a configuration file. An absent file gives nothing, an unreadable one a problem. */
export function readConfigFile(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting[],
): FileLayer {
  const builder = new LayerBuilder()
  const { values, emptyGroups, problems } = builder
  const source = readText(path, builder)
  const exists = source !== undefined || problems.length > 0
  const plugins =
    source === undefined ? undefined : readSource(basename(path), source, environment, settings, builder)
  return { exists, values, emptyGroups, problems, plugins }
}

function readText(path: string, builder: LayerBuilder): string | undefined {
  try {
    const { size } = statSync(path)
    if (size <= configLimits.fileBytesMax) return readFileSync(path, 'utf8').replace(/^\uFEFF/, '')
    const rule = `is ${size} bytes; a configuration file has at most ${configLimits.fileBytesMax}`
    builder.reject(path, undefined, rule, 'file')
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code
    if (code !== 'ENOENT') builder.reject(path, undefined, `cannot be read (${code})`, 'file')
  }
  return undefined
}

function readSource(
  name: string,
  source: string,
  environment: Readonly<Record<string, string | undefined>>,
  settings: readonly Setting[],
  builder: LayerBuilder,
): GivenSections | undefined {
  const document = parseJson(source)
  if (!document.ok) {
    const place = `line ${document.line}, column ${document.column}`
    builder.reject(name, undefined, `is not JSON: expected ${document.expected}`, place)
    return undefined
  }
  const originOf = (key: string): string => {
    const line = document.lines.get(key)
    if (line !== undefined) return `${name} line ${line}`
    // Members of lists have no line of their own, and absent ones none at all: what they stand in has.
    const end = key.lastIndexOf('.')
    return end === -1 ? name : originOf(key.slice(0, end))
  }
  for (const key of document.duplicates) builder.reject(key, undefined, 'is given twice', originOf(key))
  const bySettingKey = new Map(settings.map((setting) => [setting.key, setting]))
  const take = (key: string, value: unknown): void => {
    const setting = bySettingKey.get(key)
    const origin = originOf(key)
    if (!setting) {
      builder.rejectUnknown(key, value, [...bySettingKey.keys()], origin)
      return
    }
    const resolved = resolveValue(setting, value, environment)
    if (resolved.problem === undefined) builder.add(setting, resolved.value, origin, value, originOf)
    else builder.reject(key, value, resolved.problem, origin)
  }
  return walkFile(document.value, name, take, originOf, builder)
}

function walkFile(
  root: unknown,
  name: string,
  take: (key: string, value: unknown) => void,
  originOf: (key: string) => string,
  builder: LayerBuilder,
): GivenSections | undefined {
  if (!isObject(root)) {
    builder.reject(name, undefined, 'must hold one JSON object', 'file')
    return undefined
  }
  const { $schema: _, plugins, ...settings } = root
  walkGroup(settings, '', take, originOf, builder)
  return plugins === undefined ? undefined : { value: plugins, originOf }
}

/** Takes the settings of one object of the file, `prefix` being its dotted key and a dot. */
function walkGroup(
  members: Readonly<Record<string, unknown>>,
  prefix: string,
  take: (key: string, value: unknown) => void,
  originOf: (key: string) => string,
  builder: LayerBuilder,
): void {
  const groups = listGroups()
  for (const [name, value] of Object.entries(members)) {
    const key = prefix + name
    // A name with a dot is a key of its own, which no setting has.
    if (name.includes('.')) builder.reject(key, value, describeNesting(key), originOf(key))
    else if (!groups.has(key)) take(key, value)
    else if (!isObject(value)) builder.reject(key, value, describeGroup(key), originOf(key))
    else if (Object.keys(value).length === 0) builder.addEmptyGroup(key, value, originOf(key))
    else walkGroup(value, `${key}.`, take, originOf, builder)
  }
}

function resolveValue(
  setting: Setting,
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): Resolved {
  const resolved = resolveDeep(value, environment)
  // A number or a switch may come from the environment as well: "port": "${PORT}".
  if (resolved.value === value || typeof resolved.value !== 'string') return resolved
  return { ...resolved, value: fromText(setting, resolved.value) }
}

/** Replaces the variables in all texts of a value; names of members are left alone. */
function resolveDeep(value: unknown, environment: Readonly<Record<string, string | undefined>>): Resolved {
  if (typeof value !== 'object' || value === null) return resolveText(value, environment)
  const members = Object.entries(value).map(([name, item]) => [name, resolveDeep(item, environment)] as const)
  const problem = members.find(([, member]) => member.problem !== undefined)?.[1].problem
  if (problem !== undefined) return { value, problem }
  if (Array.isArray(value)) return { value: members.map(([, member]) => member.value) }
  return { value: Object.fromEntries(members.map(([name, member]) => [name, member.value])) }
}

/** Replaces the variables in a text; see `interpolate`. */
function resolveText(value: unknown, environment: Readonly<Record<string, string | undefined>>): Resolved {
  if (typeof value !== 'string') return { value }
  const { text, problem } = interpolate(value, environment, true)
  return problem === undefined ? { value: text } : { value, problem }
}

function describeNesting(key: string): string {
  const nested = key.split('.').reduceRight((inner, name) => `{"${name}": ${inner}}`, '...')
  return `is not a known setting; write nested keys as ${nested}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
