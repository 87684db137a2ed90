// Fills the key-value store with millions of entries and measures what touches many of them; prints JSON:
//   node kv-large.mjs <millions>
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createHost } from '../../../dist/src/host.js'

const entriesPerPrefix = 1000
const entriesPerCommit = 500
const commitsAtOnce = 8
const pages = 2000

const prefixes = Number(process.argv[2]) * 1000
const directory = mkdtempSync(join(tmpdir(), 'modulacms-bench-kv-large-'))
const file = join(directory, 'kv.db')
const host = await createHost({
  config: {
    data_directory: directory,
    database_url: `sqlite:${file}`,
    keyval: { namespace_bytes: 1024 ** 4 },
    log: { level: 'error' },
  },
})
const kv = host.kv.namespace('bench')
try {
  const fill = await measure(fillStore)
  const page = await measurePages()
  const iterate = await measure(iterateMany)
  const count = await measure(() => kv.count())
  const remove = await measure(() => kv.delete(['group', 0], { exact: false }))
  process.stdout.write(
    JSON.stringify({
      entries: count.value,
      fileBytes: statSync(file).size,
      residentBytes: process.memoryUsage.rss(),
      fill,
      page,
      iterate,
      count,
      remove: { ...remove, value: remove.value.deletedCount },
    }),
  )
} finally {
  await host.close()
  rmSync(directory, { recursive: true, force: true })
}

/** Time of some work, and the longest that the event loop was kept from going round meanwhile. */
async function measure(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const startMs = performance.now()
  const value = await work()
  const seconds = (performance.now() - startMs) / 1000
  delay.disable()
  return { value, seconds, longestBlockMs: delay.max / 1e6 }
}

async function fillStore() {
  const commits = []
  for (let prefix = 0; prefix < prefixes; prefix++) {
    for (let from = 0; from < entriesPerPrefix; from += entriesPerCommit) {
      const atomic = kv.atomic()
      for (let at = from; at < from + entriesPerCommit; at++) atomic.set(['group', prefix, at], { n: at })
      commits.push(atomic.commit())
    }
    if (commits.length >= commitsAtOnce) await Promise.all(commits.splice(0))
  }
  await Promise.all(commits)
}

async function measurePages() {
  const latencies = []
  for (let at = 0; at < pages; at++) {
    const startMs = performance.now()
    const prefix = ['group', Math.floor(Math.random() * prefixes)]
    const { entries } = await kv.paginate({ prefix, limit: 100 })
    latencies.push(performance.now() - startMs)
    if (entries.length !== 100) throw new Error(`a page has ${entries.length} entries`)
  }
  latencies.sort((a, b) => a - b)
  return { p50Ms: latencies[pages / 2], p99Ms: latencies[Math.floor(pages * 0.99)] }
}

async function iterateMany() {
  let seen = 0
  for await (const _entry of kv.list({ prefix: ['group'] }, { limit: 1_000_000, batch: 1000 })) seen++
  return seen
}
