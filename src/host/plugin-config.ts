import { HostError } from '../base/errors.js'
import type { Redactor } from '../base/redactor.js'
import type { PluginSections } from '../config/plugin-sections.js'
import { type ConfigProblem, showValue, toConfigError } from '../config/problems.js'
import type { Config } from '../config/schema.js'
import { PluginConfigs } from '../plugins/config/plugin-configs.js'
import type { ValueProblem } from '../plugins/config/section.js'

/** Makes what plugins get of the configuration. */
export function createPluginConfigs(
  config: Config,
  plugins: PluginSections,
  redactor: Redactor,
): PluginConfigs {
  const { edition, editions } = config
  return new PluginConfigs({ ...plugins, edition, editions }, redactor)
}

/** Says what is wrong with values of plugins as what is wrong with other values is said. */
export function toConfigProblem({ key, rule, origin, shown }: ValueProblem): ConfigProblem {
  const problem = { key, rule, origin }
  return shown === undefined ? problem : { ...problem, value: showValue(key, shown) }
}

/** Gives the error that stands for the start of plugins that failed: wrong values are wrong configuration. */
export function toStartError(thrown: unknown): unknown {
  const isWrong = thrown instanceof HostError && thrown.code === 'PLUGIN_VALUES_INVALID'
  const problems = isWrong ? (thrown.details?.problems as readonly ValueProblem[] | undefined) : undefined
  return problems === undefined ? thrown : toConfigError(problems.map(toConfigProblem))
}
