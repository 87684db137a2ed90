import type { TProperties, TSchema } from '@sinclair/typebox'
import { gatewayAliases } from './gateway-schema.js'
import { type ConfigSection, configSections } from './schema.js'

/** One key of the configuration with everything the loader and the generators know of it. */
export interface Setting {
  /** Dotted name, e.g. `server.port`. */
  readonly key: string
  /** The names that lead to it in the file, e.g. `['server', 'port']`. */
  readonly path: readonly string[]
  readonly schema: TSchema
  /** Environment variable that sets it, e.g. `MODULACMS__SERVER__PORT`. */
  readonly variable: string
  /** Environment variable of another form that sets it as well; `variable` wins over it. */
  readonly alias?: string
  readonly section: ConfigSection
}

/** What every environment variable of the configuration starts with. */
export const variablePrefix = 'MODULACMS__'

/** Lists all settings in the order of the reference. */
export function listSettings(): readonly Setting[] {
  return configSections.flatMap((section) => {
    const outer = section.key === undefined ? [] : [section.key]
    return settingsIn(section.settings, outer).map(([path, schema]) => {
      const key = path.join('.')
      const alias = gatewayAliases[key]
      return {
        key,
        path,
        schema,
        variable: variablePrefix + path.join('__').toUpperCase(),
        ...(alias === undefined ? {} : { alias }),
        section,
      }
    })
  })
}

/** Dotted names of the objects of the file that hold settings, e.g. `server`, with the names of their members. */
export function listGroups(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    configSections.flatMap(({ key, settings }) => (key === undefined ? [] : groupsIn(settings, key))),
  )
}

/** Tells whether a schema is an object of the file that holds settings, and no value of a setting. */
export function isGroup(schema: TSchema): schema is TSchema & { readonly properties: TProperties } {
  return schema.type === 'object' && schema.properties !== undefined
}

function settingsIn(properties: TProperties, outer: readonly string[]): [readonly string[], TSchema][] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = [...outer, name]
    return isGroup(schema) ? settingsIn(schema.properties, path) : [[path, schema] as [string[], TSchema]]
  })
}

function groupsIn(properties: TProperties, key: string): [string, readonly string[]][] {
  const inner = Object.entries(properties).flatMap(([name, schema]) =>
    isGroup(schema) ? groupsIn(schema.properties, `${key}.${name}`) : [],
  )
  return [[key, Object.keys(properties)], ...inner]
}
