import { PluginCache } from '../../gateway/cache/plugin-cache.js'
import { PluginLimits } from '../../gateway/rate-limit/plugin-limits.js'
import type { ServiceFollower } from '../service-follower.js'

/** What plugins keep in the memory of the host: limits of their own and cached values. */
export class PluginMemory {
  readonly limits = new PluginLimits()
  readonly cache = new PluginCache()

  /** Makes the memory of a plugin free. */
  forget(plugin: string): void {
    this.limits.forget(plugin)
    this.cache.clear(plugin)
  }

  /**
   * Makes a follower that forgets plugins which have stopped, after another one was told. A reload stops nothing: what was
   * counted before it still counts.
   */
  following(next: ServiceFollower): ServiceFollower {
    return {
      serves: (plugin, registrations, grants) => next.serves(plugin, registrations, grants),
      stopped: async (plugin) => {
        await next.stopped(plugin)
        this.forget(plugin)
      },
      present: (plugins) => next.present(plugins),
    }
  }
}
