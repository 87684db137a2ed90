import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { messageOf } from '../base/errors.js'
import { loadConfig } from '../config/load.js'
import type { PluginSection, PluginSections } from '../config/plugin-sections.js'
import type { Config } from '../config/schema.js'
import { testsImpossible } from '../harness/errors.js'

/** Requests of a test all come from one address, which no limit must stop. */
const testRateLimit = 1_000_000

/** The one host name that has a shell in tests. */
const shellHost = 'shell.test'

/** Where the project is configured that the tested plugin belongs to. */
export interface TestConfigSource {
  /** Need not exist. */
  readonly configFile: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Folder of the plugin that is tested. */
  readonly directory: string
}

/** What the hosts of the tests are made with. */
export interface TestConfig {
  readonly config: Config
  readonly sections: PluginSections
}

/** The limits and values that plugins have in the project, on top of the defaults; nothing else of it belongs into a test. */
export function testConfig(
  { configFile, environment, directory }: TestConfigSource,
  shellDir: string,
): TestConfig {
  const { config: project, plugins } = loadConfig({ defaultFile: configFile, environment })
  const { config: defaults } = loadConfig({ environment: {} })
  const limits = Object.fromEntries(Object.entries(project).filter(([key]) => key.startsWith('plugin_')))
  const { plugin_max_vms: vms, plugin_hook_reserve_vms: reserved } = project
  const config = {
    ...defaults,
    ...limits,
    // All that the tested plugin depends on runs, whatever the project's edition is.
    edition: defaults.edition,
    editions: defaults.editions,
    plugin_enabled: true,
    plugin_hot_reload: false,
    plugin_executors: 1,
    plugin_rate_limit: testRateLimit,
    plugin_request_rate_limit: 0,
    plugin_request_global_rate: 0,
    // A shell whose excludes plugins can change; requests to other hosts do not meet it.
    gateway: { ...defaults.gateway, shellRoutes: [{ host: shellHost, dir: shellDir }] },
    // The test itself occupies one.
    plugin_max_vms: vms + 1,
    plugin_hook_reserve_vms: Math.min(reserved, vms - 1),
  }
  return {
    config,
    sections: { ...plugins, sections: new Map([...switchedOn(plugins), ...ownSection(directory)]) },
  }
}

/** Plugins get the values that they have in the project; whether they run there does not matter. */
function switchedOn({ sections }: PluginSections): [string, PluginSection][] {
  return [...sections].map(([name, section]) => [name, { ...section, enabled: true, required: false }])
}

/** Name of the file that has the values with which a plugin is tested, in the place of those of the project. */
const valuesFile = join('test', 'config.json')

/**
 * Gives the values that the tests of a plugin bring along, so that they need nothing of the project that they are run in.
 *
 * @throws HostError `PLUGIN_TESTS_IMPOSSIBLE` for a file that is no JSON object.
 */
function ownSection(directory: string): readonly (readonly [string, PluginSection])[] {
  const file = resolve(directory, valuesFile)
  if (!existsSync(file)) return []
  const name = basename(resolve(directory)).replaceAll('-', '_')
  const section = {
    name,
    key: `plugins.${name}`,
    origin: valuesFile,
    enabled: true,
    required: false,
    values: readValues(name, file),
    variables: [],
    originOf: () => valuesFile,
  }
  return [[name, section]]
}

function readValues(plugin: string, file: string): PluginSection['values'] {
  let values: unknown
  try {
    values = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw testsImpossible({ plugin, reason: `${valuesFile} cannot be read: ${messageOf(cause)}` }, { cause })
  }
  if (typeof values === 'object' && values !== null && !Array.isArray(values))
    return values as PluginSection['values']
  throw testsImpossible({ plugin, reason: `${valuesFile} is no JSON object` })
}
