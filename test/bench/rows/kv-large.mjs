import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../lib/children.mjs'
import { atMost } from '../lib/report.mjs'

const script = join(dirname(dirname(fileURLToPath(import.meta.url))), 'servers', 'kv-large.mjs')
const pageMsMax = 5
const blockMsMax = 50

/** A store of `--millions` entries: pages of a prefix, and how long work on all of them keeps the event loop. */
export async function kvLargeRow(bench) {
  bench.progress(`filling a store with ${bench.millions} million entries, which takes minutes`)
  const output = await run(bench.children, process.execPath, [script, String(bench.millions)])
  const { entries, fileBytes, residentBytes, fill, page, iterate, count, remove } = JSON.parse(output)
  const longest = Math.max(...[fill, iterate, count, remove].map(({ longestBlockMs }) => longestBlockMs))
  const store = `${entries} entries, file ${inMebibytes(fileBytes)} MiB, resident ${inMebibytes(residentBytes)} MiB, filled in ${fill.seconds.toFixed(0)} s`
  const blocks = `blocks fill ${fill.longestBlockMs.toFixed(0)} list ${iterate.longestBlockMs.toFixed(0)} count ${count.longestBlockMs.toFixed(0)} delete ${remove.longestBlockMs.toFixed(0)} ms`
  const times = `${blocks}; listed ${iterate.value} in ${iterate.seconds.toFixed(1)} s, counted all in ${count.seconds.toFixed(1)} s, deleted ${remove.value} in ${(remove.seconds * 1000).toFixed(0)} ms`
  return [
    {
      ...atMost('kv-large', 'p99 of the first 100 entries below a prefix', page.p99Ms, pageMsMax, ' ms'),
      note: store,
    },
    { ...atMost('kv-large', 'longest block of the event loop', longest, blockMsMax, ' ms'), note: times },
  ]
}

function inMebibytes(bytes) {
  return Math.round(bytes / (1024 * 1024))
}
