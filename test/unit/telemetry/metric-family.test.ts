import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricLimits } from '../../../src/base/limits/telemetry.js'
import {
  HistogramCell,
  type MetricDefinition,
  MetricFamily,
  NumberCell,
} from '../../../src/telemetry/metric-family.js'

const definition: MetricDefinition = {
  name: 'things_total',
  type: 'counter',
  labels: ['plugin', 'kind'],
  help: 'Things.',
}
const counter = (changes: Partial<MetricDefinition> = {}) =>
  new MetricFamily({ ...definition, ...changes }, () => new NumberCell())

const written = (family: ReturnType<typeof counter>) =>
  [...family.series()].map(({ labels, cell }) => [Object.values(labels).join(' '), cell.value])

test('a series is one cell, whoever asks for it', () => {
  const family = counter()
  family.of('a', 'x').value += 1
  family.of('a', 'x').value += 2
  family.of('b', 'x').value += 1
  assert.equal(family.of('a', 'x'), family.of('a', 'x'))
  assert.deepEqual(written(family), [
    ['a x', 3],
    ['b x', 1],
  ])
})

test('a plugin that makes up labels gets a bounded number of series, the rest in one; others keep their room', () => {
  const family = counter()
  for (let index = 0; index < metricLimits.seriesPerPluginMax * 5; index += 1) {
    family.of('greedy', `kind${index}`).value += 1
  }
  family.of('modest', 'x').value += 1
  const values = written(family)
  assert.equal(values.length, metricLimits.seriesPerPluginMax + 2)
  assert.deepEqual(values.at(-2), ['greedy other', metricLimits.seriesPerPluginMax * 4])
  assert.deepEqual(values.at(-1), ['modest x', 1])
  family.of('greedy', 'kind0').value += 1
  assert.equal(family.of('greedy', 'kind0').value, 2, 'series that are there go on')
})

test('beyond all series everything new is counted for one plugin that cannot exist', () => {
  const family = counter()
  for (let index = 0; index < metricLimits.seriesMax + 500; index += 1) family.of(`p${index}`, 'x').value += 1
  const values = written(family)
  assert.equal(values.length, metricLimits.seriesMax + 1)
  assert.deepEqual(values.at(-1), ['(other) other', 500])
})

test('series of plugins that are gone leave, and make room', () => {
  const family = counter()
  for (let index = 0; index < metricLimits.seriesMax; index += 1) family.of(`p${index}`, 'x').value += 1
  family.of('(none)', 'x').value += 1
  family.keep((plugin) => plugin === 'p1')
  family.of('fresh', 'x').value += 1
  assert.deepEqual(
    written(family).map(([labels]) => labels),
    ['p1 x', '(other) other', 'fresh x'],
  )
})

test('a label that is too long becomes other', () => {
  const family = counter()
  family.of('a', 'x'.repeat(metricLimits.labelCharactersMax)).value += 1
  family.of('a', 'x'.repeat(metricLimits.labelCharactersMax + 1)).value += 1
  assert.deepEqual(written(family).at(-1), ['a other', 1])
})

test('a metric without labels has one series, one without plugins is bounded as well', () => {
  const plain = counter({ labels: [] })
  plain.of().value += 1
  assert.deepEqual(written(plain), [['', 1]])
  const byCause = counter({ labels: ['cause'] })
  for (let index = 0; index < metricLimits.seriesMax + 3; index += 1) byCause.of(`c${index}`).value += 1
  assert.deepEqual(written(byCause).at(-1), ['other', 3])
  byCause.keep(() => false)
  assert.equal(written(byCause).length, metricLimits.seriesMax + 1, 'a cause is no plugin')
})

test('a histogram puts each value into its bucket, bounds included, and is not spoilt by what is no number', () => {
  const cell = new HistogramCell([0.1, 1])
  for (const value of [0, 0.1, 0.5, 1, 1.5, -1, Number.NaN, Number.POSITIVE_INFINITY]) cell.observe(value)
  assert.deepEqual([...cell.counts], [5, 2, 1])
  assert.equal(cell.count, 8)
  assert.ok(Math.abs(cell.sum - 3.1) < 1e-9)
})
