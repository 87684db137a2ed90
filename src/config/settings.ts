import type { TSchema } from '@sinclair/typebox'
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
  readonly section: ConfigSection
}

/** What every environment variable of the configuration starts with. */
export const variablePrefix = 'MODULACMS__'

/** Lists all settings in the order of the reference. */
export function listSettings(): readonly Setting[] {
  return configSections.flatMap((section) =>
    Object.entries(section.settings).map(([name, schema]) => {
      const path = section.key === undefined ? [name] : [section.key, name]
      return {
        key: path.join('.'),
        path,
        schema,
        variable: variablePrefix + path.join('__').toUpperCase(),
        section,
      }
    }),
  )
}

/** Names of the objects at the top level of the file, e.g. `server`, with the names of their keys. */
export function listSectionKeys(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    configSections.flatMap(({ key, settings }) => (key === undefined ? [] : [[key, Object.keys(settings)]])),
  )
}
