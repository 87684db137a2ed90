import { parseDuration } from '../../base/durations.js'
import { pluginConfigLimits } from '../../base/limits/config.js'
import { nearestName } from '../../base/nearest-name.js'
import { fieldFormats } from '../../content/field-formats.js'
import { isObject, type JsonObject, type JsonValue, setMember } from './json-value.js'
import { findPatternProblem } from './pattern-cost.js'
import type { ConfigSchema } from './schema.js'

/** Formats of texts in the configuration of plugins, beside `secret`, which takes any text. */
export const configFormats: Readonly<Record<string, (text: string) => boolean>> = {
  ...fieldFormats,
  duration: isDuration,
  secret: () => true,
}

/** A schema that was read, or what is wrong with it. */
export interface ReadSchema {
  readonly schema: ConfigSchema | undefined
  readonly problems: readonly { readonly field: string; readonly message: string }[]
}

const types: readonly string[] = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']
const counts = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties']
const numbers = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']
const branches = ['anyOf', 'oneOf', 'allOf']
const ignored = ['$schema', '$id', '$comment', '$defs', 'definitions', 'examples']
const keywords = [
  ...[
    'type',
    'properties',
    'required',
    'additionalProperties',
    'items',
    'enum',
    'const',
    'format',
    'pattern',
  ],
  ...['title', 'description', 'default', 'secret', '$ref', 'not', ...branches, ...counts, ...numbers],
]
const propertyName = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/
const reference = /^#\/(\$defs|definitions)\/([A-Za-z0-9_-]{1,64})$/

/** Names of members of a plugin's section that are the host's. */
const reservedNames: readonly string[] = ['enabled', 'required', 'route_aliases']

/**
 * Reads `plugin_info.config_schema`. Takes only keywords whose check costs at most the size of the schema times that of
 * the values, puts what a `$ref` stands for in its place, and lets objects take no members that they do not name.
 *
 * @param given The table as it left Lua.
 */
export function readConfigSchema(given: unknown): ReadSchema {
  const reader = new SchemaReader(given)
  const schema = reader.read()
  return { schema: reader.problems.length === 0 ? schema : undefined, problems: reader.problems }
}

/** Where in the schema something stands. */
interface Place {
  readonly field: string
  readonly depth: number
  /** False inside anyOf and its like, where it cannot be told which values a schema is for. */
  readonly isCertain: boolean
  readonly isRoot?: boolean
  readonly isItem?: boolean
}

class SchemaReader {
  readonly problems: { readonly field: string; readonly message: string }[] = []
  readonly #root: unknown
  #nodes = 0

  constructor(root: unknown) {
    this.#root = root
  }

  read(): ConfigSchema | undefined {
    const field = 'config_schema'
    const bytes = sizeOf(this.#root)
    const { schemaBytesMax } = pluginConfigLimits
    if (bytes === undefined) this.#report(field, 'must hold texts, numbers, booleans, lists and tables only')
    else if (bytes > schemaBytesMax) this.#report(field, `has ${bytes} bytes; the limit is ${schemaBytesMax}`)
    if (this.problems.length > 0) return undefined
    const schema = this.#schema(this.#root, { field, depth: 0, isCertain: true, isRoot: true })
    if (schema !== undefined && schema.type !== 'object') {
      this.#report(`${field}.type`, 'must be "object", because the configuration is an object')
    }
    return schema
  }

  #report(field: string, words: string): undefined {
    // One mistake can stand in very many places.
    if (this.problems.length < pluginConfigLimits.problemsMax) {
      this.problems.push({ field, message: `${field} ${words}` })
    }
    return undefined
  }

  #schema(given: unknown, place: Place): ConfigSchema | undefined {
    const { field, depth } = place
    this.#nodes += 1
    const { schemaNodesMax, schemaDepthMax } = pluginConfigLimits
    if (this.#nodes === schemaNodesMax + 1)
      this.#report(field, `is beyond the limit of ${schemaNodesMax} schemas`)
    if (this.#nodes > schemaNodesMax) return undefined
    if (depth > schemaDepthMax) return this.#report(field, `is nested deeper than ${schemaDepthMax} levels`)
    if (!isObject(given)) return this.#report(field, 'must be a table')
    if (given.$ref !== undefined) return this.#referenced(given, place)
    const schema: Record<string, unknown> = {}
    for (const [keyword, value] of Object.entries(given)) {
      const read = this.#keyword(keyword, value, { ...place, field: `${field}.${keyword}` }, given)
      if (read !== undefined) schema[keyword] = read
    }
    return this.#complete(schema, place)
  }

  /** Says what is meant and need not be written. */
  #complete(schema: Record<string, unknown>, place: Place): ConfigSchema {
    const { field, isCertain, isRoot = false, isItem = false } = place
    if (schema.properties !== undefined || isRoot) schema.type ??= 'object'
    const takesUnknown = schema.additionalProperties !== undefined || !isCertain
    if ((schema.properties !== undefined || isRoot) && !takesUnknown) schema.additionalProperties = false
    if (schema.secret === true || schema.format === 'secret') {
      schema.type ??= 'string'
      if (schema.type !== 'string') this.#report(field, 'is secret and must have the type "string"')
      if (schema.default !== undefined)
        this.#report(`${field}.default`, 'is a secret that everybody can read')
      if (!isCertain || isItem) this.#report(field, 'is secret, which only members of objects can be')
    }
    if (schema.format === 'duration' && !isCertain) {
      this.#report(`${field}.format`, 'cannot be "duration" inside anyOf, oneOf, allOf and not')
    }
    if (schema.default !== undefined && !isCertain) {
      this.#report(`${field}.default`, 'has no effect inside anyOf, oneOf, allOf and not')
    }
    return schema as ConfigSchema
  }

  /** Puts what is referred to in the place of the reference; a circle ends at the limit of the depth. */
  #referenced(given: Readonly<Record<string, unknown>>, place: Place): ConfigSchema | undefined {
    const { $ref, ...rest } = given
    const field = `${place.field}.$ref`
    const [, holder = '', name = ''] = (typeof $ref === 'string' && reference.exec($ref)) || []
    const others = Object.keys(rest).filter((key) => key !== 'description' && key !== 'title')
    if (name === '') return this.#report(field, 'must be "#/$defs/" and a name; nothing outside is read')
    if (others.length > 0)
      return this.#report(field, `stands alone; move ${others.join(', ')} to what it refers to`)
    const definitions = isObject(this.#root) ? this.#root[holder] : undefined
    const found = isObject(definitions) && Object.hasOwn(definitions, name) ? definitions[name] : undefined
    if (found === undefined) return this.#report(field, `refers to ${holder}.${name}, which is not there`)
    return this.#schema(found, { ...place, depth: place.depth + 1 })
  }

  #keyword(
    keyword: string,
    value: unknown,
    place: Place,
    schema: Readonly<Record<string, unknown>>,
  ): unknown {
    const { field } = place
    const inner = { field, depth: place.depth + 1, isCertain: place.isCertain }
    if (ignored.includes(keyword)) return undefined
    if (counts.includes(keyword)) {
      return Number.isSafeInteger(value) && Number(value) >= 0
        ? value
        : this.#report(field, 'must be a count')
    }
    if (numbers.includes(keyword)) {
      const isRight =
        typeof value === 'number' && Number.isFinite(value) && (keyword !== 'multipleOf' || value > 0)
      return isRight
        ? value
        : this.#report(field, `must be a number${keyword === 'multipleOf' ? ' above 0' : ''}`)
    }
    if (branches.includes(keyword)) return this.#branches(value, { ...inner, isCertain: false })
    switch (keyword) {
      case 'type':
        return this.#type(value, field)
      case 'title':
      case 'description':
        return typeof value === 'string' ? value : this.#report(field, 'must be a text')
      case 'secret':
        return typeof value === 'boolean' ? value : this.#report(field, 'must be true or false')
      case 'default':
        return toJson(value, wantsList(schema))
      case 'const':
        return isScalar(value) ? value : this.#report(field, 'must be a text, a number or a boolean')
      case 'enum':
        return this.#enum(value, field)
      case 'required':
        return this.#names(value, field)
      case 'format':
        return this.#format(value, field)
      case 'pattern':
        return this.#pattern(value, field)
      case 'properties':
        return this.#properties(value, place)
      case 'items':
        return this.#schema(value, { ...inner, isItem: true })
      case 'additionalProperties':
        return typeof value === 'boolean' ? value : this.#schema(value, inner)
      case 'not':
        return this.#schema(value, { ...inner, isCertain: false })
      default:
        return this.#unknown(keyword, field)
    }
  }

  #type(value: unknown, field: string): unknown {
    const given: readonly unknown[] = Array.isArray(value) ? value : [value]
    const isKnown = given.length > 0 && given.every((type) => types.includes(type as string))
    if (isKnown && new Set(given).size === given.length) return value
    return this.#report(field, `must be one of ${types.join(', ')}, or a list of them`)
  }

  #enum(value: unknown, field: string): unknown {
    const isList = Array.isArray(value) && value.length > 0 && value.every(isScalar)
    if (!isList) return this.#report(field, 'must be a list of texts, numbers and booleans')
    if (value.length <= pluginConfigLimits.schemaEnumMax) return value
    return this.#report(field, `has ${value.length} values; the limit is ${pluginConfigLimits.schemaEnumMax}`)
  }

  #names(value: unknown, field: string): unknown {
    const list = toJson(value, true)
    const isList = Array.isArray(list) && list.every((name) => typeof name === 'string')
    return isList ? [...new Set(list)] : this.#report(field, 'must be a list of names')
  }

  #format(value: unknown, field: string): unknown {
    if (typeof value === 'string' && Object.hasOwn(configFormats, value)) return value
    return this.#report(field, `must be one of ${Object.keys(configFormats).join(', ')}`)
  }

  #pattern(value: unknown, field: string): unknown {
    if (typeof value !== 'string') return this.#report(field, 'must be a text')
    const problem = findPatternProblem(value)
    return problem === undefined ? value : this.#report(field, problem)
  }

  #properties(value: unknown, place: Place): unknown {
    const { field } = place
    const properties: Record<string, unknown> = {}
    if (!isObject(value)) return this.#report(field, 'must be a table of schemas by name')
    const seen = new Map<string, string>()
    for (const [name, schema] of Object.entries(value)) {
      const shown = JSON.stringify(name.slice(0, 80))
      const variable = name.toLowerCase().replaceAll('-', '_')
      const twin = seen.get(variable)
      seen.set(variable, name)
      if (!propertyName.test(name) || name === '__proto__' || name.includes('__')) {
        this.#report(
          field,
          `has the name ${shown}; use a letter or "_", then letters, digits, "-" and single "_", at most 64`,
        )
      } else if (place.isRoot === true && reservedNames.includes(name)) {
        this.#report(field, `has the name ${shown}, which is the host's own; choose another`)
      } else if (twin !== undefined) {
        this.#report(field, `has ${shown} and "${twin}", which are the same in the environment; rename one`)
      } else {
        properties[name] = this.#schema(schema, {
          field: `${field}.${name}`,
          depth: place.depth + 1,
          isCertain: place.isCertain,
        })
      }
    }
    return properties
  }

  #branches(value: unknown, place: Place): unknown {
    if (!Array.isArray(value) || value.length === 0)
      return this.#report(place.field, 'must be a list of schemas')
    return value.map((schema, at) => this.#schema(schema, { ...place, field: `${place.field}[${at}]` }))
  }

  #unknown(keyword: string, field: string): undefined {
    const nearest = nearestName(keyword, keywords)
    const hint =
      nearest === undefined ? `; it may be one of ${keywords.join(', ')}` : `; did you mean ${nearest}?`
    return this.#report(field, `is not supported${hint}`)
  }
}

function isDuration(text: string): boolean {
  if (text.length > 64) return false
  try {
    return parseDuration(text) >= 0
  } catch {
    return false
  }
}

/** Bytes of a value as JSON; undefined when it cannot be written as JSON. */
function sizeOf(value: unknown): number | undefined {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '')
  } catch {
    return undefined
  }
}

function wantsList({ type }: Readonly<Record<string, unknown>>): boolean {
  return type === 'array'
}

/** Copies a value as JSON; an empty Lua table is an empty list where one is wanted. */
function toJson(value: unknown, isList: boolean): JsonValue {
  if (Array.isArray(value)) return value.map((item) => toJson(item, false))
  if (!isObject(value)) return value as JsonValue
  const entries = Object.entries(value)
  if (entries.length === 0 && isList) return []
  const copy: Record<string, JsonValue> = {}
  for (const [name, member] of entries) setMember(copy, name, toJson(member, false))
  return copy as JsonObject
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}
