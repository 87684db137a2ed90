import type { SpanContext } from '@opentelemetry/api'
import { traceLimits } from '../base/limits/telemetry.js'

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Reads a `traceparent` header (W3C Trace Context); undefined when it is none that may be continued. */
export function parseTraceparent(header: string | undefined): SpanContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', rest] = pattern.exec(header ?? '') ?? []
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}

/** Writes the `traceparent` header that continues a trace. */
export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** Takes over a `tracestate` header, of which nothing is looked at but its size. */
export function boundedTracestate(header: string | undefined): string | undefined {
  return header === undefined || header.length > traceLimits.stateCharactersMax ? undefined : header
}
