// Measures the numbers that the project holds itself to, side by side in one run. See README.md.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { readArguments } from './lib/arguments.mjs'
import { createChildren } from './lib/children.mjs'
import { createLoadGenerator } from './lib/load.mjs'
import { installPeers } from './lib/peers.mjs'
import { notAvailable, renderTable } from './lib/report.mjs'
import { authRow } from './rows/auth.mjs'
import { enginesRow } from './rows/engines.mjs'
import { queryRow, routeRow } from './rows/fastify.mjs'
import { clientsRow, gatewayRow } from './rows/gateway.mjs'
import { idleRow } from './rows/idle.mjs'
import { kvRow } from './rows/kv.mjs'
import { kvLargeRow } from './rows/kv-large.mjs'
import { neighboursRow } from './rows/neighbours.mjs'
import { proxyRow } from './rows/proxy.mjs'
import { siegeRow } from './rows/siege.mjs'
import { memoryRow, startupRow } from './rows/twenty.mjs'

const rows = {
  route: routeRow,
  query: queryRow,
  engines: enginesRow,
  kv: kvRow,
  gateway: gatewayRow,
  auth: authRow,
  clients: clientsRow,
  proxy: proxyRow,
  neighbours: neighboursRow,
  memory: memoryRow,
  startup: startupRow,
  idle: idleRow,
  siege: siegeRow,
  'kv-large': kvLargeRow,
}

/** Take many minutes: measured only when they are asked for. */
const longRows = ['siege', 'kv-large']

async function main() {
  const options = readArguments(process.argv.slice(2), Object.keys(rows), longRows)
  if (options.print !== undefined) {
    process.stdout.write(options.print)
    return 0
  }
  const children = createChildren()
  process.once('exit', children.killAll)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  await installPeers(children)
  const bench = { ...options, children, generator: createLoadGenerator(children), progress: () => {} }
  const results = []
  for (const name of options.only) results.push(...(await measureRow(bench, name)))
  report(bench, results)
  return results.some(({ held }) => held === null) ? 1 : 0
}

async function measureRow(bench, name) {
  const progress = (text) => console.error(`${name}: ${text}`)
  try {
    return await rows[name]({ ...bench, progress })
  } catch (error) {
    console.error(`${name}: ${error.message}`)
    return [notAvailable(name, 'the whole row', '-', error)]
  }
}

function report({ generator, seconds, rounds, jsonFile }, results) {
  const [processor] = cpus()
  const machine = {
    processor: processor?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    generator: generator.name,
  }
  console.log(
    `\n${machine.cores} x ${machine.processor}, Node ${machine.node}, load from ${generator.name} on the same cores, ` +
      `${rounds} rounds of ${seconds} s, medians\n`,
  )
  console.log(renderTable(results))
  if (jsonFile === undefined) return
  const document = { measuredAt: new Date().toISOString(), ...machine, seconds, rounds, results }
  writeFileSync(jsonFile, `${JSON.stringify(document, null, 2)}\n`)
  console.log(`\nEverything measured is in ${jsonFile}.`)
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error.message)
  process.exitCode = 2
}
