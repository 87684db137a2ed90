import { interpolate } from '../../base/interpolation.js'
import { isObject, type JsonObject, type JsonValue, setMember } from './json-value.js'
import { type ConfigSchema, memberSchema, takes } from './schema.js'
import type { GivenSection, GivenVariable, PluginConfigSource, ValueProblem } from './section.js'
import { describeUnknown } from './value-problems.js'

/** Deeper nesting is a mistake, and would end the stack. */
const depthMax = 32

/** The values that an operator gives one plugin: the file's with variables replaced, over them the environment's. */
export class GivenValues {
  readonly section: GivenSection
  readonly problems: ValueProblem[] = []
  /** May be changed no more once it is read. */
  readonly values: JsonObject
  readonly #schema: ConfigSchema
  readonly #environment: PluginConfigSource['environment']
  /** Variables that gave a value, by the path of the value. */
  readonly #variables = new Map<string, string>()
  /** Paths of values of which a problem is named already. */
  readonly #broken = new Set<string>()

  constructor(schema: ConfigSchema, section: GivenSection, environment: PluginConfigSource['environment']) {
    this.#schema = schema
    this.section = section
    this.#environment = environment
    const copy = this.#copy(section.values as JsonObject, schema, [])
    const values = (copy ?? {}) as Record<string, JsonValue>
    // A variable for one member wins over one for the object that it stands in.
    const outerFirst = [...section.variables].sort((a, b) => a.path.length - b.path.length)
    for (const variable of outerFirst) this.#place(variable, values)
    this.values = values
  }

  /** Tells whether a problem of a value, or of what it stands in, is named already. */
  isBroken(path: readonly string[]): boolean {
    return path.some((_, at) => this.#broken.has(keyOf(path.slice(0, at + 1))))
  }

  /** Writes the place of a value as people do, e.g. `plugins.tokens.keys[2].name`. */
  keyOf(path: readonly string[]): string {
    let key = this.section.key
    let value: JsonValue | undefined = this.values
    for (const name of path) {
      key += Array.isArray(value) ? `[${name}]` : `.${name}`
      value = isObject(value) || Array.isArray(value) ? (value as JsonObject)[name] : undefined
    }
    return key
  }

  /** Says where a value comes from; one that is not given has the place of what it is missing in. */
  originOf(path: readonly string[]): string {
    for (let length = path.length; length > 0; length -= 1) {
      const variable = this.#variables.get(keyOf(path.slice(0, length)))
      if (variable !== undefined) return `environment variable ${variable}`
    }
    return this.section.originOf([this.section.key, ...path].join('.'))
  }

  #refuse(path: readonly string[], rule: string, shown?: string): undefined {
    this.#broken.add(keyOf(path))
    const problem = { key: this.#keyOfCopied(path), rule, origin: this.originOf(path) }
    this.problems.push(shown === undefined ? problem : { ...problem, shown })
    return undefined
  }

  /** As `keyOf`, while the values are being copied. */
  #keyOfCopied(path: readonly string[]): string {
    return [this.section.key, ...path].join('.')
  }

  #copy(value: unknown, schema: ConfigSchema | undefined, path: readonly string[]): JsonValue | undefined {
    if (path.length > depthMax) return this.#refuse(path, `is nested deeper than ${depthMax} levels`)
    if (typeof value === 'string') return this.#copyText(value, schema, path)
    if (value === null || typeof value === 'boolean') return value
    if (typeof value === 'number' && Number.isFinite(value)) return value
    if (Array.isArray(value)) {
      return value.map((item, at) => this.#copy(item, schema?.items, [...path, String(at)]) ?? null)
    }
    if (!isObject(value)) return this.#refuse(path, 'must be a value that JSON can say')
    const copy: Record<string, JsonValue> = {}
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue
      const copied = this.#copy(member, memberSchema(schema, name), [...path, name])
      if (copied !== undefined) setMember(copy, name, copied)
    }
    return copy
  }

  #copyText(value: string, schema: ConfigSchema | undefined, path: readonly string[]): JsonValue | undefined {
    if (this.#environment === undefined) return value
    const { text, isChanged, problem } = interpolate(value, this.#environment)
    // The text may be a secret but for the names of variables, of which the rule speaks.
    if (problem !== undefined) return this.#refuse(path, problem)
    return isChanged ? fromText(schema, text) : text
  }

  /** Puts the value of a variable in its place. */
  #place({ variable, path, text }: GivenVariable, values: Record<string, JsonValue>): void {
    let holder = values
    let schema: ConfigSchema | undefined = this.#schema
    const names: string[] = []
    for (const [at, part] of path.entries()) {
      const name = findName(schema, holder, part)
      if (name === undefined) {
        const known = Object.keys(schema?.properties ?? {}).map((each) =>
          each.toUpperCase().replaceAll('-', '_'),
        )
        const rule = describeUnknown(part.toUpperCase(), known)
        this.problems.push({ key: variable, rule, origin: 'environment' })
        return
      }
      names.push(name)
      schema = memberSchema(schema, name)
      if (at === path.length - 1) break
      const next = Object.hasOwn(holder, name) ? holder[name] : {}
      if (!isObject(next)) {
        const rule = `leads into ${this.#keyOfCopied(names)}, which is no object`
        this.problems.push({ key: variable, rule, origin: 'environment' })
        return
      }
      setMember(holder, name, next as JsonObject)
      holder = next as Record<string, JsonValue>
    }
    const key = keyOf(names)
    setMember(holder, names.at(-1) ?? '', fromText(schema, text))
    this.#variables.set(key, variable)
    // Whatever was wrong in the file has been said.
    this.#broken.delete(key)
  }
}

/** The member that a part of a variable means, whatever its case. */
function findName(
  schema: ConfigSchema | undefined,
  holder: Readonly<Record<string, JsonValue>>,
  part: string,
): string | undefined {
  const isMeant = (name: string): boolean => name.toLowerCase().replaceAll('-', '_') === part
  const declared = Object.keys(schema?.properties ?? {}).find(isMeant)
  if (declared !== undefined) return declared
  const { additionalProperties = schema?.properties === undefined } = schema ?? {}
  return additionalProperties === false ? undefined : (Object.keys(holder).find(isMeant) ?? part)
}

/**
 * Turns text from the environment into the type that the schema names; text that does not fit stays text, which the
 * check then refuses. Where a text is taken, it stays text.
 */
function fromText(schema: ConfigSchema | undefined, text: string): JsonValue {
  if (schema === undefined || takes(schema, 'string')) return text
  const trimmed = text.trim()
  if (takes(schema, 'boolean')) {
    const word = trimmed.toLowerCase()
    if (word === 'true' || word === '1') return true
    if (word === 'false' || word === '0') return false
  }
  if (takes(schema, 'integer') || takes(schema, 'number')) {
    if (/^-?\d{1,15}(?:\.\d{1,15})?(?:[eE][+-]?\d{1,3})?$/.test(trimmed)) return Number(trimmed)
  }
  if (takes(schema, 'null') && trimmed === 'null') return null
  const isStructure = takes(schema, 'array') || takes(schema, 'object')
  if (isStructure && /^[[{]/.test(trimmed)) return fromJson(text)
  if (!takes(schema, 'array')) return text
  const items = trimmed === '' ? [] : trimmed.split(',')
  return items.map((item) => fromText(schema.items, item.trim()))
}

function fromJson(text: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(text)
    return depthOf(value) > depthMax ? text : value
  } catch {
    return text
  }
}

function depthOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0
  let deepest = 0
  for (let level: JsonValue[] = [value]; level.length > 0 && deepest <= depthMax; deepest += 1) {
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
  }
  return deepest
}

/** A path as a key of a map: names hold no line feeds that would make two paths one. */
function keyOf(path: readonly string[]): string {
  return JSON.stringify(path)
}
