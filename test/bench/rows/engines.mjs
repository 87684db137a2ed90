import { alternate } from '../lib/alternate.mjs'
import { startPeer } from '../lib/peers.mjs'
import { prepareInstallation, startProduct } from '../lib/product.mjs'
import { atLeast, notAvailable } from '../lib/report.mjs'

const connections = 64
const path = '/api/v1/plugins/bench/hello/ada'
const engines = [
  { name: 'isolated-vm', line: 1.7 },
  { name: 'quickjs', line: 2.6 },
  { name: 'wasmoon', line: 4 },
]

/** The same route against other ways to run a script behind Fastify. */
export async function enginesRow(bench) {
  const installation = prepareInstallation(['bench'])
  try {
    const product = await startProduct(bench.children, installation)
    await product.approveAll()
    const { sides, failures } = await startEngines(bench)
    const medians = await alternate(bench, [{ name: 'modulacms', url: product.url(path) }, ...sides], {
      connections,
    })
    const ours = medians.get('modulacms')
    return engines.map(({ name, line }) => {
      const what = `requests/s vs ${name} behind Fastify`
      const theirs = medians.get(name)
      if (theirs === undefined) return notAvailable('engines', what, `>= ${line} x`, failures.get(name))
      return atLeast('engines', what, ours.requestsPerSecond / theirs.requestsPerSecond, line, ' x', {
        ours,
        theirs,
      })
    })
  } finally {
    await bench.children.stopAll()
    installation.remove()
  }
}

/** Starts what is installed and works here; the others are named with the reason. */
async function startEngines(bench) {
  const sides = []
  const failures = new Map()
  for (const { name } of engines) {
    try {
      const peer = await startPeer(bench.children, name, path)
      sides.push({ name, url: peer.url })
    } catch (error) {
      failures.set(name, error)
    }
  }
  return { sides, failures }
}
