import type {
  ApprovalDiff,
  ApprovalResult,
  CapabilityReport,
  GrantRequest,
  PipelineChain,
  PipelineQuery,
  PipelineStep,
  PluginAdministration,
  PluginDetails,
  PluginSummary,
  RouteListing,
  RouteReference,
} from './administration.js'
import { diffApprovals } from './approval-diff.js'
import { AskedByPlugins } from './asked.js'
import { reportCapabilities } from './capability-report.js'
import { findBlocked } from './dependents.js'
import { pluginDisabled, pluginNotFound, pluginNotLoaded, pluginsClosing } from './errors.js'
import { FolderChanges } from './folder-changes.js'
import { GrantTable } from './grants/grant-table.js'
import type { PluginManagerOptions } from './manager-options.js'
import { composeManager, type ManagerParts } from './manager-parts.js'
import { type MigrationAdministration, MigrationOrders } from './migrations/migration-orders.js'
import { Pipelines } from './pipelines.js'
import type { GrantDirectory, PluginDirectory, ServedPlugin } from './plugin-directory.js'
import type { PluginEntry } from './plugin-entry.js'
import { type PluginHealth, reportHealth } from './plugin-health.js'
import { describePlugin, reportStatus, type StatusReport, summarisePlugin } from './plugin-views.js'
import { Reloader } from './reloader.js'
import { SerialQueue } from './serial-queue.js'
import type { ReadSource } from './source.js'
import { loadAllPlugins, type StartupOptions } from './startup.js'
import { closePlugins, stopPlugin } from './stopping.js'
import { PluginWatcher } from './watch/plugin-watcher.js'

/**
 * All plugins of the host: finds them, loads them, swaps their generations, keeps their approvals and stops them.
 * Orders for one plugin are carried out one after the other, orders for different plugins side by side.
 */
export class PluginManager implements PluginDirectory, GrantDirectory, PluginAdministration {
  readonly migrations: MigrationAdministration
  readonly asked: AskedByPlugins
  readonly #options: PluginManagerOptions
  readonly #parts: ManagerParts
  readonly #reloader: Reloader
  readonly #pipelines: Pipelines
  readonly #startup: StartupOptions
  readonly #watcher: PluginWatcher | undefined
  readonly #orders = new SerialQueue()
  #problems: readonly string[] = []
  #starting: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: PluginManagerOptions) {
    this.#options = options
    const parts = composeManager(options)
    const { activator, activity, approvals, catalogue, configs, loader, quarantines, store } = parts
    const { directory, log, migrator } = options
    this.#parts = parts
    this.asked = new AskedByPlugins(() => catalogue.all())
    this.migrations = new MigrationOrders({
      loader,
      migrator,
      find: (plugin) => this.#require(plugin),
      order: (plugin, work) => this.#orderAlone(plugin, work),
    })
    const quarantine = (plugin: string) => quarantines.restore(plugin)
    const isClosing = () => this.#closing !== undefined
    const shared = { catalogue, loader, migrator, activator, store, log }
    this.#startup = { ...shared, approvals, configs, quarantine, isClosing }
    const reloaded = (plugin: string, status: 'success' | 'error') => activity.noteReload(plugin, status)
    this.#reloader = new Reloader({ ...shared, reloaded })
    this.#pipelines = new Pipelines(() => this.all(), options.isHookBreakerOpen)
    const changes = new FolderChanges({
      catalogue,
      loader,
      activator,
      store,
      log,
      quarantine,
      reload: (entry, read) => this.#load(entry, read),
      order: (plugin, work) => (this.#closing ? Promise.resolve(undefined) : this.#orders.run(plugin, work)),
    })
    this.#watcher =
      options.hotReload &&
      new PluginWatcher({
        ...options.hotReload,
        directory,
        log,
        apply: (folder) => changes.apply(folder),
        folders: () => catalogue.folders(),
      })
  }

  /**
   * Loads the plugins of the directory. Resolves when each of them runs or has failed.
   *
   * @throws HostError PLUGIN_NAME_TAKEN, PLUGIN_VALUES_INVALID, REQUIRED_PLUGIN_FAILED.
   */
  start(): Promise<void> {
    this.#starting ??= loadAllPlugins(this.#startup).then((problems) => {
      this.#problems = problems
      if (this.#closing === undefined) this.#watcher?.open()
    })
    return this.#starting
  }

  /**
   * Stops all plugins, the last started first, and disposes of their generations. Waits for orders that are being
   * carried out, refuses further ones. Never rejects; further calls wait for the first.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  find(plugin: string): ServedPlugin | undefined {
    return this.#parts.catalogue.get(plugin)?.served
  }

  all(): readonly ServedPlugin[] {
    return this.#parts.catalogue.served()
  }

  grantsOf(plugin: string, generation: number): GrantTable {
    return this.#parts.catalogue.get(plugin)?.grantsOf(generation) ?? GrantTable.create([])
  }

  /** What to print when the host has started. */
  statusReport(): StatusReport {
    return reportStatus(this.#parts.catalogue.all(), this.#problems)
  }

  /** How the plugins are, for those who ask whether the host is well. */
  health(): PluginHealth {
    return reportHealth(this.#parts.catalogue.all(), this.#parts.configs)
  }

  /** To be told by the sandbox that a call of a plugin had to be ended with its thread. */
  noteHardStop(plugin: string, reason: string): void {
    this.#parts.quarantines.begin(plugin, reason)
  }

  /** To be told by the sandbox that a call of a plugin used up its budget. */
  noteBudgetKill(plugin: string, code: string): void {
    this.#parts.activity.noteBudgetKill(plugin, code)
  }

  /** To be told that a call of a plugin failed. */
  noteError(plugin: string, type: string): void {
    this.#parts.activity.noteError(plugin, type)
  }

  list(): readonly PluginSummary[] {
    return this.#parts.catalogue
      .all()
      .map((entry) => summarisePlugin(entry, this.#parts.quarantines.has(entry.name)))
  }

  get(plugin: string): PluginDetails | undefined {
    const entry = this.#parts.catalogue.get(plugin)
    const watched = this.#watcher && entry && { hot_reload: this.#watcher.stateOf(entry.folder) }
    return (
      entry && {
        ...describePlugin(entry, this.#parts.quarantines.has(plugin), this.#parts.activity.of(plugin)),
        ...watched,
      }
    )
  }

  reload(plugin: string, actor: string): Promise<void> {
    return this.#order(plugin, 'reload', async (entry) => {
      entry.assertOn()
      if (!entry.isEnabled) throw pluginDisabled({ plugin })
      this.#options.log.info({ plugin, actor }, 'plugin reload ordered')
      await this.#load(entry)
      this.#watcher?.resume(entry.folder)
    })
  }

  enable(plugin: string, actor: string): Promise<void> {
    return this.#order(plugin, 'enable', async (entry) => {
      entry.assertOn()
      const { state, failures } = entry.served.breaker
      this.#options.log.info(
        { plugin, actor, breaker: state, failures, quarantined: this.#parts.quarantines.has(plugin) },
        'plugin enable ordered',
      )
      await this.#parts.store.setStatus(plugin, 'enabled')
      await this.#parts.quarantines.lift(plugin)
      entry.isEnabled = true
      entry.served.breaker.reset()
      await this.#load(entry)
      this.#watcher?.resume(entry.folder)
    })
  }

  disable(plugin: string, actor: string): Promise<void> {
    return this.#order(plugin, 'disable', async (entry) => {
      this.#options.log.info({ plugin, actor }, 'plugin disable ordered')
      await this.#parts.store.setStatus(plugin, 'disabled')
      entry.isEnabled = false
      await stopPlugin(entry, this.#parts.activator, this.#options.log)
    })
  }

  async resetBreaker(plugin: string, actor: string): Promise<void> {
    const entry = this.#parts.catalogue.get(plugin)
    if (entry === undefined) throw pluginNotFound({ plugin })
    const { state, failures } = entry.served.breaker
    this.#options.log.info({ plugin, actor, breaker: state, failures }, 'plugin breaker reset')
    entry.served.breaker.reset()
  }

  async orphanedTables(): Promise<readonly string[]> {
    return this.#parts.tables.orphans(await this.#parts.catalogue.present())
  }

  async dropOrphanedTables(tables: readonly string[], actor: string): Promise<readonly string[]> {
    const dropped = await this.#parts.tables.drop(tables, await this.#parts.catalogue.present())
    for (const table of dropped) this.#options.log.info({ table, actor }, 'orphaned table dropped')
    return dropped
  }

  routes(): readonly RouteListing[] {
    return this.#parts.routes.list()
  }

  approveRoutes(routes: readonly RouteReference[], actor: string): Promise<ApprovalResult> {
    return this.#parts.routes.approve(routes, actor)
  }

  revokeRoutes(routes: readonly RouteReference[], actor: string): Promise<ApprovalResult> {
    return this.#parts.routes.revoke(routes, actor)
  }

  approveGrants(grants: readonly GrantRequest[], actor: string): Promise<ApprovalResult> {
    return this.#parts.grants.approve(grants, actor)
  }

  revokeGrants(grants: readonly GrantRequest[], actor: string): Promise<ApprovalResult> {
    return this.#parts.grants.revoke(grants, actor)
  }

  async diff(plugin: string): Promise<ApprovalDiff | undefined> {
    const history = await this.#parts.approvals.withdrawn.of(plugin)
    const entry = this.#parts.catalogue.get(plugin)
    return entry && diffApprovals(entry, history)
  }

  pipelines(): readonly PipelineStep[] {
    return this.#pipelines.list()
  }

  dryRun(query?: PipelineQuery): readonly PipelineChain[] {
    return this.#pipelines.dryRun(query)
  }

  async capabilities(plugin: string): Promise<CapabilityReport | undefined> {
    const stored = (await this.#parts.store.all()).get(plugin)
    const entry = this.#parts.catalogue.get(plugin)
    return entry && reportCapabilities(entry, stored?.capabilities ?? [])
  }

  syncCapabilities(plugin: string, actor: string): Promise<void> {
    return this.#order(plugin, 'sync', async ({ manifest, contentHash, serving }) => {
      if (manifest === undefined || serving === undefined) throw pluginNotLoaded({ plugin })
      await this.#parts.store.remember(manifest, contentHash)
      this.#options.log.info({ plugin, actor }, 'capabilities stored')
    })
  }

  /** Loads the files of a plugin; when it had failed until then, tries those again that have failed for want of it. */
  async #load(entry: PluginEntry, read?: ReadSource): Promise<void> {
    const wasServing = entry.serving !== undefined
    await this.#reloader.reload(entry, read)
    const loaded = this.#parts.catalogue.inFolder(entry.folder)
    if (wasServing || loaded === undefined) return
    for (const { name } of findBlocked(this.#parts.catalogue.all(), loaded.name)) {
      if (this.#closing !== undefined) return
      // In the background: their orders wait for nobody, and the reloader logs what goes wrong.
      void this.#orders
        .runJoined(name, 'retry', async () => {
          const blocked = this.#parts.catalogue.get(name)
          if (blocked?.isEnabled && blocked.state === 'failed') await this.#load(blocked)
        })
        .catch(() => undefined)
    }
  }

  /** Carries out an order for a plugin after all earlier ones; equal orders that wait are carried out once. */
  async #order(plugin: string, kind: string, work: (entry: PluginEntry) => Promise<void>): Promise<void> {
    await this.#starting
    if (this.#closing !== undefined) throw pluginsClosing()
    await this.#orders.runJoined(plugin, kind, async () => work(await this.#require(plugin)))
  }

  /** As `#order`, but no two are carried out as one. */
  async #orderAlone<Result>(plugin: string, work: (entry: PluginEntry) => Promise<Result>): Promise<Result> {
    await this.#starting
    if (this.#closing !== undefined) throw pluginsClosing()
    return this.#orders.run(plugin, async () => work(await this.#require(plugin)))
  }

  async #require(plugin: string): Promise<PluginEntry> {
    const entry = this.#parts.catalogue.get(plugin) ?? (await this.#parts.catalogue.adopt(plugin))
    if (entry === undefined) throw pluginNotFound({ plugin })
    return entry
  }

  async #close(): Promise<void> {
    await this.#starting?.catch(() => undefined)
    await this.#watcher?.close()
    await this.#orders.idle()
    await closePlugins(this.#parts.catalogue.all(), this.#parts.activator, this.#options.log)
    await this.#parts.quarantines.idle()
  }
}

/** Creates the plugin manager; `start()` loads the plugins, `close()` stops them. */
export function createPluginManager(options: PluginManagerOptions): PluginManager {
  return new PluginManager(options)
}
