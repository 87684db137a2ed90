import { Activator } from './activator.js'
import { PluginActivity } from './activity.js'
import type {
  ApprovalDiff,
  ApprovalResult,
  CapabilityReport,
  CoreAccessListing,
  GatewayAccessListing,
  GrantRequest,
  HookListing,
  KvAccessListing,
  PipelineChain,
  PipelineQuery,
  PipelineStep,
  PluginAdministration,
  PluginDetails,
  PluginSummary,
  RequestListing,
  RouteListing,
  RouteReference,
  StageListing,
} from './administration.js'
import { diffApprovals } from './approval-diff.js'
import { reportCapabilities } from './capability-report.js'
import { Catalogue } from './catalogue.js'
import { findBlocked } from './dependents.js'
import { pluginDisabled, pluginNotFound, pluginNotLoaded, pluginsClosing } from './errors.js'
import { FolderChanges } from './folder-changes.js'
import { GrantApprovals } from './grants/grant-approvals.js'
import { GrantTable } from './grants/grant-table.js'
import { PluginLoader } from './loader.js'
import type { PluginManagerOptions } from './manager-options.js'
import { type MigrationAdministration, MigrationOrders } from './migrations/migration-orders.js'
import { Pipelines } from './pipelines.js'
import { PluginApprovals } from './plugin-approvals.js'
import type { GrantDirectory, PluginDirectory, ServedPlugin } from './plugin-directory.js'
import type { PluginEntry } from './plugin-entry.js'
import { PluginStore } from './plugin-store.js'
import {
  describePlugin,
  listCoreAccess,
  listGatewayAccess,
  listHooks,
  listKvAccess,
  listRequests,
  listStages,
  reportStatus,
  type StatusReport,
  summarisePlugin,
} from './plugin-views.js'
import { Quarantines } from './quarantines.js'
import { Reloader } from './reloader.js'
import { RouteApprovals } from './route-approvals.js'
import { SerialQueue } from './serial-queue.js'
import type { ReadSource } from './source.js'
import { loadAllPlugins, type StartupOptions } from './startup.js'
import { closePlugins, stopPlugin } from './stopping.js'
import { TableRegistry } from './table-registry.js'
import { PluginWatcher } from './watch/plugin-watcher.js'

/**
 * All plugins of the host: finds them, loads them, swaps their generations, keeps their approvals and stops them.
 * Orders for one plugin are carried out one after the other, orders for different plugins side by side.
 */
export class PluginManager implements PluginDirectory, GrantDirectory, PluginAdministration {
  readonly migrations: MigrationAdministration
  readonly #options: PluginManagerOptions
  readonly #catalogue: Catalogue
  readonly #activator: Activator
  readonly #reloader: Reloader
  readonly #store: PluginStore
  readonly #tables: TableRegistry
  readonly #activity: PluginActivity
  readonly #approvals: PluginApprovals
  readonly #routes: RouteApprovals
  readonly #grants: GrantApprovals
  readonly #pipelines: Pipelines
  readonly #startup: StartupOptions
  readonly #watcher: PluginWatcher | undefined
  readonly #orders = new SerialQueue()
  readonly #quarantines: Quarantines
  #problems: readonly string[] = []
  #starting: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: PluginManagerOptions) {
    this.#options = options
    const {
      directory,
      database,
      migrator,
      sandbox,
      settings,
      log,
      breaker,
      approvalBinding: binding,
      follower,
    } = options
    const currentDate = options.now ?? (() => new Date())
    const now = () => currentDate().toISOString()
    const swaps = new SerialQueue()
    const approvals = new PluginApprovals(database)
    const loader = new PluginLoader({ directory, sandbox, settings })
    const store = new PluginStore(database, now)
    this.migrations = new MigrationOrders({
      loader,
      migrator,
      find: (plugin) => this.#require(plugin),
      order: (plugin, work) => this.#orderAlone(plugin, work),
    })
    const quarantines = new Quarantines({ sandbox, store, log })
    const quarantine = (plugin: string) => quarantines.restore(plugin)
    this.#quarantines = quarantines
    const activity = new PluginActivity(currentDate, options.observer)
    const tripped = (plugin: string) => activity.noteTrip(plugin)
    const activator = new Activator({ approvals, binding, breaker, tripped, log, now, swaps, follower })
    const createBreaker = (plugin: string) => activator.createBreaker(plugin)
    const catalogue = new Catalogue({ directory, loader, store, log, createBreaker, quarantine })
    const isClosing = () => this.#closing !== undefined
    this.#startup = { catalogue, loader, migrator, activator, store, approvals, log, quarantine, isClosing }
    this.#catalogue = catalogue
    this.#activator = activator
    this.#store = store
    this.#activity = activity
    const reloaded = (plugin: string, status: 'success' | 'error') => activity.noteReload(plugin, status)
    this.#reloader = new Reloader({ catalogue, loader, migrator, activator, store, log, reloaded })
    this.#tables = new TableRegistry(database)
    this.#approvals = approvals
    this.#routes = new RouteApprovals({ catalogue, store: approvals.routes, log, now, swaps })
    this.#grants = new GrantApprovals({
      catalogue,
      store: approvals.grants,
      withdrawn: approvals.withdrawn,
      log,
      now,
      swaps,
      follower,
    })
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

  /** Loads the plugins of the directory. Resolves when each of them runs or has failed. */
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
    return this.#catalogue.get(plugin)?.served
  }

  all(): readonly ServedPlugin[] {
    return this.#catalogue.served()
  }

  grantsOf(plugin: string, generation: number): GrantTable {
    return this.#catalogue.get(plugin)?.grantsOf(generation) ?? GrantTable.create([])
  }

  /** What to print when the host has started. */
  statusReport(): StatusReport {
    return reportStatus(this.#catalogue.all(), this.#problems)
  }

  /** To be told by the sandbox that a call of a plugin had to be ended with its thread. */
  noteHardStop(plugin: string, reason: string): void {
    this.#quarantines.begin(plugin, reason)
  }

  /** To be told by the sandbox that a call of a plugin used up its budget. */
  noteBudgetKill(plugin: string, code: string): void {
    this.#activity.noteBudgetKill(plugin, code)
  }

  /** To be told that a call of a plugin failed. */
  noteError(plugin: string, type: string): void {
    this.#activity.noteError(plugin, type)
  }

  list(): readonly PluginSummary[] {
    return this.#catalogue.all().map((entry) => summarisePlugin(entry, this.#quarantines.has(entry.name)))
  }

  get(plugin: string): PluginDetails | undefined {
    const entry = this.#catalogue.get(plugin)
    const watched = this.#watcher && entry && { hot_reload: this.#watcher.stateOf(entry.folder) }
    return (
      entry && {
        ...describePlugin(entry, this.#quarantines.has(plugin), this.#activity.of(plugin)),
        ...watched,
      }
    )
  }

  reload(plugin: string, actor: string): Promise<void> {
    return this.#order(plugin, 'reload', async (entry) => {
      if (!entry.isEnabled) throw pluginDisabled({ plugin })
      this.#options.log.info({ plugin, actor }, 'plugin reload ordered')
      await this.#load(entry)
      this.#watcher?.resume(entry.folder)
    })
  }

  enable(plugin: string, actor: string): Promise<void> {
    return this.#order(plugin, 'enable', async (entry) => {
      const { state, failures } = entry.served.breaker
      this.#options.log.info(
        { plugin, actor, breaker: state, failures, quarantined: this.#quarantines.has(plugin) },
        'plugin enable ordered',
      )
      await this.#store.setStatus(plugin, 'enabled')
      await this.#quarantines.lift(plugin)
      entry.isEnabled = true
      entry.served.breaker.reset()
      await this.#load(entry)
      this.#watcher?.resume(entry.folder)
    })
  }

  disable(plugin: string, actor: string): Promise<void> {
    return this.#order(plugin, 'disable', async (entry) => {
      this.#options.log.info({ plugin, actor }, 'plugin disable ordered')
      await this.#store.setStatus(plugin, 'disabled')
      entry.isEnabled = false
      await stopPlugin(entry, this.#activator, this.#options.log)
    })
  }

  async resetBreaker(plugin: string, actor: string): Promise<void> {
    const entry = this.#catalogue.get(plugin)
    if (entry === undefined) throw pluginNotFound({ plugin })
    const { state, failures } = entry.served.breaker
    this.#options.log.info({ plugin, actor, breaker: state, failures }, 'plugin breaker reset')
    entry.served.breaker.reset()
  }

  async orphanedTables(): Promise<readonly string[]> {
    return this.#tables.orphans(await this.#catalogue.present())
  }

  async dropOrphanedTables(tables: readonly string[], actor: string): Promise<readonly string[]> {
    const dropped = await this.#tables.drop(tables, await this.#catalogue.present())
    for (const table of dropped) this.#options.log.info({ table, actor }, 'orphaned table dropped')
    return dropped
  }

  routes(): readonly RouteListing[] {
    return this.#routes.list()
  }

  approveRoutes(routes: readonly RouteReference[], actor: string): Promise<ApprovalResult> {
    return this.#routes.approve(routes, actor)
  }

  revokeRoutes(routes: readonly RouteReference[], actor: string): Promise<ApprovalResult> {
    return this.#routes.revoke(routes, actor)
  }

  hooks(): readonly HookListing[] {
    return this.#catalogue.all().flatMap(listHooks)
  }

  requests(): readonly RequestListing[] {
    return this.#catalogue.all().flatMap(listRequests)
  }

  coreAccess(): readonly CoreAccessListing[] {
    return this.#catalogue.all().flatMap(listCoreAccess)
  }

  kvAccess(): readonly KvAccessListing[] {
    return this.#catalogue.all().flatMap(listKvAccess)
  }

  stages(): readonly StageListing[] {
    return this.#catalogue.all().flatMap(listStages)
  }

  gatewayAccess(): readonly GatewayAccessListing[] {
    return this.#catalogue.all().flatMap(listGatewayAccess)
  }

  approveGrants(grants: readonly GrantRequest[], actor: string): Promise<ApprovalResult> {
    return this.#grants.approve(grants, actor)
  }

  revokeGrants(grants: readonly GrantRequest[], actor: string): Promise<ApprovalResult> {
    return this.#grants.revoke(grants, actor)
  }

  async diff(plugin: string): Promise<ApprovalDiff | undefined> {
    const history = await this.#approvals.withdrawn.of(plugin)
    const entry = this.#catalogue.get(plugin)
    return entry && diffApprovals(entry, history)
  }

  pipelines(): readonly PipelineStep[] {
    return this.#pipelines.list()
  }

  dryRun(query?: PipelineQuery): readonly PipelineChain[] {
    return this.#pipelines.dryRun(query)
  }

  async capabilities(plugin: string): Promise<CapabilityReport | undefined> {
    const stored = (await this.#store.all()).get(plugin)
    const entry = this.#catalogue.get(plugin)
    return entry && reportCapabilities(entry, stored?.capabilities ?? [])
  }

  syncCapabilities(plugin: string, actor: string): Promise<void> {
    return this.#order(plugin, 'sync', async ({ manifest, contentHash, serving }) => {
      if (manifest === undefined || serving === undefined) throw pluginNotLoaded({ plugin })
      await this.#store.remember(manifest, contentHash)
      this.#options.log.info({ plugin, actor }, 'capabilities stored')
    })
  }

  /** Loads the files of a plugin; when it had failed until then, tries those again that have failed for want of it. */
  async #load(entry: PluginEntry, read?: ReadSource): Promise<void> {
    const wasServing = entry.serving !== undefined
    await this.#reloader.reload(entry, read)
    const loaded = this.#catalogue.inFolder(entry.folder)
    if (wasServing || loaded === undefined) return
    for (const { name } of findBlocked(this.#catalogue.all(), loaded.name)) {
      if (this.#closing !== undefined) return
      // In the background: their orders wait for nobody, and the reloader logs what goes wrong.
      void this.#orders
        .runJoined(name, 'retry', async () => {
          const blocked = this.#catalogue.get(name)
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
    const entry = this.#catalogue.get(plugin) ?? (await this.#catalogue.adopt(plugin))
    if (entry === undefined) throw pluginNotFound({ plugin })
    return entry
  }

  async #close(): Promise<void> {
    await this.#starting?.catch(() => undefined)
    await this.#watcher?.close()
    await this.#orders.idle()
    await closePlugins(this.#catalogue.all(), this.#activator, this.#options.log)
    await this.#quarantines.idle()
  }
}

/** Creates the plugin manager; `start()` loads the plugins, `close()` stops them. */
export function createPluginManager(options: PluginManagerOptions): PluginManager {
  return new PluginManager(options)
}
