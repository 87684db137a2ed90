import { type LoadedConfig, loadConfig } from './load.js'
import type { Config } from './schema.js'
import { listGroups } from './settings.js'

/** Some settings, with the keys of `config.json`; what is absent has its default. */
export type ConfigInput = Some<Config> & {
  /** Values of plugins by the plugin's name, with `enabled` and `required`; texts are taken as they are. */
  readonly plugins?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** Lists are given whole, objects of settings in part. */
type Some<T> = {
  readonly [Key in keyof T]?: T[Key] extends readonly unknown[]
    ? T[Key]
    : T[Key] extends object
      ? Some<T[Key]>
      : T[Key]
}

/**
 * Makes a whole configuration of some settings, for applications that configure the host in code.
 *
 * @throws `CONFIG_INVALID` naming all problems at once.
 */
export function completeConfig(given: ConfigInput): Config {
  return loadGiven(given).config
}

/** As `completeConfig`, with what is said of plugins. */
export function loadGiven(given: ConfigInput): LoadedConfig {
  return loadConfig({ environment: {}, flags: flatten(given), flagsOrigin: 'the settings given in code' })
}

function flatten(given: object, prefix = ''): Record<string, unknown> {
  const groups = listGroups()
  const flat: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const key = prefix + name
    const isOpen = groups.has(key) && typeof value === 'object' && value !== null && !Array.isArray(value)
    if (isOpen && Object.keys(value).length > 0) Object.assign(flat, flatten(value, `${key}.`))
    else flat[key] = value
  }
  return flat
}
