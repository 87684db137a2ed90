import type { ErrorObject } from 'ajv'
import { nearestName } from '../../base/nearest-name.js'
import { isObject } from './json-value.js'
import { type ConfigSchema, isSecret, memberSchema } from './schema.js'

/** What is wrong with one value: where it stands, and the end of a sentence. */
export interface Fault {
  readonly path: readonly string[]
  readonly rule: string
}

/** Says what Ajv found, in the words of this host and without any value. */
export function toFaults(errors: readonly ErrorObject[], schema: ConfigSchema): readonly Fault[] {
  // What is wrong inside a branch is said by the branch as a whole.
  return errors
    .filter(({ schemaPath }) => !/\/(?:anyOf|oneOf|not)\//.test(schemaPath))
    .map((error) => toFault(error, schema))
}

function toFault(
  { instancePath, keyword, params, message = 'is not valid' }: ErrorObject,
  root: ConfigSchema,
): Fault {
  const path = pathOf(instancePath)
  const schema = schemaAt(root, path)
  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params.additionalProperty)
      return { path: [...path, name], rule: describeUnknown(name, Object.keys(schema?.properties ?? {})) }
    }
    case 'required': {
      const name = String(params.missingProperty)
      return { path: [...path, name], rule: `is missing; it must be ${describe(memberSchema(schema, name))}` }
    }
    case 'type':
    case 'enum':
    case 'format':
      return { path, rule: `must be ${describe(schema)}` }
    default:
      return { path, rule: message.replace(/^must NOT/, 'must not') }
  }
}

/** Says that a name is not known, and which one may have been meant. */
export function describeUnknown(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  const list = known.length === 0 ? '' : `; known are ${known.join(', ')}`
  return `is not a known setting${nearest === undefined ? list : `; did you mean ${nearest}?`}`
}

/** The schema of the value at a path; undefined where none can be told. */
export function schemaAt(root: ConfigSchema, path: readonly string[]): ConfigSchema | undefined {
  let schema: ConfigSchema | undefined = root
  for (const name of path) {
    schema = schema?.items !== undefined && /^\d+$/.test(name) ? schema.items : memberSchema(schema, name)
  }
  return schema
}

/** The value at a path; undefined when there is none. */
export function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const name of path) {
    const holds = (isObject(value) || Array.isArray(value)) && Object.hasOwn(value, name)
    value = holds ? (value as Readonly<Record<string, unknown>>)[name] : undefined
  }
  return value
}

/** Tells whether a value may be shown: only one of which the schema says that it is no secret, nor holds any. */
export function isShowable(schema: ConfigSchema | undefined, value: unknown): boolean {
  if (schema === undefined || isSecret(schema) || typeof value === 'object') return false
  if (schema.enum !== undefined) return true
  const taken = Array.isArray(schema.type) ? schema.type : [schema.type]
  return taken.every((type) => ['string', 'number', 'integer', 'boolean', 'null'].includes(String(type)))
}

/** Says in words what a schema takes; the words follow "must be". */
export function describe(schema: ConfigSchema | undefined): string {
  if (schema === undefined) return 'a value'
  if (schema.enum !== undefined) {
    const choices = schema.enum.slice(0, 20).map((choice) => JSON.stringify(choice))
    return `one of ${choices.join(', ')}`
  }
  if (schema.format === 'duration') return 'a duration, e.g. "30d", "60s" or "500ms"'
  if (isSecret(schema)) return 'a text'
  if (schema.format !== undefined) return `a text of the format ${schema.format}`
  const taken: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type]
  return taken.map((type) => describeType(type, schema)).join(' or ')
}

function describeType(type: unknown, { minimum, maximum }: ConfigSchema): string {
  const range =
    minimum === undefined && maximum === undefined
      ? ''
      : `${minimum === undefined ? '' : ` from ${minimum}`}${maximum === undefined ? '' : ` to ${maximum}`}`
  switch (type) {
    case 'string':
      return 'a text'
    case 'integer':
      return `an integer${range}`
    case 'number':
      return `a number${range}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list'
    case 'object':
      return 'an object'
    case 'null':
      return 'null'
    default:
      return 'a value'
  }
}

function pathOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}
