import { sleep } from '../lib/children.mjs'
import { prepareInstallation, startProduct } from '../lib/product.mjs'
import { atMost } from '../lib/report.mjs'
import { residentBytes } from '../lib/resident-memory.mjs'
import { median } from '../lib/statistics.mjs'

const count = 20
const mebibyte = 1024 * 1024
const idleMs = 3000
const requestsAtOnce = 32
const names = Array.from({ length: count }, (_, i) => `bench_${String(i + 1).padStart(2, '0')}`)

/** What one more idle plugin with its four VMs adds to the resident memory. */
export async function memoryRow(bench) {
  const empty = prepareInstallation([])
  const full = prepareInstallation(copies())
  try {
    const without = []
    const loaded = []
    for (let round = 1; round <= bench.rounds; round++) {
      bench.progress(`round ${round}/${bench.rounds} idle without plugins, then with ${count}`)
      without.push(await idleBytes(bench, empty, []))
      loaded.push(await idleBytes(bench, full, names))
    }
    const each = (median(loaded) - median(without)) / count / mebibyte
    const note = `${Math.round(median(without) / mebibyte)} MiB without, ${Math.round(median(loaded) / mebibyte)} MiB with ${count}`
    return [
      atMost('memory', 'idle memory per loaded plugin (4 VMs)', each, 4, ' MiB', { note, without, loaded }),
    ]
  } finally {
    await bench.children.stopAll()
    empty.remove()
    full.remove()
  }
}

/** From the start of the process to its first answer from a plugin, with twenty of them. */
export async function startupRow(bench) {
  const installation = prepareInstallation(copies())
  try {
    // The first start makes the database and the approvals that the measured ones find.
    const first = await startProduct(bench.children, installation)
    await first.approveAll()
    await first.stop()
    const readyPath = `/api/v1/plugins/${names.at(-1)}/hello/ada`
    const times = []
    for (let round = 1; round <= Math.max(5, bench.rounds); round++) {
      bench.progress(`start ${round}`)
      const product = await startProduct(bench.children, installation, { readyPath })
      times.push(product.readyMs / 1000)
      await product.stop()
    }
    const note = `fastest ${Math.min(...times).toFixed(2)} s, slowest ${Math.max(...times).toFixed(2)} s`
    return [
      atMost('startup', `start to first served request, ${count} plugins`, median(times), 1.5, ' s', {
        note,
        times,
      }),
    ]
  } finally {
    await bench.children.stopAll()
    installation.remove()
  }
}

function copies() {
  return names.map((name) => ({ from: 'bench', name }))
}

async function idleBytes(bench, installation, plugins) {
  const product = await startProduct(bench.children, installation)
  await product.approveAll()
  // All VMs work once, so that nothing that is only built when it is needed flatters the number.
  for (const plugin of plugins) {
    const url = product.url(`/api/v1/plugins/${plugin}/items/item-1`)
    await Promise.all(Array.from({ length: requestsAtOnce }, () => fetchOnce(url)))
  }
  await sleep(idleMs)
  const bytes = await residentBytes(bench.children, product.pid)
  await product.stop()
  return bytes
}

async function fetchOnce(url) {
  const response = await fetch(url)
  await response.arrayBuffer()
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`)
}
