import type { CoreDatabase } from '../database/database.js'
import type { Sandbox } from '../sandbox/generation.js'
import type { GenerationSettings } from '../sandbox/settings.js'
import type { BreakerSettings } from './activator.js'
import type { ApprovalBinding } from './approvals.js'
import type { PluginConfigs } from './config/plugin-configs.js'
import type { Migrator } from './migrations/migrator.js'
import type { HookBreakerProbe } from './pipelines.js'
import type { PluginLog } from './plugin-log.js'
import type { PluginObserver } from './plugin-observer.js'
import type { ServiceFollower } from './service-follower.js'
import type { ReloadTimes } from './watch/reload-schedule.js'

/** What the manager of all plugins works with. */
export interface PluginManagerOptions {
  /** Path of the plugin directory; created when it is missing. */
  readonly directory: string
  /** Limits of every generation. */
  readonly settings: GenerationSettings
  /** What operators say of plugins; nothing when missing. */
  readonly configs?: PluginConfigs
  readonly approvalBinding: ApprovalBinding
  readonly breaker: BreakerSettings
  readonly database: CoreDatabase
  /** Closed by whoever created it, after the manager. */
  readonly sandbox: Sandbox
  readonly log: PluginLog
  readonly migrator: Migrator
  /** Watches the plugin directory and loads what changes; nothing is watched when missing. */
  readonly hotReload?: ReloadTimes | undefined
  readonly observer?: PluginObserver
  /** The time of day; the system's when missing. */
  readonly now?: () => Date
  /** Tells the hooks that are switched off because they failed too often; none when missing. */
  readonly isHookBreakerOpen?: HookBreakerProbe
  /** Is told which generations serve. */
  readonly follower?: ServiceFollower
}
