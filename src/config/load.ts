import { findConflicts } from './conflicts.js'
import { placeDatabase, switchOn } from './derived.js'
import { readConfigFile } from './file.js'
import { type Given, type Layer, readEnvironment, readFlags } from './layers.js'
import { type PluginSections, readPluginSections } from './plugin-sections.js'
import { type ConfigProblem, toConfigError } from './problems.js'
import type { Config } from './schema.js'
import { listSettings, type Setting } from './settings.js'

/** Where the configuration comes from; a source that is absent gives nothing. */
export interface LoadConfigOptions {
  /** File that has to exist. */
  readonly file?: string | undefined
  /** File that is read when `file` is absent; it need not exist. */
  readonly defaultFile?: string | undefined
  /** Environment, e.g. `process.env`: settings as `MODULACMS__SERVER__PORT`, and values for `${NAME}` in the file. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Values by dotted key that win over everything else; texts are read as in the environment. */
  readonly flags?: Readonly<Record<string, unknown>> | undefined
  /** How problems name where the flags are from; the command line when missing. */
  readonly flagsOrigin?: string
}

/** A checked configuration and where it came from. */
export interface LoadedConfig {
  /** Deeply frozen, with every default filled in. */
  readonly config: Config
  /** What is said of each plugin; its own values are not checked yet. */
  readonly plugins: PluginSections
  /** The file that was read; undefined when there was none. */
  readonly file: string | undefined
  /** Where each value came from by dotted key, e.g. `default`, `config.json line 4`. */
  readonly origins: ReadonlyMap<string, string>
}

/** A configuration with what is wrong with it. */
export interface ReadConfig extends LoadedConfig {
  /** Nothing when it can be used; what is wrong has its default in `config`. */
  readonly problems: readonly ConfigProblem[]
}

/**
 * Reads the configuration: flags win over the environment, that over the file, that over the defaults. Every given
 * value is checked, also one that another source overrides; values of plugins are checked where their schemas are known.
 *
 * @throws `CONFIG_INVALID` naming all problems at once.
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const { problems, ...loaded } = readConfig(options)
  if (problems.length > 0) throw toConfigError(problems)
  return loaded
}

/** As `loadConfig`, for who has more to say of the configuration before it is refused. */
export function readConfig(options: LoadConfigOptions): ReadConfig {
  const settings = listSettings()
  const { environment, flagsOrigin = 'command line' } = options
  const { plugins: codedPlugins, ...flags } = options.flags ?? {}
  const path = options.file ?? options.defaultFile
  const file = path === undefined ? undefined : readConfigFile(path, environment, settings)
  const layers = [
    readFlags(flags, settings, flagsOrigin),
    readEnvironment(environment, settings),
    ...(file === undefined ? [] : [file]),
  ]
  const plugins =
    codedPlugins === undefined
      ? readPluginSections(file?.plugins, environment)
      : readPluginSections({ value: codedPlugins, originOf: () => flagsOrigin }, undefined)
  const problems = [...layers.flatMap((layer) => layer.problems), ...plugins.problems]
  if (options.file !== undefined && file?.exists === false) {
    problems.unshift({ key: options.file, rule: 'there is no such file', origin: 'configuration file' })
  }
  const values = new Map(settings.map((setting) => [setting.key, pick(setting, layers)]))
  problems.push(...findConflicts(values, new Set(problems.map(({ key }) => key))))
  placeDatabase(values)
  for (const group of ['gateway.rateLimit', 'gateway.cors']) switchOn(group, values, layers)
  return {
    config: assemble(settings, values),
    plugins: { sections: plugins.sections, environment: plugins.environment },
    file: file?.exists ? path : undefined,
    origins: new Map([...values].map(([key, { origin }]) => [key, origin])),
    problems,
  }
}

function pick(setting: Setting, layers: readonly Layer[]): Given {
  const given = layers.map((layer) => layer.values.get(setting.key)).find((value) => value !== undefined)
  return given ?? { value: setting.schema.default, origin: 'default' }
}

function assemble(settings: readonly Setting[], values: ReadonlyMap<string, Given>): Config {
  const config: Record<string, unknown> = {}
  for (const { key, path } of settings) {
    let holder = config
    for (const name of path.slice(0, -1)) {
      holder[name] ??= {}
      holder = holder[name] as Record<string, unknown>
    }
    // Defaults are shared by all loads, so that what is frozen must be a copy.
    holder[path.at(-1) ?? key] = structuredClone(values.get(key)?.value)
  }
  // Each value has been checked against the schema that the type is made of.
  return freezeDeep(config) as Config
}

function freezeDeep(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) freezeDeep(member)
  return Object.freeze(value)
}
