import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ownMetricLimits } from '../../../src/base/limits/telemetry.js'
import { Measurements } from '../../../src/capabilities/metrics/measurements.js'
import { writeMetricText } from '../../../src/telemetry/metric-writer.js'
import {
  cleanText,
  type MeasureDrop,
  type OwnMetric,
  ownMetricName,
} from '../../../src/telemetry/own-metric.js'
import { OwnSeries } from '../../../src/telemetry/own-series.js'
import { type PrometheusText, parsePrometheusText } from '../../helpers/prometheus-text.js'

const counter: OwnMetric = { name: 'hits_total', type: 'counter', help: 'Hits.', labels: ['path'] }
const gauge: OwnMetric = { name: 'depth', type: 'gauge', help: '', labels: [] }
const histogram: OwnMetric = { name: 'size', type: 'histogram', help: '', labels: ['path'], buckets: [1, 10] }

/** Plugins whose generations declare metrics, as a host would know them. */
class World {
  readonly dropped = new Map<string, number>()
  readonly own = new OwnSeries((plugin, reason, count) => {
    this.dropped.set(`${plugin} ${reason}`, (this.dropped.get(`${plugin} ${reason}`) ?? 0) + count)
  })
  readonly #serving = new Map<string, { generation: number; metrics: readonly OwnMetric[] }>()

  constructor() {
    this.own.follow((plugin) => {
      const found = this.#serving.get(plugin)
      return found && { generation: found.generation, metrics: () => found.metrics }
    })
  }

  stop(plugin: string): void {
    this.#serving.delete(plugin)
  }

  serve(plugin: string, generation: number, ...metrics: OwnMetric[]): void {
    this.#serving.set(plugin, { generation, metrics })
  }

  /** One call of a generation. */
  call(plugin: string, generation: number, measure: (measurements: Measurements) => void): void {
    const measurements = new Measurements()
    measure(measurements)
    // As it arrives from another thread.
    this.own.take(plugin, structuredClone(measurements.take(generation)))
  }

  async read(...plugins: string[]): Promise<PrometheusText> {
    const text = await writeMetricText(this.own.families(plugins))
    return parsePrometheusText(text === '' ? '\n' : text)
  }

  drops(plugin: string, reason: MeasureDrop): number {
    return this.dropped.get(`${plugin} ${reason}`) ?? 0
  }
}

const shop = { plugin: 'shop' }

test('what several calls measured is added up; the last setting of a gauge counts', async () => {
  const world = new World()
  world.serve('shop', 1, counter, gauge, histogram)
  assert.equal(
    (await world.read('shop')).value('modulacms_plugin_shop__depth', shop),
    0,
    'there before its use',
  )
  world.call('shop', 1, (m) => {
    m.add(counter, 2, ['/a'])
    m.add(counter, 1, ['/a'])
    m.set(gauge, 7, [])
    m.add(gauge, -2, [])
    for (const value of [0, 1, 5, 100]) m.observe(histogram, value, ['/a'])
  })
  world.call('shop', 1, (m) => {
    m.add(counter, 4, ['/a'])
    m.add(gauge, 10, [])
    m.observe(histogram, 10, ['/a'])
  })
  const text = await world.read('shop')
  const labels = { ...shop, path: '/a' }
  assert.equal(text.value('modulacms_plugin_shop__hits_total', labels), 7)
  assert.equal(text.value('modulacms_plugin_shop__depth', shop), 15)
  assert.equal(text.value('modulacms_plugin_shop__size_sum', labels), 116)
  assert.deepEqual(
    text.samples('modulacms_plugin_shop__size_bucket').map(({ value }) => value),
    [2, 4, 5],
  )
  world.call('shop', 1, (m) => m.set(gauge, 1, []))
  assert.equal((await world.read('shop')).value('modulacms_plugin_shop__depth', shop), 1)
})

test('a million label values cost a bounded number of lines, and each of them is counted', async () => {
  const world = new World()
  world.serve('greedy', 1, counter, histogram)
  world.serve('modest', 2, counter)
  const values = 1_000_000
  const perCall = 10_000
  for (let call = 0; call < values / perCall; call += 1) {
    world.call('greedy', 1, (m) => {
      for (let at = 0; at < perCall; at += 1) m.add(counter, 1, [`/${call}/${at}`])
    })
  }
  world.call('greedy', 1, (m) => m.observe(histogram, 3, ['/late']))
  world.call('modest', 2, (m) => m.add(counter, 1, ['/x']))
  const text = await world.read('greedy', 'modest')
  const name = 'modulacms_plugin_greedy__hits_total'
  const { linesMax } = ownMetricLimits
  assert.equal(text.samples(name).length, linesMax + 1)
  assert.equal(text.value(name, { plugin: 'greedy', path: 'other' }), values - linesMax)
  assert.equal(
    text.samples(name).reduce((sum, { value }) => sum + value, 0),
    values,
  )
  assert.equal(text.value('modulacms_plugin_greedy__size_count', { plugin: 'greedy', path: 'other' }), 1)
  assert.equal(text.value('modulacms_plugin_modest__hits_total', { plugin: 'modest', path: '/x' }), 1)
  assert.equal(world.drops('greedy', 'series'), values - linesMax + 1)
  assert.equal(world.drops('modest', 'series'), 0)
  world.call('greedy', 1, (m) => m.add(counter, 1, ['/0/0']))
  assert.equal((await world.read('greedy')).value(name, { plugin: 'greedy', path: '/0/0' }), 2, 'it goes on')
})

test('one call cannot send more series than a bounded number, however many it makes up', () => {
  const measurements = new Measurements()
  for (let at = 0; at < 100_000; at += 1) measurements.add(counter, 1, [String(at)])
  assert.equal(measurements.take(1).series.length, ownMetricLimits.seriesPerCallMax + 1)
})

test('what cannot be counted is dropped and told, and spoils nothing', async () => {
  const world = new World()
  world.serve('shop', 1, counter, gauge, histogram)
  world.call('shop', 1, (m) => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      m.add(counter, odd, ['/a'])
      m.set(gauge, odd, [])
      m.observe(histogram, odd, ['/a'])
    }
    m.add(counter, -1, ['/a'])
    m.observe(histogram, -1, ['/a'])
    m.add(gauge, -1, [])
    m.add(counter, 3, undefined)
    m.set(gauge, 99, undefined)
  })
  const text = await world.read('shop')
  assert.equal(text.samples('modulacms_plugin_shop__size_count').length, 0)
  assert.equal(text.value('modulacms_plugin_shop__depth', shop), -1)
  assert.equal(text.value('modulacms_plugin_shop__hits_total', { ...shop, path: 'other' }), 3)
  assert.equal(world.drops('shop', 'not_finite'), 9)
  assert.equal(world.drops('shop', 'negative'), 2)
  assert.equal(world.drops('shop', 'label_bytes'), 2)
})

test('sums stay numbers that readers know, however large they become', async () => {
  const world = new World()
  world.serve('shop', 1, counter, gauge, histogram)
  for (let call = 0; call < 3; call += 1) {
    world.call('shop', 1, (m) => {
      m.add(counter, Number.MAX_VALUE, ['/a'])
      m.add(counter, Number.MAX_VALUE, ['/a'])
      m.add(gauge, -Number.MAX_VALUE, [])
      m.observe(histogram, Number.MAX_VALUE, ['/a'])
    })
  }
  const text = await world.read('shop')
  const labels = { ...shop, path: '/a' }
  assert.equal(text.value('modulacms_plugin_shop__hits_total', labels), Number.MAX_VALUE)
  assert.equal(text.value('modulacms_plugin_shop__depth', shop), -Number.MAX_VALUE)
  assert.equal(text.value('modulacms_plugin_shop__size_sum', labels), Number.MAX_VALUE)
})

test('a new generation goes on with metrics of the same shape and begins anew with others', async () => {
  const world = new World()
  const other: OwnMetric = { name: 'turned', type: 'counter', help: '', labels: [] }
  world.serve('shop', 1, counter, other)
  world.call('shop', 1, (m) => {
    m.add(counter, 5, ['/a'])
    m.add(other, 5, [])
  })
  const turned: OwnMetric = { ...other, type: 'gauge' }
  world.serve('shop', 2, { ...counter, help: 'New text.' }, turned)
  // A call of the former generation ends late.
  world.call('shop', 1, (m) => {
    m.add(counter, 1, ['/a'])
    m.add(other, 100, [])
  })
  world.call('shop', 2, (m) => m.set(turned, 2, []))
  const text = await world.read('shop')
  assert.equal(text.value('modulacms_plugin_shop__hits_total', { ...shop, path: '/a' }), 6)
  assert.equal(text.metrics.get('modulacms_plugin_shop__hits_total')?.help, 'New text.')
  assert.equal(text.value('modulacms_plugin_shop__turned', shop), 2)
  assert.equal(text.metrics.get('modulacms_plugin_shop__turned')?.type, 'gauge')
  world.serve('shop', 3, turned)
  assert.deepEqual([...(await world.read('shop')).metrics.keys()], ['modulacms_plugin_shop__turned'])
})

test('other labels or buckets are another shape, and room is given back', async () => {
  const world = new World()
  world.serve('shop', 1, counter)
  for (let at = 0; at < ownMetricLimits.linesMax; at += 1) {
    world.call('shop', 1, (m) => m.add(counter, 1, [String(at)]))
  }
  const relabelled = { ...counter, labels: ['method'] }
  world.serve('shop', 2, relabelled)
  world.call('shop', 2, (m) => m.add(relabelled, 1, ['GET']))
  const text = await world.read('shop')
  assert.equal(text.seriesCount, 1)
  assert.equal(text.value('modulacms_plugin_shop__hits_total', { ...shop, method: 'GET' }), 1)
  assert.equal(world.drops('shop', 'series'), 0)
})

test('what an on_init measures waits until its generation serves; that of one that never serves is forgotten', async () => {
  const world = new World()
  const turned: OwnMetric = { ...gauge, type: 'counter' }
  world.call('shop', 1, (m) => m.set(gauge, 4, []))
  assert.deepEqual([...(await world.read('shop')).metrics.keys()], [])
  world.serve('shop', 1, gauge)
  assert.equal((await world.read('shop')).value('modulacms_plugin_shop__depth', shop), 4)
  for (let generation = 2; generation < 100; generation += 1) {
    world.call('shop', generation, (m) => m.add(turned, 1000, []))
  }
  assert.equal((await world.read('shop')).value('modulacms_plugin_shop__depth', shop), 4)
  world.call('shop', 100, (m) => m.add(turned, 3, []))
  world.serve('shop', 100, turned)
  assert.equal((await world.read('shop')).value('modulacms_plugin_shop__depth', shop), 3)
})

test('a plugin that is gone leaves nothing, and comes back with nothing', async () => {
  const world = new World()
  world.serve('shop', 1, counter)
  world.call('shop', 1, (m) => m.add(counter, 5, ['/a']))
  assert.equal((await world.read('shop')).seriesCount, 1)
  assert.equal((await world.read()).seriesCount, 0)
  assert.equal((await world.read('shop')).seriesCount, 0)
})

test('a plugin that does not run shows nothing, and what its last calls report stays away from what runs next', async () => {
  const world = new World()
  world.serve('shop', 1, counter)
  world.call('shop', 1, (m) => m.add(counter, 5, ['/a']))
  world.stop('shop')
  assert.equal((await world.read('shop')).seriesCount, 0)
  world.call('shop', 1, (m) => m.add(counter, 1, ['/a']))
  world.call('shop', 2, (m) => m.add(counter, 7, ['/init']))
  assert.equal((await world.read('shop')).seriesCount, 0)
  world.serve('shop', 2, counter)
  const text = await world.read('shop')
  assert.deepEqual(
    text.samples('modulacms_plugin_shop__hits_total').map(({ labels, value }) => [labels.path, value]),
    [['/init', 7]],
  )
})

test('names of two plugins never meet', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,2}(_[a-z0-9]{1,2}){0,3}$/)
  const pluginName = fc.stringMatching(/^[a-z0-9_]{0,6}[a-z0-9]$/)
  fc.assert(
    fc.property(pluginName, word, pluginName, word, (plugin, name, otherPlugin, otherName) => {
      const isSame = plugin === otherPlugin && name === otherName
      assert.equal(ownMetricName(plugin, name) === ownMetricName(otherPlugin, otherName), isSame)
    }),
    { numRuns: 2000 },
  )
  assert.notEqual(ownMetricName('a', 'b_c'), ownMetricName('a_b', 'c'))
  assert.notEqual(ownMetricName('a__b', 'c'), ownMetricName('a', 'b_c'))
})

test('the text can be read and says what was measured, whatever values labels have', async () => {
  const metric: OwnMetric = { name: 'odd', type: 'counter', help: '', labels: ['a', 'b'] }
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '"',
      '\\',
      '\n',
      '\\n',
      '"} 1\nfake 2',
      '\0',
      '\r\n',
      'a\nb',
      '__proto__',
      '\u2028',
      '{le="1"}',
    ),
  )
  const amount = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, 5e-324, 1e21, 1e-7))
  const step = fc.record({ a: value, b: value, amount, by: fc.constantFrom('add', 'set', 'observe') })
  const bins = { ...histogram, labels: ['a', 'b'] }
  const level = { ...gauge, labels: ['a', 'b'] }
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.string({ unit: 'binary' }),
      async (steps, help) => {
        const world = new World()
        world.serve('shop', 1, { ...metric, help: cleanText(help) }, level, bins)
        const expected = new Map<string, number>()
        for (const { a, b, amount: by, by: how } of steps) {
          const labels = [cleanText(a), cleanText(b)]
          world.call('shop', 1, (m) => {
            if (how === 'add') m.add(metric, by, labels)
            else if (how === 'set') m.set(level, by, labels)
            else m.observe(bins, by, labels)
          })
          const key = JSON.stringify(labels)
          if (how === 'set' && Number.isFinite(by)) expected.set(key, by + 0)
        }
        const text = await world.read('shop')
        const found = text
          .samples('modulacms_plugin_shop__depth')
          .map(({ labels, value: shown }) => [JSON.stringify([labels.a, labels.b]), shown + 0] as const)
        assert.deepEqual(new Map(found), expected)
      },
    ),
    { numRuns: 300 },
  )
})
