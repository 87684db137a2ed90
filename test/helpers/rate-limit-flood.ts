import type { Exchange } from '../../src/gateway/exchange.js'
import { RateLimit } from '../../src/gateway/rate-limit/rate-limit.js'

/**
 * Run as a process of its own with `--expose-gc`, so that nothing else is in its heap: sends a million requests of as
 * many clients through a rate limit, and prints what its memory came to.
 */
const [bucketsMax = 0, clients = 0] = process.argv.slice(2).map(Number)
const collect = (globalThis as { gc?: () => void }).gc
if (collect === undefined) throw new Error('start this with --expose-gc')

const limit = new RateLimit({
  requests: 3,
  window: '1h',
  bucketsMax,
  log: { debug: () => undefined, warn: () => undefined },
})
const headers = { header: () => headers }

/** What a limit by address looks at. */
function requestOf(ip: string): Exchange {
  const seen = {
    ip,
    path: '/x',
    method: 'GET',
    reply: headers,
    header: () => undefined,
    isRateLimited: false,
  }
  return seen as unknown as Exchange
}

const heapBytes = (): number => {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

const before = heapBytes()
let refused = 0
const send = (from: number, to: number): void => {
  for (let client = from; client < to; client += 1) {
    const ip = `10.${client >> 16}.${(client >> 8) & 255}.${client & 255}`
    if (limit.stage.onRequest?.(requestOf(ip)) !== undefined) refused += 1
  }
}
send(0, bucketsMax)
const filled = heapBytes() - before
send(bucketsMax, clients)
const after = heapBytes() - before
const { activeBuckets, totalRequests } = limit.metrics()
process.stdout.write(JSON.stringify({ filled, after, activeBuckets, totalRequests, refused }))
