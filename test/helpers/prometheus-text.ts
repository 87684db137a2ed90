import assert from 'node:assert/strict'

/** One line of a metric. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** One metric as a strict reader sees it. */
export interface ParsedMetric {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

const endings: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*/
const sampleLine =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^\n]*)\})? ([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf|NaN|Nan))$/

/** The metrics of one page, with the questions that tests ask. */
export class PrometheusText {
  readonly metrics: ReadonlyMap<string, ParsedMetric>

  constructor(metrics: ReadonlyMap<string, ParsedMetric>) {
    this.metrics = metrics
  }

  /** Number of the sample with these labels and no others; undefined when there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    return this.samples(name).find((sample) => keyOf(sample.labels) === keyOf(labels))?.value
  }

  /** All samples of that name, e.g. `x_total` or `x_seconds_count`. */
  samples(name: string): readonly Sample[] {
    const metric = this.metrics.get(name) ?? this.metrics.get(name.replace(/_(?:bucket|sum|count)$/, ''))
    return metric?.samples.filter((sample) => sample.name === name) ?? []
  }

  /** Lines that hold a number. */
  get seriesCount(): number {
    let count = 0
    for (const { samples } of this.metrics.values()) count += samples.length
    return count
  }
}

/** Reads the text format of Prometheus; fails on anything that its specification does not allow. */
export function parsePrometheusText(text: string): PrometheusText {
  assert.ok(text.endsWith('\n'), 'the last line must end with a line feed')
  const metrics = new Map<string, ParsedMetric & { samples: Sample[] }>()
  let current: (ParsedMetric & { samples: Sample[] }) | undefined
  let help: readonly [string, string] | undefined
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind === 'HELP') {
      help = [name, rest]
    } else if (kind === 'TYPE') {
      assert.equal(help?.[0], name, `HELP stands before TYPE of ${name}`)
      assert.ok(!metrics.has(name), `${name} stands in one block`)
      assert.ok(rest in endings, `the type of ${name}`)
      current = { name, type: rest, help: help?.[1] ?? '', samples: [] }
      metrics.set(name, current)
    } else {
      const sample = parseSample(line)
      assert.ok(current, line)
      const names = (endings[current.type] ?? []).map((ending) => current?.name + ending)
      assert.ok(names.includes(sample.name), `${sample.name} is no number of ${current.name}`)
      current.samples.push(sample)
    }
  }
  for (const metric of metrics.values()) checkMetric(metric)
  return new PrometheusText(metrics)
}

function parseSample(line: string): Sample {
  const [, name = '', labels = '', value = ''] = sampleLine.exec(line) ?? assert.fail(`no sample: ${line}`)
  return { name, labels: parseLabels(labels, line), value: Number(value.replace('Inf', 'Infinity')) }
}

function parseLabels(text: string, line: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== '') {
    const name = labelName.exec(rest)?.[0] ?? assert.fail(`no label name: ${line}`)
    const [quoted, value = ''] =
      /^="((?:[^"\\\n]|\\[\\"n])*)"/.exec(rest.slice(name.length)) ?? assert.fail(`no label value: ${line}`)
    assert.ok(!Object.hasOwn(labels, name), `twice the label ${name}: ${line}`)
    labels[name] = value.replace(/\\(.)/g, (_whole, letter: string) => (letter === 'n' ? '\n' : letter))
    rest = rest.slice(name.length + quoted.length)
    if (rest !== '') {
      assert.ok(rest.startsWith(','), `no comma between labels: ${line}`)
      rest = rest.slice(1)
    }
  }
  return labels
}

function checkMetric({ name, type, samples }: ParsedMetric): void {
  const keys = samples.map((sample) => `${sample.name} ${keyOf(sample.labels)}`)
  assert.equal(new Set(keys).size, keys.length, `${name} has a series twice`)
  for (const { value } of samples) {
    if (type !== 'gauge') assert.ok(value >= 0, `${name} is below zero or no number`)
  }
  if (type === 'histogram') checkHistogram(name, samples)
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const counts = samples.filter((sample) => sample.name === `${name}_count`)
  for (const { labels, value } of counts) {
    const buckets = samples
      .filter((sample) => sample.name === `${name}_bucket`)
      .filter(({ labels: { le: _le, ...others } }) => keyOf(others) === keyOf(labels))
      .map((sample) => [Number((sample.labels.le ?? '').replace('+Inf', 'Infinity')), sample.value] as const)
    assert.ok(buckets.length > 1, `${name} has buckets`)
    for (const [index, [bound, count]] of buckets.entries()) {
      const [boundBefore, countBefore] = buckets[index - 1] ?? [Number.NEGATIVE_INFINITY, 0]
      assert.ok(bound > boundBefore, `the bounds of ${name} rise`)
      assert.ok(count >= countBefore, `the counts of ${name} add up`)
    }
    assert.deepEqual(buckets.at(-1), [Number.POSITIVE_INFINITY, value], `${name} ends with +Inf`)
  }
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
