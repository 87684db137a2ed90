import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { policyLimits } from '../base/limits/policies.js'
import { nearestName } from '../base/nearest-name.js'
import { type Problem, pathTo } from './problems.js'

/** Collects problems; a document cannot make more work than its bytes. */
export type Report = (path: string, rule: string) => void

/**
 * Finds everything in which a value is not what a schema says, each with its path.
 *
 * @param value As JSON gives it.
 */
export function findSchemaProblems(schema: TSchema, value: unknown): readonly Problem[] {
  const problems: Problem[] = []
  checkValue(schema, value, '', (path, rule) => problems.push({ path, rule }), { schema, depth: 0 })
  return problems
}

/** The schema that a reference means, and how often it was followed. */
interface Recursion {
  readonly schema: TSchema
  readonly depth: number
}

function checkValue(schema: TSchema, value: unknown, path: string, report: Report, around: Recursion): void {
  if (schema.$ref !== undefined) {
    checkValue(around.schema, value, path, report, around)
  } else if (schema.$id !== undefined) {
    checkRecursive(schema, value, path, report, around)
  } else if (schema.type === 'object' && schema.patternProperties === undefined) {
    checkObject(schema, value, path, report, around)
  } else if (schema.type === 'array') {
    checkList(schema, value, path, report, around)
  } else if (!Value.Check(schema, value)) {
    report(path, `must be ${describe(schema)}`)
  }
}

/** A union of objects, told apart by their member `type`. */
function checkRecursive(
  schema: TSchema,
  value: unknown,
  path: string,
  report: Report,
  { depth }: Recursion,
): void {
  const { conditionDepthMax } = policyLimits
  if (depth >= conditionDepthMax) {
    report(path, `is nested deeper than ${conditionDepthMax} levels`)
    return
  }
  const variants: readonly TSchema[] = schema.anyOf
  const names = variants.map((variant) => String(variant.properties.type.const))
  if (!isObject(value)) {
    report(path, `must be an object with a type, one of ${listed(names)}`)
    return
  }
  const type = Object.hasOwn(value, 'type') ? value.type : undefined
  const variant = variants[names.indexOf(String(type))]
  if (typeof type !== 'string' || variant === undefined) {
    report(pathTo(path, 'type'), `must be one of ${listed(names)}${hintFor(String(type), names)}`)
    return
  }
  checkObject(variant, value, path, report, { schema, depth: depth + 1 })
}

function checkObject(schema: TSchema, value: unknown, path: string, report: Report, around: Recursion): void {
  if (!isObject(value)) {
    report(path, 'must be an object')
    return
  }
  const properties: Readonly<Record<string, TSchema>> = schema.properties
  const known = Object.keys(properties)
  const names = Object.keys(value)
  for (const name of (schema.required ?? []) as readonly string[]) {
    if (!Object.hasOwn(value, name)) {
      report(pathTo(path, name), `is missing; it must be ${describe(properties[name] as TSchema)}`)
    }
  }
  for (const name of names) {
    const member = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (member === undefined) report(pathTo(path, name), `is not known${hintFor(name, known)}`)
    else checkValue(member, value[name], pathTo(path, name), report, around)
  }
  if (names.length < (schema.minProperties ?? 0)) {
    report(path, `must have a member, one of ${listed(known)}; leave the list empty to mean anything`)
  }
}

function checkList(schema: TSchema, value: unknown, path: string, report: Report, around: Recursion): void {
  const { items, minItems = 0, maxItems } = schema
  if (!Array.isArray(value) || value.length < minItems || value.length > maxItems) {
    report(path, `must be ${describe(schema)}`)
    return
  }
  for (const [index, item] of value.entries()) checkValue(items, item, pathTo(path, index), report, around)
}

/** Says in words what a schema takes; the words follow "must be". */
function describe(schema: TSchema): string {
  if (Array.isArray(schema.anyOf)) {
    const choices = schema.anyOf.filter(({ const: choice }: TSchema) => choice !== undefined)
    if (choices.length === schema.anyOf.length) {
      return `one of ${listed(choices.map(({ const: choice }: TSchema) => String(choice)))}`
    }
    return schema.description === undefined
      ? `a text of at most ${policyLimits.textCharactersMax} characters, a number, true, false or null`
      : lowerFirst(schema.description)
  }
  if (schema.const !== undefined) return `one of ${listed([String(schema.const)])}`
  switch (schema.type) {
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `an integer from ${schema.minimum} to ${schema.maximum}`
    case 'number':
      return 'a number'
    case 'array':
      return `a list of ${schema.minItems === undefined ? 'at most' : `${schema.minItems} to`} ${schema.maxItems}`
    case 'object':
      return 'an object'
    default:
      return describeText(schema)
  }
}

function describeText({ minLength = 0, maxLength, pattern, description }: TSchema): string {
  if (maxLength === undefined) return 'a text'
  const form = pattern === undefined ? '' : `: ${lowerFirst(description ?? '').replace(/\.$/, '')}`
  return `a text of ${minLength === 0 ? 'at most' : `${minLength} to`} ${maxLength} characters${form}`
}

function lowerFirst(sentence: string): string {
  return `${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1)}`.replace(/\.$/, '')
}

function listed(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}

function hintFor(name: string, known: readonly string[]): string {
  const nearest = nearestName(name.slice(0, 64), known)
  return nearest === undefined ? '' : `; did you mean ${nearest}?`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
