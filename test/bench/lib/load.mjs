import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './children.mjs'

const wrkReport = fileURLToPath(new URL('./wrk-report.lua', import.meta.url))
const autocannonLoad = fileURLToPath(new URL('./autocannon-load.mjs', import.meta.url))

/**
 * The load generator: `wrk` when it is on PATH (it takes the least of the machine away from the servers), else
 * autocannon. `measure` resolves to one sample and rejects when a single request failed, since a number that
 * counts error pages says nothing; with `countFailures` the sample carries their number instead. `headers` are sent
 * with each request; with `clients`, X-Forwarded-For names so many addresses in turn.
 */
export function createLoadGenerator(children) {
  const wrk = findOnPath('wrk')
  const measureOnce = wrk
    ? (url, shape) => withWrk(children, wrk, url, shape)
    : (url, shape) => withAutocannon(children, url, shape)
  return {
    name: wrk ? 'wrk' : 'autocannon',
    async measure(url, { countFailures = false, ...shape }) {
      const { hostname } = new URL(url)
      if (hostname !== '127.0.0.1') throw new Error(`the bench loads only 127.0.0.1, not ${hostname}`)
      const sample = await measureOnce(url, shape)
      if (sample.requests === 0) throw new Error(`${url} answered nothing in ${shape.seconds} s`)
      if (sample.failures > 0 && !countFailures)
        throw new Error(`${url}: ${sample.failures} of ${sample.requests} requests failed`)
      return sample
    },
  }
}

async function withWrk(children, wrk, url, { connections, seconds, headers = {}, clients }) {
  const args = [
    ...['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', wrkReport],
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    url,
    ...(clients === undefined ? [] : ['--', String(clients)]),
  ]
  const output = await run(children, wrk, args)
  const report = JSON.parse(output.trim().split('\n').at(-1))
  return {
    requestsPerSecond: report.requests / (report.durationUs / 1e6),
    p50Ms: report.p50Us / 1000,
    p99Ms: report.p99Us / 1000,
    requests: report.requests,
    failures: report.failures,
  }
}

async function withAutocannon(children, url, shape) {
  const args = [autocannonLoad, JSON.stringify({ url, ...shape })]
  const report = JSON.parse(await run(children, process.execPath, args))
  return {
    requestsPerSecond: report.requests.total / report.duration,
    p50Ms: report.latency.p50,
    p99Ms: report.latency.p99,
    requests: report.requests.total,
    failures: report.errors + report.timeouts + report.non2xx,
  }
}

function findOnPath(name) {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(directory, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not in this directory.
    }
  }
  return undefined
}
