import { collectDefaultMetrics, Registry } from 'prom-client'
import type { MetricJson, MetricSample } from './metric-writer.js'

interface PromSample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

/** What prom-client tells of the process: processor time, memory, garbage collection, lag of the event loop. */
export class ProcessMetrics {
  readonly #registry = new Registry()

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
  }

  /** Media type of `text()`. */
  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  async json(): Promise<readonly MetricJson[]> {
    const metrics = await this.#registry.getMetricsAsJSON()
    return metrics.map(({ name, type, help, values = [] }) => ({
      name,
      type: String(type),
      help,
      samples: toSamples(name, values as readonly PromSample[]),
    }))
  }
}

/** Of a histogram only count and sum are kept. */
function toSamples(name: string, values: readonly PromSample[]): readonly MetricSample[] {
  return values
    .filter(({ metricName = name }) => metricName === name || metricName === `${name}_count`)
    .map(({ labels, value, metricName }) => {
      const texts = Object.fromEntries(Object.entries(labels).map(([label, text]) => [label, String(text)]))
      const sum = metricName === `${name}_count` ? sumOf(name, labels, values) : undefined
      return {
        labels: texts,
        value: Number.isFinite(value) ? value : 0,
        ...(sum === undefined ? {} : { sum }),
      }
    })
}

function sumOf(name: string, labels: PromSample['labels'], values: readonly PromSample[]): number {
  const key = JSON.stringify(labels)
  const isSum = (sample: PromSample) =>
    sample.metricName === `${name}_sum` && JSON.stringify(sample.labels) === key
  return values.find(isSum)?.value ?? 0
}
