import { alternate } from '../lib/alternate.mjs'
import { startPeer } from '../lib/peers.mjs'
import { prepareInstallation, startProduct } from '../lib/product.mjs'
import { atLeast, atMost } from '../lib/report.mjs'

const connections = 64

/** A plugin route with a small JSON answer, against the same route in bare Fastify. */
export async function routeRow(bench) {
  const { ours, theirs } = await compareWithFastify(bench, '/api/v1/plugins/bench/hello/ada')
  return [
    atLeast(
      'route',
      'requests/s vs bare Fastify',
      ours.requestsPerSecond / theirs.requestsPerSecond,
      0.8,
      ' x',
      { ours, theirs },
    ),
    atMost('route', 'p99 vs bare Fastify', ours.p99Ms / theirs.p99Ms, 2.5, ' x', { ours, theirs }),
  ]
}

/** The same with one row read by its id, against a prepared statement of better-sqlite3. */
export async function queryRow(bench) {
  const { ours, theirs } = await compareWithFastify(bench, '/api/v1/plugins/bench/items/item-250')
  const ratio = ours.requestsPerSecond / theirs.requestsPerSecond
  return [atLeast('query', 'requests/s vs Fastify + better-sqlite3', ratio, 0.75, ' x', { ours, theirs })]
}

async function compareWithFastify(bench, path) {
  const installation = prepareInstallation(['bench'])
  try {
    const product = await startProduct(bench.children, installation)
    await product.approveAll()
    const peer = await startPeer(bench.children, 'fastify', path)
    const sides = [
      { name: 'modulacms', url: product.url(path) },
      { name: 'fastify', url: peer.url },
    ]
    const medians = await alternate(bench, sides, { connections })
    return { ours: medians.get('modulacms'), theirs: medians.get('fastify') }
  } finally {
    await bench.children.stopAll()
    installation.remove()
  }
}
