import { messageOf } from '../base/errors.js'
import type { CoreDatabase } from '../database/database.js'
import type { Sandbox } from '../sandbox/generation.js'
import type { GenerationSettings } from '../sandbox/settings.js'
import { Activator, type BreakerSettings } from './activator.js'
import { PluginActivity } from './activity.js'
import type {
  ApprovalResult,
  PluginAdministration,
  PluginDetails,
  PluginSummary,
  RouteListing,
  RouteReference,
} from './administration.js'
import { ApprovalStore } from './approval-store.js'
import type { ApprovalBinding } from './approvals.js'
import { Catalogue } from './catalogue.js'
import { orphansUnknown, pluginDisabled, pluginNotFound, pluginsClosing } from './errors.js'
import { PluginLoader } from './loader.js'
import type { PluginDirectory, ServedPlugin } from './plugin-directory.js'
import type { PluginEntry } from './plugin-entry.js'
import type { PluginLog } from './plugin-log.js'
import type { PluginObserver } from './plugin-observer.js'
import { PluginStore } from './plugin-store.js'
import { describePlugin, reportStatus, type StatusReport, summarisePlugin } from './plugin-views.js'
import { Reloader } from './reloader.js'
import { RouteApprovals } from './route-approvals.js'
import { SerialQueue } from './serial-queue.js'
import { loadAllPlugins, type StartupOptions } from './startup.js'
import { closePlugins, stopPlugin } from './stopping.js'
import { TableRegistry } from './table-registry.js'

export interface PluginManagerOptions {
  /** Path of the plugin directory; created when it is missing. */
  readonly directory: string
  /** Limits of every generation. */
  readonly settings: GenerationSettings
  readonly approvalBinding: ApprovalBinding
  readonly breaker: BreakerSettings
  readonly database: CoreDatabase
  /** Closed by whoever created it, after the manager. */
  readonly sandbox: Sandbox
  readonly log: PluginLog
  readonly observer?: PluginObserver
  /** The time of day; the system's when missing. */
  readonly now?: () => Date
}

/**
 * All plugins of the host: finds them, loads them, swaps their generations, keeps their approvals and stops them.
 * Orders for one plugin are carried out one after the other, orders for different plugins side by side.
 */
export class PluginManager implements PluginDirectory, PluginAdministration {
  readonly #options: PluginManagerOptions
  readonly #catalogue: Catalogue
  readonly #activator: Activator
  readonly #reloader: Reloader
  readonly #store: PluginStore
  readonly #tables: TableRegistry
  readonly #activity: PluginActivity
  readonly #approvals: RouteApprovals
  readonly #startup: StartupOptions
  readonly #orders = new SerialQueue()
  /** Notes of quarantines that are being stored. */
  readonly #notes = new SerialQueue()
  #problems: readonly string[] = []
  #starting: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: PluginManagerOptions) {
    this.#options = options
    const { directory, database, sandbox, settings, log, breaker, approvalBinding: binding } = options
    const currentDate = options.now ?? (() => new Date())
    const now = () => currentDate().toISOString()
    const quarantine = (plugin: string) => sandbox.setQuarantine(plugin, true)
    const swaps = new SerialQueue()
    const approvals = new ApprovalStore(database)
    const loader = new PluginLoader({ directory, sandbox, settings })
    const store = new PluginStore(database, now)
    this.#activity = new PluginActivity(currentDate)
    const tripped = (plugin: string) => this.#noteTrip(plugin)
    const activator = new Activator({ approvals, binding, breaker, tripped, log, now, swaps })
    const createBreaker = (plugin: string) => activator.createBreaker(plugin)
    const catalogue = new Catalogue({ directory, loader, store, log, createBreaker, quarantine })
    const isClosing = () => this.#closing !== undefined
    this.#startup = { catalogue, loader, activator, store, approvals, log, quarantine, isClosing }
    this.#catalogue = catalogue
    this.#activator = activator
    this.#store = store
    const reloaded = (plugin: string, status: 'success' | 'error') => this.#noteReload(plugin, status)
    this.#reloader = new Reloader({ catalogue, loader, activator, store, log, reloaded })
    this.#tables = new TableRegistry(database)
    this.#approvals = new RouteApprovals({ catalogue, store: approvals, log, now, swaps })
  }

  /** Loads the plugins of the directory. Resolves when each of them runs or has failed. */
  start(): Promise<void> {
    this.#starting ??= loadAllPlugins(this.#startup).then((problems) => {
      this.#problems = problems
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
    return this.#catalogue
      .all()
      .toSorted((a, b) => a.loadNumber - b.loadNumber)
      .map(({ served }) => served)
  }

  /** What to print when the host has started. */
  statusReport(): StatusReport {
    return reportStatus(this.#catalogue.all(), this.#problems)
  }

  /** To be told by the sandbox that a call of a plugin had to be ended with its thread. */
  noteHardStop(plugin: string, reason: string): void {
    this.#options.log.error({ plugin, reason }, 'plugin had to be terminated and is quarantined')
    if (!this.#options.sandbox.isQuarantined(plugin)) this.#options.sandbox.setQuarantine(plugin, true)
    void this.#notes
      .run(plugin, () => this.#store.setQuarantined(plugin, true))
      .catch((error) => {
        this.#options.log.error({ plugin, error: messageOf(error) }, 'a quarantine could not be stored')
      })
  }

  /** To be told by the sandbox that a call of a plugin used up its budget. */
  noteBudgetKill(plugin: string, code: string): void {
    this.#activity.noteBudgetKill(plugin, code)
  }

  /** To be told that a call of a plugin failed. */
  noteError(plugin: string, type: string): void {
    this.#activity.noteError(plugin, type)
    this.#options.observer?.failed?.(plugin, type)
  }

  list(): readonly PluginSummary[] {
    return this.#catalogue.all().map((entry) => summarisePlugin(entry, this.#isQuarantined(entry.name)))
  }

  get(plugin: string): PluginDetails | undefined {
    const entry = this.#catalogue.get(plugin)
    return entry && describePlugin(entry, this.#isQuarantined(plugin), this.#activity.of(plugin))
  }

  reload(plugin: string, actor: string): Promise<void> {
    return this.#order(plugin, 'reload', async (entry) => {
      if (!entry.isEnabled) throw pluginDisabled({ plugin })
      this.#options.log.info({ plugin, actor }, 'plugin reload ordered')
      await this.#reloader.reload(entry)
    })
  }

  enable(plugin: string, actor: string): Promise<void> {
    return this.#order(plugin, 'enable', async (entry) => {
      const { state, failures } = entry.served.breaker
      this.#options.log.info(
        { plugin, actor, breaker: state, failures, quarantined: this.#isQuarantined(plugin) },
        'plugin enable ordered',
      )
      await this.#store.setStatus(plugin, 'enabled')
      await this.#notes.run(plugin, () => this.#store.setQuarantined(plugin, false))
      this.#options.sandbox.setQuarantine(plugin, false)
      entry.isEnabled = true
      entry.served.breaker.reset()
      await this.#reloader.reload(entry)
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
    return this.#tables.orphans(await this.#presentPlugins())
  }

  async dropOrphanedTables(tables: readonly string[], actor: string): Promise<readonly string[]> {
    const dropped = await this.#tables.drop(tables, await this.#presentPlugins())
    for (const table of dropped) this.#options.log.info({ table, actor }, 'orphaned table dropped')
    return dropped
  }

  routes(): readonly RouteListing[] {
    return this.#approvals.list()
  }

  approveRoutes(routes: readonly RouteReference[], actor: string): Promise<ApprovalResult> {
    return this.#approvals.approve(routes, actor)
  }

  revokeRoutes(routes: readonly RouteReference[], actor: string): Promise<ApprovalResult> {
    return this.#approvals.revoke(routes, actor)
  }

  #noteTrip(plugin: string): void {
    this.#activity.noteTrip(plugin)
    this.#options.observer?.breakerTripped?.(plugin)
  }

  #noteReload(plugin: string, status: 'success' | 'error'): void {
    if (status === 'error') this.noteError(plugin, 'PLUGIN_LOAD_FAILED')
    this.#options.observer?.reloaded?.(plugin, status)
  }

  #isQuarantined(plugin: string): boolean {
    return this.#options.sandbox.isQuarantined(plugin)
  }

  /** Carries out an order for a plugin after all earlier ones; equal orders that wait are carried out once. */
  async #order(plugin: string, kind: string, work: (entry: PluginEntry) => Promise<void>): Promise<void> {
    await this.#starting
    if (this.#closing !== undefined) throw pluginsClosing()
    await this.#orders.runJoined(plugin, kind, async () => {
      const entry = this.#catalogue.get(plugin) ?? (await this.#catalogue.adopt(plugin))
      if (entry === undefined) throw pluginNotFound({ plugin })
      await work(entry)
    })
  }

  async #presentPlugins(): Promise<ReadonlySet<string>> {
    const { names, unknown } = await this.#catalogue.present()
    if (unknown.length > 0) throw orphansUnknown({ folders: unknown.join(', ') })
    return names
  }

  async #close(): Promise<void> {
    await this.#starting?.catch(() => undefined)
    await this.#orders.idle()
    await closePlugins(this.#catalogue.all(), this.#activator, this.#options.log)
    await this.#notes.idle()
  }
}

/** Creates the plugin manager; `start()` loads the plugins, `close()` stops them. */
export function createPluginManager(options: PluginManagerOptions): PluginManager {
  return new PluginManager(options)
}
