import { traceLimits } from '../base/limits/telemetry.js'

/** How traces are made and where they go; from the environment variables that OpenTelemetry has agreed on. */
export interface TraceSettings {
  /** Full address for spans as OTLP over HTTP. */
  readonly url: string
  readonly serviceName: string
  readonly attributes: Readonly<Record<string, string>>
  readonly sampler: SamplerName
  /** Share of the traces that are kept by a sampler with a ratio, 0 to 1. */
  readonly ratio: number
  /** Time for one delivery with its repetitions. */
  readonly exportMs: number
  /** What could not be understood and was replaced by its default; sentences for the log. */
  readonly problems: readonly string[]
}

const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

export type SamplerName = (typeof samplerNames)[number]

/** Variables that are read. An empty one counts as absent. */
export type TraceEnvironment = Readonly<Record<string, string | undefined>>

/** Reads the settings of traces; undefined when the environment does not ask for any. */
export function readTraceSettings(environment: TraceEnvironment): TraceSettings | undefined {
  const of = (name: string): string => environment[name]?.trim() ?? ''
  const exporters = of('OTEL_TRACES_EXPORTER')
  if (of('OTEL_SDK_DISABLED').toLowerCase() === 'true' || exporters === 'none') return undefined
  const url = endpointOf(of('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'), of('OTEL_EXPORTER_OTLP_ENDPOINT'))
  if (url === undefined) return undefined
  const problems: string[] = []
  const sampler = samplerOf(of('OTEL_TRACES_SAMPLER'), problems)
  const attributes = attributesOf(of('OTEL_RESOURCE_ATTRIBUTES'), problems)
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new Error(
      `the address for traces "${url}" is no HTTP URL; set OTEL_EXPORTER_OTLP_ENDPOINT to one such as http://127.0.0.1:4318, or to nothing`,
    )
  }
  return {
    url,
    serviceName: of('OTEL_SERVICE_NAME') || attributes['service.name'] || 'modulacms',
    attributes,
    sampler,
    exportMs: exportTimeOf(
      of('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT') || of('OTEL_EXPORTER_OTLP_TIMEOUT'),
      problems,
    ),
    ratio: ratioOf(of('OTEL_TRACES_SAMPLER_ARG'), sampler, problems),
    problems,
  }
}

/** The variable for traces is the whole address; the general one is what `/v1/traces` is put behind. */
function endpointOf(ofTraces: string, general: string): string | undefined {
  if (ofTraces !== '') return ofTraces
  return general === '' ? undefined : `${general.replace(/\/+$/, '')}/v1/traces`
}

function samplerOf(text: string, problems: string[]): SamplerName {
  const found = samplerNames.find((name) => name === text)
  if (found === undefined && text !== '') {
    problems.push(
      `OTEL_TRACES_SAMPLER "${text}" is not known and counts as parentbased_always_on; use one of ${samplerNames.join(', ')}`,
    )
  }
  return found ?? 'parentbased_always_on'
}

function ratioOf(text: string, sampler: SamplerName, problems: string[]): number {
  if (text === '' || !sampler.endsWith('traceidratio')) return 1
  const ratio = Number(text)
  if (ratio >= 0 && ratio <= 1) return ratio
  problems.push(`OTEL_TRACES_SAMPLER_ARG "${text}" counts as 1; use a number from 0 to 1`)
  return 1
}

function exportTimeOf(text: string, problems: string[]): number {
  const timeMs = Number(text)
  if (text !== '' && Number.isFinite(timeMs) && timeMs > 0) return timeMs
  if (text !== '') {
    problems.push(
      `the time for deliveries "${text}" counts as ${traceLimits.exportMs}; set OTEL_EXPORTER_OTLP_TIMEOUT to milliseconds`,
    )
  }
  return traceLimits.exportMs
}

/** Reads `key=value,key=value` with percent-encoded values. */
function attributesOf(text: string, problems: string[]): Readonly<Record<string, string>> {
  const attributes = new Map<string, string>()
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue
    const at = pair.indexOf('=')
    try {
      if (at < 1) throw new Error('no key')
      attributes.set(pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim()))
    } catch {
      problems.push('a part of OTEL_RESOURCE_ATTRIBUTES is left out: write it as key=value,key=value')
    }
  }
  return Object.fromEntries(attributes)
}
