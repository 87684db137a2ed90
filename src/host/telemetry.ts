import { metricsOf } from '../capabilities/metrics/declaration.js'
import type { DispatchObserver } from '../plugins/dispatch-options.js'
import type { PluginManager } from '../plugins/manager.js'
import type { PluginObserver } from '../plugins/plugin-observer.js'
import type { Sandbox, SandboxObserver } from '../sandbox/generation.js'
import type { Logger } from '../telemetry/logger.js'
import type { Metrics } from '../telemetry/metrics.js'
import type { DeclaredMetrics } from '../telemetry/own-series.js'
import type { PluginSnapshot } from '../telemetry/plugin-gauges.js'
import type { ServingPlugins } from '../telemetry/pool-figures.js'

/** Passes on what the sandbox tells: to the log, to the plugin manager, and to the metrics where there are any. */
export function observeSandbox(
  log: Logger,
  metrics: Metrics | undefined,
  manager: () => PluginManager | undefined,
): Partial<SandboxObserver> {
  return {
    hardStopped(plugin, reason) {
      manager()?.noteHardStop(plugin, reason)
      metrics?.hardStopped(plugin)
    },
    executorLost(executor, reason, end) {
      log.debug({ executor, reason }, 'executor ended')
      if (end !== 'closing') metrics?.executorEnded(end)
    },
    budgetKilled(plugin, code) {
      log.warn({ plugin, code }, 'call was stopped by its budget')
      manager()?.noteBudgetKill(plugin, code)
      metrics?.budgetKilled(plugin, code)
    },
    ...(metrics && {
      executorStarted: () => metrics.executorStarted(),
      vmBuilt: (plugin, durationMs) => metrics.vmBuilt(plugin, durationMs),
      vmRetired: (plugin, reason) => metrics.vmRetired(plugin, reason),
      callWaited: (plugin, kind, waitedMs) => metrics.callWaited(plugin, kind, waitedMs),
    }),
  }
}

/** Passes on how the requests to plugin routes ended. */
export function observeDispatch(metrics: Metrics | undefined, manager: PluginManager): DispatchObserver {
  return {
    failed: (plugin, code) => {
      manager.noteError(plugin, code)
      if (code === 'POOL_EXHAUSTED') metrics?.figures.missed()
    },
    ...(metrics && {
      answered: (plugin, _route, status, durationMs, method) =>
        metrics.httpAnswered(plugin, method, status, durationMs),
      refused: (code, status, plugin, method) => metrics.httpRefused(plugin, method, status, code),
      aborted: (plugin, method) => metrics.httpAborted(plugin, method),
    }),
  }
}

/** Passes on what happens to plugins. */
export function observePlugins(metrics: Metrics | undefined): PluginObserver {
  if (metrics === undefined) return {}
  return {
    breakerTripped: (plugin) => metrics.breakerTripped(plugin),
    reloaded: (plugin, status) => metrics.reloaded(plugin, status),
    failed: (plugin, type) => metrics.pluginFailed(plugin, type),
  }
}

/** Looks at all plugins, for the gauges. */
export function snapshotPlugins(manager: PluginManager, sandbox: Sandbox): readonly PluginSnapshot[] {
  return manager.all().map(({ name, state, breaker, generation }) => ({
    plugin: name,
    state,
    breakerState: breaker.state,
    quarantined: sandbox.isQuarantined(name),
    pool: generation?.status(),
  }))
}

/** Gives the metrics that a plugin declares for itself, as of what serves; undefined when it does not run. */
export function declaredMetrics(manager: PluginManager, plugin: string): DeclaredMetrics | undefined {
  const { state, generation } = manager.find(plugin) ?? {}
  if (state !== 'running' || generation === undefined) return undefined
  return { generation: generation.id, metrics: () => metricsOf(generation.inspection.registrations) }
}

/** Tells which plugins serve, for the figures of `/metrics/api`. */
export function servingPlugins(manager: PluginManager): ServingPlugins {
  return {
    all: () =>
      manager.all().flatMap(({ name, state, generation }) => {
        if (state !== 'running' || generation === undefined) return []
        const { vmsTotal, callsInFlight } = generation.status()
        return [{ name, version: generation.version, vms: vmsTotal, callsInFlight }]
      }),
    versionOf: (plugin) => manager.find(plugin)?.generation?.version,
  }
}
