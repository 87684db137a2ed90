import { Ajv } from 'ajv'
import { parseDuration } from '../../base/durations.js'
import { pluginConfigLimits } from '../../base/limits/config.js'
import { GivenValues } from './given-values.js'
import { isObject, type JsonObject, type JsonValue, setMember } from './json-value.js'
import { type ConfigSchema, isSecret, memberSchema } from './schema.js'
import { configFormats } from './schema-reader.js'
import type { GivenSection, PluginConfigSource, ValueProblem } from './section.js'
import { isShowable, schemaAt, toFaults, valueAt } from './value-problems.js'

/** The values of one plugin, as it gets them. */
export interface ResolvedValues {
  /** Without secrets, deeply frozen; durations are milliseconds. Empty when there are problems. */
  readonly values: JsonObject
  /** Secrets by dotted key; also those that were read where there are problems. */
  readonly secrets: ReadonlyMap<string, string>
  readonly problems: readonly ValueProblem[]
}

/**
 * Makes the values of a plugin: those of the file with variables in their place, over them the environment, under
 * both the defaults of the schema. All of it is checked, and everything that is wrong is named.
 */
export function resolveValues(
  schema: ConfigSchema | undefined,
  section: GivenSection,
  environment: PluginConfigSource['environment'],
): ResolvedValues {
  if (schema === undefined) return withoutSchema(section)
  const given = new GivenValues(schema, section, environment)
  const whole = fillDefaults(schema, given.values) as JsonObject
  const problems = [...given.problems, ...check(schema, whole, given)]
  const secrets = new Map<string, string>()
  collectSecrets(schema, whole, [], secrets)
  if (problems.length > 0) return { values: Object.freeze({}), secrets, problems: bounded(problems, section) }
  return { values: publish(schema, whole) as JsonObject, secrets, problems }
}

function withoutSchema(section: GivenSection): ResolvedValues {
  const rule = 'is not a known setting: the plugin has no config_schema and takes no values'
  const written = Object.keys(section.values).map((name) => `${section.key}.${name}`)
  const problems = [
    ...written.map((key) => ({ key, rule, origin: section.originOf(key) })),
    ...section.variables.map(({ variable }) => ({ key: variable, rule, origin: 'environment' })),
  ]
  return { values: Object.freeze({}), secrets: new Map(), problems: bounded(problems, section) }
}

function bounded(problems: readonly ValueProblem[], { key, origin }: GivenSection): readonly ValueProblem[] {
  const { problemsMax } = pluginConfigLimits
  if (problems.length <= problemsMax) return problems
  const rule = `has ${problems.length - problemsMax} further problems`
  return [...problems.slice(0, problemsMax), { key, rule, origin }]
}

function check(schema: ConfigSchema, whole: JsonObject, given: GivenValues): readonly ValueProblem[] {
  const { section } = given
  const bytes = Buffer.byteLength(JSON.stringify(whole))
  if (bytes > pluginConfigLimits.valuesBytesMax) {
    const rule = `has ${bytes} bytes; the limit is ${pluginConfigLimits.valuesBytesMax}`
    return [{ key: section.key, rule, origin: section.origin }]
  }
  const tooLong = findLongTexts(schema, whole, [])
  // Ajv would match the pattern against all of it.
  const validate = compile(schema)
  const faults = tooLong.length > 0 ? tooLong : validate(whole) ? [] : toFaults(validate.errors ?? [], schema)
  return faults
    .filter(({ path }) => !given.isBroken(path))
    .map(({ path, rule }) => {
      const shown = valueAt(section.values, path)
      const isShown = shown !== undefined && isShowable(schemaAt(schema, path), shown)
      return { key: given.keyOf(path), rule, origin: given.originOf(path), ...(isShown ? { shown } : {}) }
    })
}

function compile(schema: ConfigSchema) {
  return new Ajv({
    meta: false,
    validateSchema: false,
    addUsedSchema: false,
    allErrors: true,
    strict: false,
    logger: false,
    unicodeRegExp: true,
    formats: { ...configFormats },
  }).compile(schema)
}

/** Texts that are too long for their pattern; those inside anyOf and its like as well. */
function findLongTexts(
  schema: ConfigSchema | undefined,
  value: JsonValue | undefined,
  path: readonly string[],
): { readonly path: readonly string[]; readonly rule: string }[] {
  if (schema === undefined || value === undefined) return []
  const max = pluginConfigLimits.patternTextCharactersMax
  const inner = ['anyOf', 'oneOf', 'allOf'].flatMap(
    (keyword) => (schema[keyword] as ConfigSchema[] | undefined) ?? [],
  )
  const found = [...inner, ...(schema.not === undefined ? [] : [schema.not as ConfigSchema])].flatMap(
    (branch) => findLongTexts(branch, value, path),
  )
  if (typeof value === 'string') {
    const isTooLong = schema.pattern !== undefined && value.length > max
    return isTooLong ? [...found, { path, rule: `must not be longer than ${max} characters` }] : found
  }
  if (typeof value !== 'object' || value === null) return found
  const members = Object.entries(value).flatMap(([name, member]) =>
    findLongTexts(Array.isArray(value) ? schema.items : memberSchema(schema, name), member, [...path, name]),
  )
  return [...found, ...members]
}

/** Adds what is not given and has a default, also in objects that are absent as a whole and miss nothing then. */
function fillDefaults(schema: ConfigSchema, value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item) => fillDefaults(items, item))
  }
  if (!isObject(value)) return value
  const filled: Record<string, JsonValue> = {}
  for (const [name, member] of Object.entries(value as JsonObject)) {
    const inner = memberSchema(schema, name)
    setMember(filled, name, inner === undefined ? member : fillDefaults(inner, member))
  }
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    if (Object.hasOwn(filled, name)) continue
    const preset = presetOf(inner)
    if (preset !== undefined) setMember(filled, name, preset)
  }
  return filled
}

function presetOf(schema: ConfigSchema): JsonValue | undefined {
  if (schema.default !== undefined) return fillDefaults(schema, schema.default)
  if (schema.type !== 'object' || schema.properties === undefined) return undefined
  const filled = fillDefaults(schema, {}) as JsonObject
  const isWhole = (schema.required ?? []).every((name) => Object.hasOwn(filled, name))
  return isWhole && Object.keys(filled).length > 0 ? filled : undefined
}

function collectSecrets(
  schema: ConfigSchema | undefined,
  value: JsonValue,
  path: readonly string[],
  found: Map<string, string>,
): void {
  if (typeof value === 'string' && isSecret(schema)) found.set(path.join('.'), value)
  if (!isObject(value)) return
  for (const [name, member] of Object.entries(value as JsonObject)) {
    collectSecrets(memberSchema(schema, name), member, [...path, name], found)
  }
}

/** Copies what the plugin's `config` shows: no secrets, durations as milliseconds; deeply frozen. */
function publish(schema: ConfigSchema | undefined, value: JsonValue): JsonValue {
  if (typeof value === 'string' && schema?.format === 'duration') return parseDuration(value)
  if (Array.isArray(value)) return Object.freeze(value.map((item) => publish(schema?.items, item)))
  if (!isObject(value)) return value
  const shown: Record<string, JsonValue> = {}
  for (const [name, member] of Object.entries(value as JsonObject)) {
    const inner = memberSchema(schema, name)
    if (!isSecret(inner)) setMember(shown, name, publish(inner, member))
  }
  return Object.freeze(shown)
}
