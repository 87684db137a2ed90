import { ownMetricLimits } from '../../base/limits/telemetry.js'
import type { Phase } from '../../sandbox/phase.js'
import type { ClassDoc, LuaFunctionDoc, ParamDoc } from '../define.js'

/** What the reference says of the module. */
export const metricsDoc = [
  'Counters, gauges and histograms of the plugin, which operators read together with those of the host. They are',
  'declared at module scope, when init.lua is loaded, and used in every other phase. `orders_total` of the plugin `shop`',
  'is shown as `modulacms_plugin_shop__orders_total`, with the label `plugin`.',
  '',
  'What all executor threads measure is added up. What a call has measured is sent once, when it ends in any way but by',
  'the end of its thread. Numbers stay while the plugin is reloaded and begin anew where a metric is declared with',
  'another type, other labels or other buckets, and at a restart of the host.',
  '',
  'Measuring never fails because of what is measured. What is no finite number, or is below zero for a counter or',
  'histogram, is dropped. Label values that are no UTF-8 are repaired. A series beyond',
  `${ownMetricLimits.linesMax} lines with labels of the plugin (a series takes one, of a histogram one a bucket and three`,
  `more) or beyond ${ownMetricLimits.seriesPerCallMax} series of one call, and one with a label value of more than ${ownMetricLimits.labelBytesMax} bytes, is counted in a series whose`,
  'labels are `other`; for a gauge it is dropped. `plugin_metrics_dropped_total` tells of all of these. Do not make labels',
  'of what callers choose freely.',
].join('\n')

const registering: readonly Phase[] = ['manifest', 'module']

const nameParam: ParamDoc = {
  name: 'name',
  type: 'string',
  doc: `Words of \`a-z 0-9\` with single \`_\` between them, ${ownMetricLimits.nameCharactersMax} characters at most.`,
}

const optionsParam = (luaType: string): ParamDoc => ({
  name: 'options',
  type: 'any',
  optional: true,
  luaType,
  doc: 'What it means, and which labels it has.',
})

const limits = [
  `Limits: ${ownMetricLimits.metricsMax} metrics a plugin, ${ownMetricLimits.labelsMax} labels each. Works only at module`,
  'scope. Raises for a name that is taken or cannot be used, and for options that do not exist.',
].join('\n')

/** The functions, which are written in Lua. */
export const metricFunctions: readonly LuaFunctionDoc[] = [
  {
    name: 'counter',
    doc: ['Declares a number that only rises. By custom its name ends with `_total`.', '', limits].join('\n'),
    params: [nameParam, optionsParam('metrics.Options?')],
    returns: [{ luaType: 'metrics.Counter', doc: 'Counts with `inc`.' }],
    phases: registering,
    example: [
      'local orders = metrics.counter("orders_total", { help = "Orders received.", labels = { "status" } })',
      'http.handle("POST", "/orders", function(req)',
      '  orders:inc(1, { status = "new" })',
      '  return { status = 201 }',
      'end)',
    ].join('\n'),
  },
  {
    name: 'gauge',
    doc: [
      'Declares a number that rises and falls. `set` of several threads: the call that ends last counts.',
      '',
      limits,
    ].join('\n'),
    params: [nameParam, optionsParam('metrics.Options?')],
    returns: [{ luaType: 'metrics.Gauge', doc: 'Is set with `set`, and changed with `inc` and `dec`.' }],
    phases: registering,
    example: [
      'local stock = metrics.gauge("stock_items", { help = "Items in stock." })',
      'kv.on_change({ "stock" }, function(change) stock:set(change.value or 0) end)',
    ].join('\n'),
  },
  {
    name: 'histogram',
    doc: [
      'Declares a number that is observed many times, and counted by size.',
      '',
      `${limits} Buckets: 1 to ${ownMetricLimits.bucketsMax} finite numbers that rise.`,
    ].join('\n'),
    params: [nameParam, optionsParam('metrics.HistogramOptions?')],
    returns: [{ luaType: 'metrics.Histogram', doc: 'Takes values with `observe`.' }],
    phases: registering,
    example: [
      'local sizes = metrics.histogram("upload_bytes", { help = "Bytes of uploads.", buckets = { 1000, 100000, 10000000 } })',
      'http.handle("POST", "/files", function(req)',
      '  sizes:observe(#req.body)',
      '  return { status = 204 }',
      'end)',
    ].join('\n'),
  },
]

const labels = 'labels?: table<string, string|number|boolean>'

const commonOptions: ClassDoc['fields'] = [
  {
    name: 'help',
    luaType: 'string?',
    doc: `What it means; ${ownMetricLimits.helpBytesMax} bytes at most.`,
  },
  {
    name: 'labels',
    luaType: 'string[]?',
    doc: [
      `Names of its labels, written as those of metrics, ${ownMetricLimits.labelNameCharactersMax} characters each;`,
      'not `plugin`, `le` or `quantile`. One that is left out when measuring is empty.',
    ].join(' '),
  },
]

/** The classes of the stubs. */
export const metricClasses: readonly ClassDoc[] = [
  { name: 'metrics.Options', doc: 'What a metric means, and its labels.', fields: commonOptions },
  {
    name: 'metrics.HistogramOptions',
    doc: 'What a histogram means, its labels and buckets.',
    fields: [
      ...commonOptions,
      {
        name: 'buckets',
        luaType: 'number[]?',
        doc: 'Upper bounds, rising; 0.005 to 10, for seconds, when missing.',
      },
    ],
  },
  {
    name: 'metrics.Counter',
    doc: 'A declared counter. Raises for an amount that is no number and for labels that were not declared.',
    fields: [
      {
        name: 'inc',
        luaType: `fun(self: metrics.Counter, amount?: number, ${labels})`,
        doc: 'Adds to it, 1 when missing.',
      },
    ],
  },
  {
    name: 'metrics.Gauge',
    doc: 'A declared gauge. Raises as a counter does.',
    fields: [
      { name: 'set', luaType: `fun(self: metrics.Gauge, value: number, ${labels})`, doc: 'Sets it.' },
      {
        name: 'inc',
        luaType: `fun(self: metrics.Gauge, amount?: number, ${labels})`,
        doc: 'Adds to it, 1 when missing.',
      },
      {
        name: 'dec',
        luaType: `fun(self: metrics.Gauge, amount?: number, ${labels})`,
        doc: 'Takes from it, 1 when missing.',
      },
    ],
  },
  {
    name: 'metrics.Histogram',
    doc: 'A declared histogram. Raises as a counter does.',
    fields: [
      {
        name: 'observe',
        luaType: `fun(self: metrics.Histogram, value: number, ${labels})`,
        doc: 'Puts in one value.',
      },
    ],
  },
]
