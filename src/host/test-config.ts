import { loadConfig } from '../config/load.js'
import type { PluginSection, PluginSections } from '../config/plugin-sections.js'
import type { Config } from '../config/schema.js'

/** Requests of a test all come from one address, which no limit must stop. */
const testRateLimit = 1_000_000

/** The one host name that has a shell in tests. */
const shellHost = 'shell.test'

/** Where the project is configured that the tested plugin belongs to. */
export interface TestConfigSource {
  /** Need not exist. */
  readonly configFile: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** What the hosts of the tests are made with. */
export interface TestConfig {
  readonly config: Config
  readonly sections: PluginSections
}

/** The limits and values that plugins have in the project, on top of the defaults; nothing else of it belongs into a test. */
export function testConfig({ configFile, environment }: TestConfigSource, shellDir: string): TestConfig {
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
  return { config, sections: { ...plugins, sections: new Map(switchedOn(plugins)) } }
}

/** Plugins get the values that they have in the project; whether they run there does not matter. */
function switchedOn({ sections }: PluginSections): [string, PluginSection][] {
  return [...sections].map(([name, section]) => [name, { ...section, enabled: true, required: false }])
}
