import { messageOf } from '../base/errors.js'
import { lifecycleLimits } from '../base/limits/plugins.js'
import type { Generation } from '../sandbox/generation.js'
import type { Activator } from './activator.js'
import { mapBounded } from './bounded.js'
import { type Catalogue, type ExaminedFolder, manifestOf } from './catalogue.js'
import { describeProblems, type PluginConfigs } from './config/plugin-configs.js'
import { dependencyText, orderByDependencies } from './dependency-order.js'
import { pluginNameTaken, pluginValuesInvalid, requiredPluginFailed } from './errors.js'
import type { Candidate, PluginLoader } from './loader.js'
import type { Migrator } from './migrations/migrator.js'
import type { PluginApprovals } from './plugin-approvals.js'
import type { PluginEntry } from './plugin-entry.js'
import type { PluginLog } from './plugin-log.js'
import type { PluginStore, StoredPlugin } from './plugin-store.js'

export interface StartupOptions {
  readonly catalogue: Catalogue
  readonly loader: PluginLoader
  readonly migrator: Migrator
  readonly activator: Activator
  readonly store: PluginStore
  readonly approvals: PluginApprovals
  readonly log: PluginLog
  readonly configs: PluginConfigs
  quarantine(plugin: string): void
  /** Asked between two plugins: a host that shuts down while it starts loads no more. */
  isClosing(): boolean
}

interface Loadable {
  readonly entry: PluginEntry
  readonly candidate: Candidate
}

type Built = Loadable & ({ readonly generation: Generation } | { readonly error: unknown })

/**
 * Loads all plugins of the plugin directory: reads and inspects them, orders them by their dependencies, builds
 * their VMs side by side and starts one after the other. What goes wrong with one plugin concerns only it and
 * those that need it.
 *
 * @returns Sentences on what an operator should know and no plugin's state tells.
 * @throws HostError PLUGIN_NAME_TAKEN before any plugin runs, for folders that have one plugin name;
 * PLUGIN_VALUES_INVALID before any plugin runs, with all that is wrong with the values of all plugins;
 * REQUIRED_PLUGIN_FAILED when one does not run without which the host must not.
 */
export async function loadAllPlugins(options: StartupOptions): Promise<readonly string[]> {
  const { catalogue, store, log, quarantine } = options
  const stored = await store.all()
  for (const plugin of stored.values()) if (plugin.quarantined) quarantine(plugin.name)
  let folders: readonly ExaminedFolder[]
  try {
    folders = await catalogue.examineAll(stored)
  } catch (error) {
    log.error({ error: messageOf(error) }, 'no plugins are loaded')
    return [messageOf(error)]
  }
  const { loadable, problems } = enterFolders(options, folders, stored)
  assertValues(loadable)
  const strangers = options.configs.strangers(catalogue.all().map(({ name }) => name))
  for (const stranger of strangers) log.warn({}, stranger)
  await forgetAbsent(options, folders)
  for (const entry of catalogue.all()) await options.activator.hold(entry)
  await startInOrder(options, loadable)
  if (!options.isClosing()) assertRequired(options)
  return [...problems, ...strangers]
}

/** What an operator has written wrongly stops the start; a plugin of which nothing is said only fails. */
function assertValues(loadable: readonly Loadable[]): void {
  const problems = loadable
    .filter(({ entry, candidate }) => entry.isEnabled && candidate.config.isConfigured)
    .flatMap(({ candidate }) => candidate.config.problems)
  if (problems.length === 0) return
  throw pluginValuesInvalid({ problems: describeProblems(problems) }, { details: { problems } })
}

function assertRequired({ catalogue, configs }: StartupOptions): void {
  const missing = configs.required().flatMap((name) => {
    const entry = catalogue.get(name)
    if (entry === undefined) return [`  ${name}: it is not in the plugin directory`]
    // One that an admin has stopped is not to be started by anybody else.
    return entry.state === 'failed' ? [`  ${name}: ${entry.failedReason ?? 'it does not run'}`] : []
  })
  if (missing.length > 0) throw requiredPluginFailed({ plugins: missing.join('\n') })
}

function enterFolders(
  { catalogue, log }: StartupOptions,
  folders: readonly ExaminedFolder[],
  stored: ReadonlyMap<string, StoredPlugin>,
): { readonly loadable: readonly Loadable[]; readonly problems: readonly string[] } {
  const loadable: Loadable[] = []
  const problems: string[] = []
  const twins: string[] = []
  // Broken folders come last: the name of a folder must not take the place of a plugin that has that name.
  const brokenLast = [...folders].sort((a, b) => Number(a.kind === 'broken') - Number(b.kind === 'broken'))
  for (const examined of brokenLast) {
    const entry = catalogue.enter(examined, stored)
    if (entry === undefined && examined.kind === 'broken') problems.push(describeBroken(examined))
    else if (entry === undefined) twins.push(describeTwin(catalogue, examined))
    else if (examined.kind === 'plugin') loadable.push({ entry, candidate: examined.candidate })
  }
  // What was approved for a name must not go to whichever folder comes first.
  if (twins.length > 0) throw pluginNameTaken({ twins: twins.join('\n') })
  for (const problem of problems) log.warn({}, problem)
  return { loadable, problems }
}

function describeTwin(catalogue: Catalogue, examined: ExaminedFolder): string {
  const name = manifestOf(examined)?.name ?? examined.folder
  return `  "${name}": ${catalogue.get(name)?.folder ?? ''} and ${examined.folder}`
}

function describeBroken({ folder, reason }: Extract<ExaminedFolder, { kind: 'broken' }>): string {
  return `Plugin folder ${folder} cannot be used: ${reason}`
}

/** Approvals of plugins that have gone do not wait for a stranger of the same name. */
async function forgetAbsent(
  { approvals, activator, log }: StartupOptions,
  folders: readonly ExaminedFolder[],
): Promise<void> {
  const names = folders.map((folder) => manifestOf(folder)?.name).filter((name) => name !== undefined)
  if (names.length < folders.length || names.length === 0) return
  await activator.present(names)
  const forgotten = await approvals.forgetAbsent(names)
  if (forgotten.length > 0) log.info({ plugins: forgotten }, 'forgot the approvals of plugins that are gone')
}

async function startInOrder(options: StartupOptions, loadable: readonly Loadable[]): Promise<void> {
  const { catalogue } = options
  const byName = new Map(loadable.map((item) => [item.entry.name, item]))
  const nodes = catalogue
    .all()
    .map(({ name, manifest }) => ({ name, dependencies: manifest?.dependencies ?? [] }))
  const { order, failed } = orderByDependencies(nodes)
  for (const [name, reason] of failed) failEntry(options, byName.get(name)?.entry, reason)
  for (const item of loadable) await remember(options, item)
  const wanted = order
    .map((name) => byName.get(name))
    .filter((item) => item !== undefined)
    .filter(({ entry }) => entry.isEnabled && entry.state !== 'failed')
  for (const { entry } of wanted) entry.setState('loading')
  const built = await mapBounded(wanted, lifecycleLimits.parallelMax, (item) => build(options, item))
  for (const item of built) await start(options, item)
}

/** A plugin has its row before its code runs, so that a quarantine can be noted in it. */
async function remember(options: StartupOptions, { entry, candidate }: Loadable): Promise<void> {
  try {
    await options.store.remember(candidate.manifest, candidate.contentHash)
  } catch (error) {
    failEntry(options, entry, options.loader.explain(error))
  }
}

async function build({ loader, isClosing }: StartupOptions, item: Loadable): Promise<Built> {
  if (isClosing()) return { ...item, error: new Error('the host is shutting down') }
  try {
    return { ...item, generation: await loader.build(item.candidate) }
  } catch (error) {
    return { ...item, error }
  }
}

async function start(options: StartupOptions, item: Built): Promise<void> {
  if ('error' in item) {
    failEntry(options, item.entry, options.loader.explain(item.error))
    return
  }
  const { entry, candidate, generation } = item
  try {
    if (options.isClosing()) throw new Error('the host is shutting down')
    assertDependenciesRun(options.catalogue, candidate)
    await options.migrator.up(candidate, { isStarting: true })
    await options.activator.admit(entry, candidate, generation)
    await options.loader.initialize(generation)
    await options.activator.activate(entry, candidate, generation)
    options.log.info(
      { plugin: entry.name, version: candidate.manifest.version, folder: entry.folder },
      'plugin runs',
    )
  } catch (error) {
    failEntry(options, entry, options.loader.explain(error))
    await generation.close()
    entry.dismiss(generation)
  }
}

function failEntry({ log }: StartupOptions, entry: PluginEntry | undefined, reason: string): void {
  if (entry === undefined || !entry.isEnabled) return
  entry.fail(reason)
  log.error({ plugin: entry.name, reason }, 'plugin failed to load')
}

/**
 * Refuses to start a plugin before those that it needs.
 *
 * @throws Error whose text names the dependency and says that it is `not running`.
 */
export function assertDependenciesRun(catalogue: Catalogue, { manifest }: Candidate): void {
  for (const dependency of manifest.dependencies) {
    const needed = catalogue.get(dependency)
    if (needed === undefined) {
      throw new Error(`${dependencyText(dependency)} was not found in the plugin directory`)
    }
    if (needed.serving === undefined) {
      const reason = needed.failedReason === undefined ? `it is ${needed.state}` : needed.failedReason
      throw new Error(`${dependencyText(dependency)} is not running: ${reason}`)
    }
  }
}
