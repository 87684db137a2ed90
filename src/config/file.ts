import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { configLimits } from '../base/limits.js'
import { parseJson } from './json-source.js'
import { describeSection, fromText, type Layer, LayerBuilder } from './layers.js'
import { listSectionKeys, type Setting } from './settings.js'

/** What one configuration file gave. */
export interface FileLayer extends Layer {
  /** False when there is no such file. */
  readonly exists: boolean
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
  const { values, problems } = builder
  const source = readText(path, builder)
  const exists = source !== undefined || problems.length > 0
  if (source !== undefined) readSource(basename(path), source, environment, settings, builder)
  return { exists, values, problems }
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
): void {
  const document = parseJson(source)
  if (!document.ok) {
    const place = `line ${document.line}, column ${document.column}`
    builder.reject(name, undefined, `is not JSON: expected ${document.expected}`, place)
    return
  }
  const originOf = (key: string): string => {
    const line = document.lines.get(key)
    return line === undefined ? name : `${name} line ${line}`
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
    if (resolved.problem === undefined) builder.add(setting, resolved.value, origin, value)
    else builder.reject(key, value, resolved.problem, origin)
  }
  walkFile(document.value, name, take, originOf, builder)
}

function walkFile(
  root: unknown,
  name: string,
  take: (key: string, value: unknown) => void,
  originOf: (key: string) => string,
  builder: LayerBuilder,
): void {
  if (!isObject(root)) {
    builder.reject(name, undefined, 'must hold one JSON object', 'file')
    return
  }
  const sections = listSectionKeys()
  for (const [key, value] of Object.entries(root)) {
    if (key === '$schema') continue
    // A dotted name at the top level is a key of its own, which no setting has.
    if (key.includes('.')) builder.reject(key, value, describeNesting(key), originOf(key))
    else if (!sections.has(key)) take(key, value)
    else if (!isObject(value)) builder.reject(key, value, describeSection(key), originOf(key))
    else for (const [inner, item] of Object.entries(value)) take(`${key}.${inner}`, item)
  }
}

function resolveValue(
  setting: Setting,
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): Resolved {
  if (Array.isArray(value)) {
    const items = value.map((item) => resolveText(item, environment))
    const problem = items.find((item) => item.problem !== undefined)?.problem
    return problem === undefined ? { value: items.map((item) => item.value) } : { value, problem }
  }
  const resolved = resolveText(value, environment)
  // A number or a switch may come from the environment as well: "port": "${PORT}".
  if (resolved.value === value || typeof resolved.value !== 'string') return resolved
  return { ...resolved, value: fromText(setting, resolved.value) }
}

/** Replaces `${NAME}` by the variable of that name; `$${` stands for `${` itself. */
function resolveText(value: unknown, environment: Readonly<Record<string, string | undefined>>): Resolved {
  if (typeof value !== 'string') return { value }
  let problem: string | undefined
  const text = value.replace(/\$(\$\{)|\$\{([^}]*)(\}?)/g, (whole, escaped?: string, name = '', end = '') => {
    if (escaped !== undefined) return escaped
    const found = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (end === '' || !/^[A-Za-z_]\w*$/.test(name)) {
      problem ??= `has a "\${" that no variable name and "}" follow; write "$\${" for the characters themselves`
    } else if (found === undefined) {
      problem ??= `names the environment variable ${name}, which is not set`
    }
    return found ?? whole
  })
  return problem === undefined ? { value: text } : { value, problem }
}

function describeNesting(key: string): string {
  const [outer, ...inner] = key.split('.')
  return `is not a known setting; write nested keys as {"${outer}": {"${inner.join('.')}": ...}}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
