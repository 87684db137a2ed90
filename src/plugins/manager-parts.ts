import { Activator } from './activator.js'
import { PluginActivity } from './activity.js'
import { Catalogue } from './catalogue.js'
import { PluginConfigs } from './config/plugin-configs.js'
import { GrantApprovals } from './grants/grant-approvals.js'
import { PluginLoader } from './loader.js'
import type { PluginManagerOptions } from './manager-options.js'
import { PluginApprovals } from './plugin-approvals.js'
import { PluginStore } from './plugin-store.js'
import { Quarantines } from './quarantines.js'
import { RouteApprovals } from './route-approvals.js'
import { SerialQueue } from './serial-queue.js'
import { TableRegistry } from './table-registry.js'

/** What the manager is made of, as far as it does not call the manager itself. */
export interface ManagerParts {
  readonly configs: PluginConfigs
  readonly approvals: PluginApprovals
  readonly loader: PluginLoader
  readonly store: PluginStore
  readonly quarantines: Quarantines
  readonly activity: PluginActivity
  readonly activator: Activator
  readonly catalogue: Catalogue
  readonly tables: TableRegistry
  readonly routes: RouteApprovals
  readonly grants: GrantApprovals
}

/** Puts the parts of one manager together. */
export function composeManager(options: PluginManagerOptions): ManagerParts {
  const { directory, database, sandbox, settings, log, breaker, approvalBinding: binding, follower } = options
  const { configs = new PluginConfigs() } = options
  const currentDate = options.now ?? (() => new Date())
  const now = () => currentDate().toISOString()
  const swaps = new SerialQueue()
  const approvals = new PluginApprovals(database)
  const loader = new PluginLoader({ directory, sandbox, settings, configs })
  const store = new PluginStore(database, now)
  const quarantines = new Quarantines({ sandbox, store, log })
  const quarantine = (plugin: string) => quarantines.restore(plugin)
  const activity = new PluginActivity(currentDate, options.observer)
  const tripped = (plugin: string) => activity.noteTrip(plugin)
  const activator = new Activator({ approvals, binding, breaker, tripped, log, now, swaps, follower })
  const createBreaker = (plugin: string) => activator.createBreaker(plugin)
  const offReason = (plugin: string) => configs.offReason(plugin)
  const catalogue = new Catalogue({ directory, loader, store, log, createBreaker, offReason, quarantine })
  const { grants: grantStore, withdrawn } = approvals
  return {
    configs,
    approvals,
    loader,
    store,
    quarantines,
    activity,
    activator,
    catalogue,
    tables: new TableRegistry(database),
    routes: new RouteApprovals({ catalogue, store: approvals.routes, log, now, swaps }),
    grants: new GrantApprovals({ catalogue, store: grantStore, withdrawn, log, now, swaps, follower }),
  }
}
