import { resolve } from 'node:path'
import { Redactor } from './base/redactor.js'
import { type LoadConfigOptions, readConfig } from './config/load.js'
import type { ConfigProblem } from './config/problems.js'
import type { Config } from './config/schema.js'
import { findStrangers } from './host/auth-names.js'
import { generationSettings } from './host/generation-settings.js'
import { createPluginConfigs, toConfigProblem } from './host/plugin-config.js'
import { findPolicyProblems } from './host/policies.js'
import { describeProblems, type PluginConfigs } from './plugins/config/plugin-configs.js'
import { discoverFolders } from './plugins/discovery.js'
import { type Candidate, PluginLoader, reasonOf } from './plugins/loader.js'
import { createSandbox } from './sandbox/thread-sandbox.js'

/** What a start would say of a configuration. */
export interface ConfigReport {
  /** The file that was read; undefined when there was none. */
  readonly file: string | undefined
  /** The host does not start while there are any. */
  readonly problems: readonly ConfigProblem[]
  /** Sentences on what the host starts with all the same. */
  readonly warnings: readonly string[]
  /** Names of the plugins that would get their values. */
  readonly plugins: readonly string[]
}

/**
 * Checks a configuration as a start does: the settings of the host, and the values of all plugins against the schemas
 * that they declare. Runs each init.lua in the sandbox, without any effect; needs no server and changes nothing.
 */
export async function checkConfig(options: LoadConfigOptions): Promise<ConfigReport> {
  const { config, plugins: sections, problems: wrong, file } = readConfig(options)
  const problems = [...wrong, ...(await findPolicyProblems(config))]
  const isAuthSound = !wrong.some(({ key }) => key.startsWith('auth'))
  if (!config.plugin_enabled) {
    const strangers = isAuthSound ? findStrangers(config, []).map(toProblem) : []
    return { file, problems: [...problems, ...strangers], warnings: [], plugins: [] }
  }
  const configs = createPluginConfigs(config, sections, new Redactor())
  const sandbox = createSandbox({
    entry: new URL('./executor.bundle.cjs', import.meta.url),
    composition: { databaseFile: '' },
    executors: 1,
  })
  try {
    const directory = resolve(config.plugin_directory)
    const loader = new PluginLoader({ directory, sandbox, settings: generationSettings(config), configs })
    const found = await inspectAll(directory, loader)
    const values = checkValues(found.candidates, configs)
    const names = found.candidates.map(({ manifest }) => manifest.name)
    const strangers = isAuthSound ? checkAuthNames(config, found, configs) : nothingWrong
    return {
      file,
      problems: [
        ...problems,
        ...found.twins,
        ...values.problems,
        ...strangers.problems,
        ...missingPlugins(names, configs),
      ],
      warnings: [...found.warnings, ...values.warnings, ...strangers.warnings, ...configs.strangers(names)],
      plugins: names.filter((name) => configs.offReason(name) === undefined),
    }
  } finally {
    await sandbox.close()
  }
}

interface Inspected {
  readonly candidates: readonly Candidate[]
  readonly twins: readonly ConfigProblem[]
  /** Of folders that cannot be used. */
  readonly warnings: readonly string[]
}

async function inspectAll(directory: string, loader: PluginLoader): Promise<Inspected> {
  const candidates: Candidate[] = []
  const twins: ConfigProblem[] = []
  const warnings: string[] = []
  let folders: readonly string[] = []
  try {
    folders = await discoverFolders(directory, { create: false })
  } catch (error) {
    warnings.push(reasonOf(error))
  }
  for (const folder of folders) {
    try {
      const candidate = await loader.inspect(await loader.read(folder))
      const { name } = candidate.manifest
      const twin = candidates.find(({ manifest }) => manifest.name === name)
      if (twin === undefined) candidates.push(candidate)
      else {
        const rule = `is the plugin name of two folders, ${twin.folder} and ${folder}; rename one of them`
        twins.push({ key: `plugins.${name}`, rule, origin: 'plugin directory' })
      }
    } catch (error) {
      warnings.push(`plugin folder ${folder} cannot be used: ${reasonOf(error)}`)
    }
  }
  return { candidates, twins, warnings }
}

function checkValues(
  candidates: readonly Candidate[],
  configs: PluginConfigs,
): { readonly problems: readonly ConfigProblem[]; readonly warnings: readonly string[] } {
  const wrong = candidates.filter(
    ({ manifest, config }) => config.problems.length > 0 && configs.offReason(manifest.name) === undefined,
  )
  return {
    problems: wrong
      .filter(({ config }) => config.isConfigured)
      .flatMap(({ config }) => config.problems.map(toConfigProblem)),
    warnings: wrong
      .filter(({ config }) => !config.isConfigured)
      .map(
        ({ manifest, config }) => `plugin ${manifest.name} would fail: ${describeProblems(config.problems)}`,
      ),
  }
}

const nothingWrong = { problems: [], warnings: [] } as const

/** A name may be that of a plugin of which nothing could be found out: then it is only warned of. */
function checkAuthNames(
  config: Config,
  { candidates, warnings: unreadable }: Inspected,
  configs: PluginConfigs,
): { readonly problems: readonly ConfigProblem[]; readonly warnings: readonly string[] } {
  const served = candidates.filter(({ manifest }) => configs.offReason(manifest.name) === undefined)
  const strangers = findStrangers(
    config,
    served.flatMap(({ authParts = [] }) => authParts),
  )
  const isCertain = unreadable.length === 0 && served.every(({ authParts }) => authParts !== undefined)
  if (!isCertain) return { problems: [], warnings: strangers }
  return { problems: strangers.map(toProblem), warnings: [] }
}

function toProblem(rule: string): ConfigProblem {
  return { key: 'auth', rule, origin: 'configuration' }
}

function missingPlugins(names: readonly string[], configs: PluginConfigs): readonly ConfigProblem[] {
  return configs
    .required()
    .filter((name) => !names.includes(name))
    .map((name) => ({
      key: `plugins.${name}.required`,
      rule: 'names a plugin that cannot be loaded, or is not in the plugin directory',
      origin: 'configuration',
    }))
}
