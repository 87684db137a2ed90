import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../lib/children.mjs'
import { atLeast, noted } from '../lib/report.mjs'
import { summarize } from '../lib/statistics.mjs'

const script = join(dirname(dirname(fileURLToPath(import.meta.url))), 'servers', 'kv.mjs')

const workloads = [
  { name: 'get', width: 1, line: 10 },
  { name: 'get', width: 64, line: 10 },
  { name: 'set', width: 1, line: 5 },
  { name: 'set', width: 64, line: 5 },
]

/** `kv.get` and `kv.set` from TypeScript, with the `@deno/kv` package, both on a SQLite file. */
export async function kvRow(bench) {
  const results = []
  for (const { name, width, line } of workloads) {
    const { ours, theirs } = await measureBoth(bench, name, width)
    const what = `kv.${name} vs @deno/kv, ${width} at a time`
    const ratio = ours.requestsPerSecond / theirs.requestsPerSecond
    results.push(atLeast('kv', what, ratio, line, ' x', { ours, theirs }))
  }
  const underWrites = await measureBoth(bench, 'get-under-writes', 1)
  results.push(noted('kv', 'p99 of kv.get while 16 kv.set are under way', underWrites))
  return results
}

async function measureBoth(bench, workload, width) {
  const samples = { modulacms: [], deno: [] }
  for (let round = 1; round <= bench.rounds; round++) {
    for (const side of Object.keys(samples)) {
      bench.progress(`round ${round}/${bench.rounds} ${workload} ${width} ${side}`)
      const output = await run(bench.children, process.execPath, [
        script,
        side,
        workload,
        String(width),
        String(bench.seconds),
      ])
      samples[side].push(JSON.parse(output))
    }
  }
  return { ours: summarize(samples.modulacms), theirs: summarize(samples.deno) }
}
