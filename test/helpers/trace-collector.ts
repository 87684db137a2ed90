import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** A span as it arrived. */
export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly status?: { readonly code?: number }
  readonly attributes: Readonly<Record<string, unknown>>
  /** Of the resource that sent it. */
  readonly resource: Readonly<Record<string, unknown>>
}

/** A collector of spans on a real socket. */
export interface TraceCollector {
  readonly url: string
  readonly spans: readonly CollectedSpan[]
  /** Bodies that came, whatever was answered. */
  readonly posts: number
  /** Status that each post is answered with; 0 leaves it without an answer. */
  status: number
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface WireSpan extends Omit<CollectedSpan, 'attributes' | 'resource'> {
  readonly attributes: readonly Attribute[]
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[]
  }[]
}

/** Starts a collector that takes OTLP as JSON; it ends with the test. */
export async function startTraceCollector(test: TestContext): Promise<TraceCollector> {
  const collector = { url: '', spans: [] as CollectedSpan[], posts: 0, status: 200 }
  const server = createServer((request, response) => void take(collector, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  collector.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return collector
}

async function take(
  collector: { spans: CollectedSpan[]; posts: number; status: number },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  collector.posts += 1
  if (collector.status === 0) return
  if (collector.status === 200 && request.method === 'POST' && request.url === '/v1/traces') {
    collector.spans.push(...spansOf(JSON.parse(Buffer.concat(chunks).toString()) as Export))
  }
  response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}')
}

function spansOf({ resourceSpans }: Export): readonly CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: toRecord(span.attributes),
        resource: toRecord(resource.attributes),
      })),
    ),
  )
}

function toRecord(attributes: readonly Attribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
