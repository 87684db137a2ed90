// Measures a key-value store by itself, without a server before it, and prints the result as JSON:
//   node kv.mjs <modulacms|deno> <get|set|get-under-writes> <calls at a time> <seconds>
// Both sides answer promises and keep a SQLite file, and run the same loop.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const keys = 10_000
const keptLatencies = 200_000
const warmUpMs = 500

const [side, workload, width, seconds] = process.argv.slice(2)
const directory = mkdtempSync(join(tmpdir(), 'modulacms-bench-kv-'))
const sides = { modulacms: openOurs, deno: openDeno }
const store = await sides[side]()
try {
  const value = (at) => ({ name: 'Ada Lovelace', email: 'ada@example.org', visits: at })
  const set = (at) => store.kv.set(['users', at % keys], value(at))
  const get = async (at) => {
    const entry = await store.kv.get(['users', at % keys])
    if (entry.value === null) throw new Error('an entry that was written is missing')
  }
  for (let at = 0; at < keys; at += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, offset) => set(at + offset)))
  }
  const measured = workload === 'set' ? set : get
  await run(measured, Number(width), warmUpMs)
  const background = workload === 'get-under-writes' ? startWriters(set) : undefined
  const sample = await run(measured, Number(width), Number(seconds) * 1000)
  await background?.stop()
  process.stdout.write(JSON.stringify(sample))
} finally {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
}

async function openOurs() {
  const { createHost } = await import('../../../dist/src/host.js')
  const config = {
    data_directory: directory,
    database_url: `sqlite:${join(directory, 'kv.db')}`,
    log: { level: 'error' },
  }
  const host = await createHost({ config })
  return { kv: host.kv.namespace('bench'), close: () => host.close() }
}

async function openDeno() {
  const { openKv } = await import('@deno/kv')
  const kv = await openKv(join(directory, 'kv.db'))
  return { kv, close: () => kv.close() }
}

/** Keeps `width` calls under way for a time; the latency of a call is from asking to having the answer. */
async function run(call, width, ms) {
  const latencies = []
  const startMs = performance.now()
  let count = 0
  const lane = async () => {
    for (let nowMs = performance.now(); nowMs - startMs < ms; ) {
      await call(count++)
      const endMs = performance.now()
      latencies[count % keptLatencies] = endMs - nowMs
      nowMs = endMs
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  const elapsedMs = performance.now() - startMs
  const sorted = Float64Array.from(latencies.filter((latency) => latency !== undefined)).sort()
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return { requestsPerSecond: (count / elapsedMs) * 1000, p50Ms: at(0.5), p99Ms: at(0.99) }
}

/** Writes all the time, 16 calls at once. */
function startWriters(set) {
  let isOver = false
  let at = 0
  const lane = async () => {
    while (!isOver) await set(at++)
  }
  const lanes = Array.from({ length: 16 }, lane)
  return {
    stop: () => {
      isOver = true
      return Promise.all(lanes)
    },
  }
}
