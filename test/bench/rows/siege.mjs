import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sleep } from '../lib/children.mjs'
import { prepareInstallation, startProduct } from '../lib/product.mjs'
import { atMost } from '../lib/report.mjs'
import { median } from '../lib/statistics.mjs'

const goodCount = 10
const hostile = ['spin', 'pattern', 'allocate', 'hold', 'recurse', 'join', 'storm', 'flood', 'throw', 'stuck']
const connections = 16
const offenderConnections = 2
const aloneRounds = 3
const offendFile = fileURLToPath(new URL('../servers/offend.mjs', import.meta.url))
const goodNames = Array.from({ length: goodCount }, (_, at) => `good_${at + 1}`)
const mebibyte = 1024 * 1024

/**
 * Ten good plugins beside ten hostile ones for `--minutes`, with the settings that the product ships: the latency of
 * the good ones, what of their calls fails, the lag of the HTTP thread and the memory of the process over time.
 */
export async function siegeRow(bench) {
  const good = goodNames.map((name) => ({ from: 'bench', name }))
  const installation = prepareInstallation([...good, ...hostile])
  try {
    const product = await startProduct(bench.children, installation, { lag: true })
    await product.approveAll()
    const alone = await measureAlone(bench, product)
    const offences = hostile.map((plugin) => startOffending(bench, product.url(`/api/v1/plugins/${plugin}`)))
    const windows = await measureBeside(bench, product)
    const answers = await Promise.all(offences.map((offence) => offence.stop()))
    return describe(alone, windows, answers)
  } finally {
    await bench.children.stopAll()
    installation.remove()
  }
}

async function measureAlone(bench, product) {
  const shape = { connections, seconds: bench.seconds, countFailures: true }
  for (const name of goodNames) {
    await bench.generator.measure(urlOf(product, name), { connections, seconds: 1, countFailures: true })
  }
  const samples = []
  for (let round = 0; round < aloneRounds; round++) {
    bench.progress(`alone ${round + 1}/${aloneRounds}`)
    samples.push(await bench.generator.measure(urlOf(product, goodNames[round]), shape))
  }
  return samples
}

async function measureBeside(bench, product) {
  const windows = []
  const endMs = performance.now() + bench.minutes * 60_000
  for (let at = 0; performance.now() < endMs; at++) {
    const name = goodNames[at % goodCount]
    await product.resetLag()
    const sample = await bench.generator.measure(urlOf(product, name), {
      connections,
      seconds: bench.seconds,
      countFailures: true,
    })
    const { p99Ms: lagP99Ms } = await product.readLag()
    const rssBytes = residentBytes(product.pid)
    windows.push({ ...sample, name, lagP99Ms, rssBytes })
    const minutesLeft = Math.max(0, (endMs - performance.now()) / 60_000).toFixed(1)
    bench.progress(
      `${minutesLeft} min left: p99 ${sample.p99Ms.toFixed(1)} ms, ${sample.failures} of ${sample.requests} failed, ` +
        `${Math.round(rssBytes / mebibyte)} MiB`,
    )
    await sleep(500)
  }
  return windows
}

function describe(alone, windows, answers) {
  const p99Ms = median(windows.map((window) => window.p99Ms))
  const aloneP99Ms = median(alone.map((sample) => sample.p99Ms))
  const third = Math.max(1, Math.floor(windows.length / 3))
  const memory = (some) => median(some.map(({ rssBytes }) => rssBytes)) / mebibyte
  const [early, late] = [memory(windows.slice(third, 2 * third)), memory(windows.slice(-third))]
  const failed = windows.reduce((sum, { failures }) => sum + failures, 0)
  const requests = windows.reduce((sum, window) => sum + window.requests, 0)
  const offenders = hostile.map((plugin, at) => `${plugin} ${JSON.stringify(answers[at])}`).join(', ')
  return [
    atMost('siege', 'p99 of good plugins, vs before the siege', p99Ms / aloneP99Ms, 2, ' x', {
      note: `${aloneP99Ms.toFixed(2)} ms before, ${p99Ms.toFixed(2)} ms in the siege`,
      windows,
    }),
    atMost('siege', 'HTTP-thread lag p99', median(windows.map(({ lagP99Ms }) => lagP99Ms)), 20, ' ms', {}),
    atMost('siege', 'failed requests of good plugins', failed, 0, '', { note: `of ${requests}` }),
    atMost('siege', 'memory, last third vs middle third', late / early, 1.1, ' x', {
      note: `${early.toFixed(0)} MiB, then ${late.toFixed(0)} MiB; offenders got ${offenders}`,
    }),
  ]
}

function urlOf(product, name) {
  return product.url(`/api/v1/plugins/${name}/hello/ada`)
}

function residentBytes(pid) {
  const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibibytes) * 1024
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
