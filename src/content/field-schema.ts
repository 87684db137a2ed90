import { Ajv, type ErrorObject } from 'ajv'
import { contentLimits } from '../base/limits/content.js'
import { fieldFormats } from './field-formats.js'

/** Checks the fields of one entry; gives what is wrong with them, undefined when nothing is. */
export type FieldCheck = (fields: unknown) => string | undefined

/** Keywords whose value is a plain limit or a text. */
const plainKeywords: ReadonlyMap<string, 'number' | 'string' | 'boolean' | 'any' | 'strings'> = new Map([
  ['title', 'string'],
  ['description', 'string'],
  ['default', 'any'],
  ['const', 'any'],
  ['minLength', 'number'],
  ['maxLength', 'number'],
  ['minimum', 'number'],
  ['maximum', 'number'],
  ['exclusiveMinimum', 'number'],
  ['exclusiveMaximum', 'number'],
  ['multipleOf', 'number'],
  ['minItems', 'number'],
  ['maxItems', 'number'],
  ['minProperties', 'number'],
  ['maxProperties', 'number'],
  ['required', 'strings'],
])

const types: readonly string[] = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']
const propertyName = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

/**
 * Finds what is wrong with the schema of a datatype. Only keywords whose check takes a time that is bounded by the
 * size of schema and value are taken: no `$ref` (recursion, remote files), no `pattern` (backtracking), no
 * `uniqueItems` (comparison of all pairs), and as `format` only those of `fieldFormats`.
 *
 * @returns A sentence, or undefined when the schema can be used.
 */
export function findSchemaProblem(schema: unknown): string | undefined {
  if (!isObject(schema)) return 'schema must be an object'
  const bytes = Buffer.byteLength(JSON.stringify(schema))
  if (bytes > contentLimits.schemaBytesMax) {
    return `schema has ${bytes} bytes; the limit is ${contentLimits.schemaBytesMax}`
  }
  if (schema.type !== 'object') return 'schema must have "type": "object", because the fields are an object'
  return new SchemaWalk().problemOf(schema, 'schema', 0)
}

/**
 * Makes the check of a schema in which `findSchemaProblem` found nothing. It stops at the first problem: a value with
 * very many would take time and memory for all of them.
 */
export function compileFieldCheck(schema: object): FieldCheck {
  const ajv = new Ajv({
    meta: false,
    validateSchema: false,
    addUsedSchema: false,
    allErrors: false,
    strict: false,
    logger: false,
    formats: { ...fieldFormats },
  })
  const validate = ajv.compile(schema)
  return (fields) => (validate(fields) ? undefined : describe(validate.errors?.[0]))
}

class SchemaWalk {
  #nodes = 0

  problemOf(schema: unknown, place: string, depth: number): string | undefined {
    if (!isObject(schema)) return `${place} must be an object`
    this.#nodes += 1
    const { schemaNodesMax, schemaDepthMax } = contentLimits
    if (this.#nodes > schemaNodesMax) return `schema holds more than ${schemaNodesMax} schemas`
    if (depth > schemaDepthMax) return `${place} is nested deeper than ${schemaDepthMax} levels`
    for (const [keyword, value] of Object.entries(schema)) {
      const problem = this.#keyword(keyword, value, `${place}.${keyword}`, depth)
      if (problem !== undefined) return problem
    }
    return undefined
  }

  #keyword(keyword: string, value: unknown, place: string, depth: number): string | undefined {
    switch (keyword) {
      case 'type':
        return typeProblem(value, place)
      case 'enum':
        return enumProblem(value, place)
      case 'const':
        return isScalar(value) ? undefined : `${place} may be a text, a number, true, false or null`
      case 'format':
        return formatProblem(value, place)
      case 'properties':
        return this.#properties(value, place, depth)
      case 'additionalProperties':
        return typeof value === 'boolean' ? undefined : this.problemOf(value, place, depth + 1)
      case 'items':
      case 'not':
        return this.problemOf(value, place, depth + 1)
      case 'anyOf':
      case 'oneOf':
      case 'allOf':
        return this.#list(value, place, depth)
      default:
        return plainProblem(keyword, value, place)
    }
  }

  #properties(value: unknown, place: string, depth: number): string | undefined {
    if (!isObject(value)) return `${place} must be an object`
    for (const [name, schema] of Object.entries(value)) {
      if (!propertyName.test(name) || name === '__proto__') {
        return `${place} has the name ${JSON.stringify(name.slice(0, 80))}; use a letter or "_" and then letters, digits, "_" and "-", at most 64`
      }
      const problem = this.problemOf(schema, `${place}.${name}`, depth + 1)
      if (problem !== undefined) return problem
    }
    return undefined
  }

  #list(value: unknown, place: string, depth: number): string | undefined {
    if (!Array.isArray(value) || value.length === 0) return `${place} must be a list of schemas`
    for (const [at, schema] of value.entries()) {
      const problem = this.problemOf(schema, `${place}[${at}]`, depth + 1)
      if (problem !== undefined) return problem
    }
    return undefined
  }
}

function typeProblem(value: unknown, place: string): string | undefined {
  const given = Array.isArray(value) ? value : [value]
  const isKnown = given.length > 0 && given.every((type) => types.includes(type as string))
  if (isKnown && new Set(given).size === given.length) return undefined
  return `${place} must be one of ${types.join(', ')}, or a list of them`
}

/** Objects are not compared: a field with a member such as `toString` could break the comparison. */
function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object'
}

function enumProblem(value: unknown, place: string): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return `${place} must be a list of values`
  if (value.length > contentLimits.schemaEnumMax) {
    return `${place} has ${value.length} values; the limit is ${contentLimits.schemaEnumMax}`
  }
  return value.every(isScalar) ? undefined : `${place} may hold texts, numbers, true, false and null`
}

function formatProblem(value: unknown, place: string): string | undefined {
  if (typeof value === 'string' && Object.hasOwn(fieldFormats, value)) return undefined
  return `${place} must be one of ${Object.keys(fieldFormats).join(', ')}`
}

function plainProblem(keyword: string, value: unknown, place: string): string | undefined {
  const wanted = plainKeywords.get(keyword)
  if (wanted === undefined) {
    return `${place} is not supported: a schema may use type, enum, format, properties, additionalProperties, items, not, anyOf, oneOf, allOf, ${[...plainKeywords.keys()].join(', ')}`
  }
  if (wanted === 'any') return undefined
  if (wanted === 'strings') {
    const isList = Array.isArray(value) && value.every((name) => typeof name === 'string')
    return isList && new Set(value).size === value.length ? undefined : `${place} must be a list of names`
  }
  if (wanted === 'number') return numberProblem(keyword, value, place)
  return typeof value === wanted ? undefined : `${place} must be a ${wanted}`
}

function numberProblem(keyword: string, value: unknown, place: string): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return `${place} must be a number`
  if (keyword === 'multipleOf') return value > 0 ? undefined : `${place} must be greater than 0`
  const isCount = /Length|Items|Properties/.test(keyword)
  return isCount && !(Number.isSafeInteger(value) && value >= 0) ? `${place} must be a count` : undefined
}

function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return 'fields are not valid'
  const { instancePath, keyword, params, message = 'is not valid' } = error
  const place = `fields${instancePath.replace(/\/(\d+)(?=\/|$)/g, '[$1]').replaceAll('/', '.')}`
  if (keyword === 'additionalProperties') {
    return `${place} has the unknown member ${JSON.stringify(String(params.additionalProperty).slice(0, 80))}`
  }
  if (keyword === 'required') return `${place} lacks the member "${params.missingProperty}"`
  if (keyword === 'enum') return `${place} must be one of ${listed(params.allowedValues)}`
  if (keyword === 'const') return `${place} must be ${JSON.stringify(params.allowedValue)}`
  return `${place} ${message}`
}

function listed(values: unknown): string {
  const texts = (Array.isArray(values) ? values : []).map((value) => JSON.stringify(value))
  return texts.length > 10
    ? `${texts.slice(0, 10).join(', ')} and ${texts.length - 10} more`
    : texts.join(', ')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
