import { ownMetricLimits } from '../../base/limits/telemetry.js'
import type { Registration } from '../../sandbox/host-function.js'
import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { cleanText, type OwnMetric } from '../../telemetry/own-metric.js'
import { readOptions } from '../kv/options.js'
import { textOf } from '../log-context.js'

const metricRegistration = 'metric'

const defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Labels that readers, or the host, give a meaning. */
const reservedLabels: readonly string[] = ['plugin', 'le', 'quantile']

/** Words in small letters and digits: no two names differ in case alone, and none leaves the prefix of its plugin. */
const namePattern = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/

/** Lists the metrics among what a plugin has registered. */
export function metricsOf(registrations: readonly Registration[]): readonly OwnMetric[] {
  return registrations
    .filter(({ kind }) => kind === metricRegistration)
    .map(({ data }) => data as unknown as OwnMetric)
}

/** Makes of a metric what is registered. */
export function metricToRegistration(metric: OwnMetric): Registration {
  return { kind: metricRegistration, key: metric.name, data: { ...metric } }
}

/**
 * Reads what a plugin says of a metric.
 *
 * @param declared The metrics that it has declared before.
 * @throws LuaRaise for what cannot be declared; the text does not say which function was called.
 */
export function readDeclaration(
  type: OwnMetric['type'],
  name: LuaValue,
  options: LuaValue,
  declared: readonly OwnMetric[],
): OwnMetric {
  const known = type === 'histogram' ? ['help', 'labels', 'buckets'] : ['help', 'labels']
  const { help, labels, buckets } = readOptions(options, known)
  const metric = {
    name: readName(name, 'name', ownMetricLimits.nameCharactersMax),
    type,
    help: readHelp(help),
    labels: readLabels(labels),
    ...(type === 'histogram' && { buckets: readBuckets(buckets) }),
  }
  checkAgainst(metric, declared)
  return metric
}

function readName(name: LuaValue, what: string, charactersMax: number): string {
  if (typeof name === 'string' && name.length <= charactersMax && namePattern.test(name)) return name
  const shown = typeof name === 'string' ? ` ${JSON.stringify(name.slice(0, charactersMax))}` : ''
  throw new LuaRaise(
    `invalid ${what}${shown}: it takes words of a-z and 0-9 with single underscores between them, the first with a letter first, ${charactersMax} characters at most`,
  )
}

function readHelp(help: LuaValue): string {
  if (help === undefined) return ''
  const text = help instanceof Uint8Array ? textOf(help) : help
  if (typeof text !== 'string') throw new LuaRaise('help must be a string')
  const bytes = Buffer.byteLength(text)
  if (bytes > ownMetricLimits.helpBytesMax) {
    throw new LuaRaise(`help is too long: ${bytes} bytes; ${ownMetricLimits.helpBytesMax} are allowed`)
  }
  return cleanText(text)
}

function readLabels(given: LuaValue): readonly string[] {
  const labels = readList(given, 'labels', '{ "status" }')
  if (labels.length > ownMetricLimits.labelsMax) {
    throw new LuaRaise(`too many labels: ${labels.length}; ${ownMetricLimits.labelsMax} are allowed`)
  }
  const names = labels.map((label) => readName(label, 'label', ownMetricLimits.labelNameCharactersMax))
  for (const [at, name] of names.entries()) {
    if (reservedLabels.includes(name)) throw new LuaRaise(`the label ${name} is reserved; choose another`)
    if (names.indexOf(name) !== at) throw new LuaRaise(`the label ${name} is there twice`)
  }
  return names
}

function readBuckets(given: LuaValue): readonly number[] {
  if (given === undefined) return defaultBuckets
  const buckets = readList(given, 'buckets', '{ 1, 10, 100 }')
  const { bucketsMax } = ownMetricLimits
  if (buckets.length === 0 || buckets.length > bucketsMax) {
    throw new LuaRaise(`buckets has ${buckets.length} bounds; 1 to ${bucketsMax} are allowed`)
  }
  // Adding 0 makes a 0 of -0.
  const bounds = buckets.map((bound) => (typeof bound === 'number' ? bound + 0 : Number.NaN))
  const rises = bounds.every(
    (bound, at) => Number.isFinite(bound) && (at === 0 || bound > (bounds[at - 1] as number)),
  )
  if (!rises) throw new LuaRaise('buckets must be finite numbers that rise; the one for all above is added')
  return bounds
}

function readList(given: LuaValue, what: string, example: string): readonly LuaValue[] {
  if (given === undefined) return []
  if (Array.isArray(given)) return given
  // An empty table has no elements that would make it a list.
  const isEmpty =
    typeof given === 'object' &&
    given !== null &&
    Object.getPrototypeOf(given) === null &&
    Object.keys(given).length === 0
  if (isEmpty) return []
  throw new LuaRaise(`${what} must be a list such as ${example}`)
}

const histogramEndings = ['_bucket', '_sum', '_count']

function checkAgainst(metric: OwnMetric, declared: readonly OwnMetric[]): void {
  if (declared.length >= ownMetricLimits.metricsMax) {
    throw new LuaRaise(`maximum metric limit reached: a plugin may have ${ownMetricLimits.metricsMax}`)
  }
  for (const other of declared) {
    if (other.name === metric.name) throw new LuaRaise(`the metric ${metric.name} is declared already`)
    if (isLineOf(metric, other) || isLineOf(other, metric)) {
      throw new LuaRaise(
        `${metric.name} and ${other.name} would have lines of one name; rename the one that is no histogram`,
      )
    }
  }
}

/** Whether the lines of a histogram have the name of another metric. */
function isLineOf({ name }: OwnMetric, histogram: OwnMetric): boolean {
  return histogram.type === 'histogram' && histogramEndings.some((ending) => histogram.name + ending === name)
}
