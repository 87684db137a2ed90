/** A metric that a plugin has declared. */
export interface OwnMetric {
  /** As the plugin says it; `ownMetricName` is what readers see. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Names of its labels; that of the plugin is not among them. */
  readonly labels: readonly string[]
  /** Upper bounds of a histogram, rising; absent for other types. */
  readonly buckets?: readonly number[]
}

/** Kind of the reports that carry what a call has measured. */
export const measuredReport = 'metrics'

/** Why something that was measured does not stand where it belongs. */
export type MeasureDrop = 'series' | 'label_bytes' | 'not_finite' | 'negative'

/** What a call has measured of one series. */
export interface MeasuredSeries {
  readonly metric: string
  /** See `shapeOf`. */
  readonly shape: string
  /** Values in the order of the labels; undefined for the series of what is over a limit. */
  readonly labels: readonly string[] | undefined
  /** What is added; for a histogram the sum of the values. */
  value: number
  /** The value of a gauge is not added but put in the place of the former. */
  isSet: boolean
  /** How many values it is of. */
  times: number
  /** How many values fell into each bucket; empty for other types. */
  readonly counts: number[]
}

/** What a call has measured, as it travels from its thread to the host. */
export interface Measured {
  readonly generation: number
  readonly series: readonly MeasuredSeries[]
  readonly dropped: readonly (readonly [MeasureDrop, number])[]
}

/** Says what numbers of a metric must have in common to be added up: generations may declare one name in two ways. */
export function shapeOf({ type, labels, buckets = [] }: OwnMetric): string {
  return `${type} ${labels.join(',')} ${buckets.join(',')}`
}

/** How many lines a series of the metric takes. */
export function linesOf({ buckets }: OwnMetric): number {
  return buckets === undefined ? 1 : buckets.length + 3
}

/**
 * Gives the name under which readers find a metric of a plugin. No two plugins can share one: a name that a plugin
 * declares has no `__`, and begins with a letter, so that the last `__` ends the name of the plugin.
 */
export function ownMetricName(plugin: string, name: string): string {
  return `modulacms_plugin_${plugin}__${name}`
}

/** Makes a text safe for every reader of the text format: control characters are replaced, line feeds stay. */
export function cleanText(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, '\ufffd')
}

/** Keeps a sum a number that readers know: at the ends of what a number holds it stays there. */
export function addFinite(a: number, b: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, a + b))
}
