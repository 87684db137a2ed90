import type { observedMetrics } from './metric-definitions.js'
import type { MetricFamily, NumberCell } from './metric-family.js'

/** How one plugin is at this moment. */
export interface PluginSnapshot {
  readonly plugin: string
  readonly state: string
  readonly breakerState: string
  readonly quarantined: boolean
  /** Undefined when nothing of it was ever loaded. */
  readonly pool:
    | {
        readonly state: string
        readonly vmsTotal: number
        readonly vmsAvailable: number
        readonly callsInFlight: number
      }
    | undefined
}

type GaugeName = keyof typeof observedMetrics

/** The gauges that are made anew from a look at the plugins. */
export class PluginGauges {
  readonly #gauges: Readonly<Record<GaugeName, MetricFamily<NumberCell>>>

  constructor(create: (name: GaugeName) => MetricFamily<NumberCell>) {
    this.#gauges = {
      vmsAvailable: create('vmsAvailable'),
      vmsTotal: create('vmsTotal'),
      callsInFlight: create('callsInFlight'),
      breakerState: create('breakerState'),
      poolState: create('poolState'),
      pluginState: create('pluginState'),
      quarantined: create('quarantined'),
    }
  }

  /** Replaces all gauges. */
  set(plugins: readonly PluginSnapshot[]): void {
    const gauges = this.#gauges
    for (const gauge of Object.values(gauges)) gauge.clear()
    for (const { plugin, state, breakerState, quarantined, pool } of plugins) {
      gauges.pluginState.of(plugin, state).value = 1
      gauges.breakerState.of(plugin, breakerState).value = 1
      gauges.quarantined.of(plugin).value = quarantined ? 1 : 0
      if (pool === undefined) continue
      gauges.vmsAvailable.of(plugin).value = pool.vmsAvailable
      gauges.vmsTotal.of(plugin).value = pool.vmsTotal
      gauges.callsInFlight.of(plugin).value = pool.callsInFlight
      gauges.poolState.of(plugin, pool.state).value = 1
    }
  }
}
