import { fileURLToPath } from 'node:url'
import { sleep } from '../lib/children.mjs'
import { prepareInstallation, startProduct } from '../lib/product.mjs'
import { atMost, notAvailable } from '../lib/report.mjs'
import { median, summarize } from '../lib/statistics.mjs'

const connections = 16
const offenderConnections = 4
const pluginTimeoutSeconds = 2
const settleMs = 1000
const offendFile = fileURLToPath(new URL('../servers/offend.mjs', import.meta.url))

const hello = '/api/v1/plugins/bench/hello/ada'
const item = '/api/v1/plugins/bench/items/item-250'
const offenders = [
  { plugin: 'spin', what: 'spins in Lua', goodPath: hello },
  { plugin: 'pattern', what: 'backtracks in string.find', goodPath: hello },
  { plugin: 'allocate', what: 'allocates without end', goodPath: hello },
  { plugin: 'hold', what: 'holds a transaction', goodPath: item },
]

// The breaker would end the experiment, and a short time budget makes more kills, not fewer, to cope with.
const settings = { plugin_max_failures: 1000, plugin_timeout: pluginTimeoutSeconds }

/** The p99 of a good plugin beside a bad one, against its own alone, and the lag of the HTTP thread meanwhile. */
export async function neighboursRow(bench) {
  const installation = prepareInstallation(['bench', ...offenders.map(({ plugin }) => plugin)], settings)
  try {
    const product = await startProduct(bench.children, installation, { lag: true })
    await product.approveAll()
    const results = []
    for (const offender of offenders) results.push(...(await measureOffender(bench, product, offender)))
    return results
  } finally {
    await bench.children.stopAll()
    installation.remove()
  }
}

async function measureOffender(bench, product, offender) {
  try {
    return describe(offender.what, await besideOffender(bench, product, offender))
  } catch (error) {
    return [notAvailable('neighbours', `while another ${offender.what}`, '<= 2 x', error)]
  }
}

async function besideOffender(bench, product, { plugin, what, goodPath }) {
  const url = product.url(goodPath)
  const shape = { connections, seconds: bench.seconds, countFailures: true }
  const samples = { alone: [], beside: [], lags: [], offences: [] }
  await bench.generator.measure(url, { connections, seconds: 1 })
  for (let round = 1; round <= bench.rounds; round++) {
    bench.progress(`round ${round}/${bench.rounds} alone, then while another plugin ${what}`)
    samples.alone.push(await bench.generator.measure(url, shape))
    const offence = startOffending(bench, product.url(`/api/v1/plugins/${plugin}`))
    try {
      await sleep(settleMs)
      await product.resetLag()
      samples.beside.push(await bench.generator.measure(url, shape))
      samples.lags.push(await product.readLag())
    } finally {
      samples.offences.push(await offence.stop())
    }
    // Calls that were in flight go on until their budget ends them; the next round starts in quiet.
    await sleep(pluginTimeoutSeconds * 1000 + settleMs)
  }
  return samples
}

function describe(what, { alone, beside, lags, offences }) {
  const ours = summarize(beside)
  const theirs = summarize(alone)
  const lagP99Ms = median(lags.map(({ p99Ms }) => p99Ms))
  const failures = beside.reduce((sum, sample) => sum + sample.failures, 0)
  const answers = offences.map((statuses) => JSON.stringify(statuses)).join(' ')
  return [
    atMost('neighbours', `p99 while another ${what}, vs alone`, ours.p99Ms / theirs.p99Ms, 2, ' x', {
      ours,
      theirs,
    }),
    atMost('neighbours', `HTTP-thread lag p99, another ${what}`, lagP99Ms, 20, ' ms', { lags }),
    atMost('neighbours', `failed requests, another ${what}`, failures, 0, '', {
      note: `offender got ${answers}`,
      offences,
    }),
  ]
}

function startOffending(bench, base) {
  const args = [offendFile, base, String(offenderConnections)]
  const tracked = bench.children.start(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let statuses = {}
  tracked.child.on('message', (message) => {
    statuses = message.statuses
  })
  return {
    async stop() {
      await bench.children.stop(tracked)
      return statuses
    },
  }
}
