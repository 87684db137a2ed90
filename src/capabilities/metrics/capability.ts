import { LuaRaise, type LuaValue, Results } from '../../sandbox/lua-value.js'
import { type Phase, phases } from '../../sandbox/phase.js'
import { cleanText, type OwnMetric } from '../../telemetry/own-metric.js'
import { type Call, type Capability, defineCapability, type FunctionDefinition } from '../define.js'
import { textOf } from '../log-context.js'
import { metricToRegistration, readDeclaration } from './declaration.js'
import { metricClasses, metricFunctions, metricsDoc } from './docs.js'
import { metricsLua } from './lua-part.js'
import { Measurements } from './measurements.js'

/** Module scope runs again for each VM: what it counted would count VMs. */
const measuringPhases: readonly Phase[] = phases.filter((phase) => phase !== 'manifest' && phase !== 'module')

/** The metrics of each VM, in the order of their declaration; a VM has one `Call` for all its calls. */
type MetricsByVm = WeakMap<Call, OwnMetric[]>

const internal = {
  doc: 'Part of the functions that are written in Lua.',
  returns: [],
  cost: 0,
  mode: 'sync',
} as const

/** Creates the Lua module `metrics`: what a plugin counts and measures by itself. */
export function createMetricsCapability(): Capability {
  const declared: MetricsByVm = new WeakMap()
  return defineCapability({
    name: 'metrics',
    doc: metricsDoc,
    functions: [
      declaring('counter', declared),
      declaring('gauge', declared),
      declaring('histogram', declared),
      measuring('inc', declared, (measurements, ...given) => measurements.add(...given)),
      measuring('set', declared, (measurements, ...given) => measurements.set(...given)),
      measuring('observe', declared, (measurements, ...given) => measurements.observe(...given)),
    ],
    classes: metricClasses,
    lua: metricsLua,
    luaFunctions: metricFunctions,
  })
}

/** Declares the function that registers metrics of a type; it gives the index of the metric and its labels. */
function declaring(type: OwnMetric['type'], declared: MetricsByVm): FunctionDefinition {
  return {
    ...internal,
    name: `_${type}`,
    title: type,
    params: [
      { name: 'name', type: 'any', doc: 'Name.' },
      { name: 'options', type: 'any', optional: true, doc: 'Options.' },
    ],
    phases: ['manifest', 'module'],
    handler(call, name, options) {
      const own = declared.get(call) ?? []
      declared.set(call, own)
      const metric = readChecked(type, name, options, own)
      call.register(metricToRegistration(metric), 0)
      own.push(metric)
      return new Results(own.length - 1, [...metric.labels])
    },
  }
}

function readChecked(
  type: OwnMetric['type'],
  name: LuaValue,
  options: LuaValue,
  own: readonly OwnMetric[],
): OwnMetric {
  try {
    return readDeclaration(type, name, options, own)
  } catch (error) {
    throw error instanceof LuaRaise ? new LuaRaise(`metrics.${type}: ${error.message}`) : error
  }
}

type Measure = (
  measurements: Measurements,
  metric: OwnMetric,
  value: number,
  labels: readonly string[] | undefined,
) => void

/** Declares a function that measures; `false` in the place of a label says that its value is too long. */
function measuring(name: string, declared: MetricsByVm, measure: Measure): FunctionDefinition {
  return {
    ...internal,
    name: `_${name}`,
    title: name,
    params: [
      { name: 'index', type: 'integer', doc: 'Which metric.' },
      { name: 'value', type: 'number', doc: 'Number.' },
      { name: 'labels', type: 'any', rest: true, optional: true, doc: 'Values of the labels.' },
    ],
    phases: measuringPhases,
    handler(call, index, value, ...labels) {
      const metric = declared.get(call)?.[index as number]
      if (metric === undefined) throw new Error(`there is no metric ${String(index)}`)
      measure(measurementsOf(call), metric, Number(value), readValues(call, metric, labels))
    },
  }
}

function readValues(
  { secrets }: Call,
  { labels }: OwnMetric,
  given: readonly LuaValue[],
): readonly string[] | undefined {
  const values = labels.map((_name, at) => given[at])
  if (values.includes(false)) return undefined
  return values.map((value) =>
    cleanText(secrets.redact(value instanceof Uint8Array ? textOf(value) : String(value))),
  )
}

const localKey = 'metrics'

/** What the call measures; sent when it ends in any way, ahead of its result. */
function measurementsOf(call: Call): Measurements {
  const known = call.locals.get(localKey)
  if (known instanceof Measurements) return known
  const measurements = new Measurements()
  call.locals.set(localKey, measurements)
  const { plugin, generation } = call.owner
  const { services } = call
  call.onEnd(() => services.measured(plugin, measurements.take(generation)))
  return measurements
}
