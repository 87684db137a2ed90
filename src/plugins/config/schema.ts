import type { JsonValue } from './json-value.js'

/** A schema of values as it is used: checked, with all `$ref` replaced by what they stand for. */
export interface ConfigSchema {
  readonly type?: string | readonly string[]
  readonly title?: string
  readonly description?: string
  readonly format?: string
  readonly secret?: boolean
  readonly default?: JsonValue
  readonly properties?: Readonly<Record<string, ConfigSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | ConfigSchema
  readonly items?: ConfigSchema
  readonly enum?: readonly JsonValue[]
  readonly [keyword: string]: unknown
}

/** The schema of a member of an object; undefined when the object takes none of that name. */
export function memberSchema(schema: ConfigSchema | undefined, name: string): ConfigSchema | undefined {
  const { properties = {}, additionalProperties } = schema ?? {}
  if (Object.hasOwn(properties, name)) return properties[name]
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}

/** Tells whether a value is taken for the given JSON type. */
export function takes(schema: ConfigSchema | undefined, type: string): boolean {
  const { type: taken } = schema ?? {}
  return Array.isArray(taken) ? taken.includes(type) : taken === type
}

/** Tells whether values of a schema are kept from logs, dumps and the plugin's `config`. */
export function isSecret(schema: ConfigSchema | undefined): boolean {
  return schema?.secret === true || schema?.format === 'secret'
}
