import { loadConfig } from './load.js'
import type { Config } from './schema.js'

/** Some settings, with the keys of `config.json`; what is absent has its default. */
export type ConfigInput = {
  readonly [Key in keyof Config]?: Config[Key] extends readonly unknown[]
    ? Config[Key]
    : Config[Key] extends object
      ? Partial<Config[Key]>
      : Config[Key]
}

/**
 * Makes a whole configuration of some settings, for applications that configure the host in code.
 *
 * @throws `CONFIG_INVALID` naming all problems at once.
 */
export function completeConfig(given: ConfigInput): Config {
  return loadConfig({ environment: {}, flags: flatten(given), flagsOrigin: 'the settings given in code' })
    .config
}

function flatten(given: ConfigInput): Record<string, unknown> {
  const flat: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) flat[key] = value
    else for (const [name, member] of Object.entries(value)) flat[`${key}.${name}`] = member
  }
  return flat
}
