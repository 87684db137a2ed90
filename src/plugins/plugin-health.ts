import type { PluginConfigs } from './config/plugin-configs.js'
import type { PluginEntry } from './plugin-entry.js'

/** How the plugins are; names only, as strangers may read it. */
export interface PluginHealth {
  /** Name of the edition that runs. */
  readonly edition: string
  /** Plugins that serve. */
  readonly running: readonly string[]
  readonly failed: readonly string[]
  /** Plugins that serve and failed so often that their calls are refused for a time. */
  readonly tripped: readonly string[]
  /** Plugins that do not run although the host must not run without them. */
  readonly requiredDown: readonly string[]
}

/** Sums up how plugins are. A plugin that an admin has stopped is as somebody wants it. */
export function reportHealth(entries: readonly PluginEntry[], configs: PluginConfigs): PluginHealth {
  const namesOf = (list: readonly PluginEntry[]) => list.map(({ name }) => name)
  const failed = entries.filter(({ state }) => state === 'failed')
  const running = entries.filter(({ state }) => state === 'running')
  return {
    edition: configs.edition,
    running: namesOf(running),
    failed: namesOf(failed),
    tripped: namesOf(running.filter(({ breakerState }) => breakerState !== 'closed')),
    requiredDown: namesOf(failed.filter(({ name }) => configs.isRequired(name))),
  }
}
