import type { Registration } from '../sandbox/host-function.js'
import type { GrantTable } from './grants/grant-table.js'

/** Keeps something outside of the plugins in line with what they registered. Nothing of it rejects. */
export interface ServiceFollower {
  /** A generation is about to serve, or what it may do has changed. */
  serves(plugin: string, registrations: readonly Registration[], grants: GrantTable): Promise<void>
  /** A plugin was disabled, or its folder is gone; not told when the host closes. */
  stopped(plugin: string): Promise<void>
  /** These are all plugins that there are. */
  present(plugins: readonly string[]): Promise<void>
}
