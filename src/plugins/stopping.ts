import { lifecycleLimits } from '../base/limits/plugins.js'
import type { Activator } from './activator.js'
import { runOnShutdown } from './loader.js'
import type { PluginEntry } from './plugin-entry.js'
import type { PluginLog } from './plugin-log.js'

/**
 * Takes a plugin out of service, runs its `on_shutdown`, and disposes of its generation. Never rejects.
 *
 * @param failure Why nobody wants it stopped, so that what its stages guard stays shut; an admin does when missing.
 */
export async function stopPlugin(
  entry: PluginEntry,
  activator: Activator,
  log: PluginLog,
  failure?: string,
): Promise<void> {
  const state = failure === undefined ? 'stopped' : 'failed'
  await entry.retiring
  const isServing = entry.serving !== undefined
  await shutDown(entry, log, lifecycleLimits.onShutdownMs, state)
  if (isServing) await activator.retire(entry)
  await activator.stopped(entry.name)
  entry.setState(state)
  entry.failedReason = failure
}

/**
 * Stops all plugins of a closing host, the last started first, so that no plugin outlives one that it needs.
 * Failed plugins stay failed. Never rejects.
 */
export async function closePlugins(
  entries: readonly PluginEntry[],
  activator: Activator,
  log: PluginLog,
): Promise<void> {
  const endMs = performance.now() + lifecycleLimits.allShutdownsMs
  const disposals: Promise<void>[] = []
  for (const entry of [...entries].sort((a, b) => b.loadNumber - a.loadNumber)) {
    disposals.push(entry.retiring)
    if (entry.serving === undefined) continue
    await shutDown(entry, log, Math.min(lifecycleLimits.onShutdownMs, endMs - performance.now()))
    disposals.push(activator.retire(entry))
  }
  await Promise.all(disposals)
  for (const entry of entries) entry.served.breaker.close()
}

/** Runs `on_shutdown` when no new call can come any more. */
async function shutDown(
  entry: PluginEntry,
  log: PluginLog,
  timeoutMs: number,
  state: 'stopped' | 'failed' = 'stopped',
): Promise<void> {
  const { serving: generation, name: plugin } = entry
  if (generation === undefined) return
  entry.setState(state)
  if (timeoutMs <= 0) {
    log.warn({ plugin }, 'on_shutdown was skipped: the time of all of them together is over')
    return
  }
  const problem = await runOnShutdown(generation, timeoutMs)
  if (problem !== undefined) log.warn({ plugin, error: problem }, 'on_shutdown failed')
}
