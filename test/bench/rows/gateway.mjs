import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { alternate } from '../lib/alternate.mjs'
import { prepareInstallation, startProduct } from '../lib/product.mjs'
import { atLeast, atMost, told } from '../lib/report.mjs'

const connections = 64
/** What a limit of `maxBuckets` keeps while far more clients come. */
const bucketsKept = 10_000
const few = 256
const many = 1_000_000

const route = '/api/v1/plugins/hello/ada'
const besides = '/api/v1/plugins/twin/ada'
const hostRoute = '/health'
const plugins = ['hello', { from: 'hello', name: 'twin' }, 'guard']

/** What a page of another origin sends behind a proxy; 256 clients, so that none of them meets the limit. */
const shape = {
  connections,
  clients: few,
  headers: { origin: 'https://app.example.com', 'accept-encoding': 'gzip, br', accept: 'application/json' },
}

/**
 * A plugin route with everything of the gateway on, against the same product without a gateway; with a stage of another
 * plugin in front of it; and beside a stage that is for other paths, against the same without that stage.
 */
export async function gatewayRow(bench) {
  const installations = {
    on: prepareInstallation(plugins, settings()),
    off: prepareInstallation(plugins, settings()),
  }
  try {
    addShell(installations.on)
    addShell(installations.off)
    const on = await startProduct(bench.children, installations.on)
    const off = await startProduct(bench.children, installations.off, { gateway: false })
    await on.approveAll()
    await off.approveAll()
    const withStage = () => on.approveStages()
    const withoutStage = () => on.revokeStages()
    const sides = [
      { name: 'off', url: off.url(route) },
      { name: 'on', url: on.url(route), prepare: withoutStage },
      { name: 'stage', url: on.url(route), prepare: withStage },
      { name: 'beside', url: on.url(besides), prepare: withStage },
      { name: 'alone', url: on.url(besides), prepare: withoutStage },
      { name: 'host-off', url: off.url(hostRoute) },
      { name: 'host-on', url: on.url(hostRoute) },
    ]
    const medians = await alternate(bench, sides, shape)
    const line = lineOf('gateway', medians)
    return [
      line(atLeast, 'plugin route, all of the gateway vs none', 'on', 'off', 0.8),
      line(atLeast, 'plugin route behind a Lua stage vs no gateway', 'stage', 'off', 0.6),
      line(atLeast, 'plugin route beside a Lua stage vs without one', 'beside', 'alone', 0.95),
      line(told, '/health, all of the gateway vs none', 'host-on', 'host-off'),
    ]
  } finally {
    await bench.children.stopAll()
    for (const installation of Object.values(installations)) installation.remove()
  }
}

/** A plugin route under requests of a million clients, of which a limit keeps some, against a few hundred. */
export async function clientsRow(bench) {
  const installation = prepareInstallation(plugins, settings({ window: '1d', maxBuckets: bucketsKept }))
  try {
    addShell(installation)
    const product = await startProduct(bench.children, installation)
    await product.approveAll()
    const url = product.url(route)
    const sides = [
      { name: 'few', url },
      { name: 'many', url, shape: { clients: many } },
    ]
    const medians = await alternate(bench, sides, shape)
    const { activeBuckets } = await product.limiterMetrics()
    const sidesTold = { ours: medians.get('many'), theirs: medians.get('few') }
    return [
      lineOf('clients', medians)(atLeast, 'plugin route, a million clients vs 256', 'many', 'few', 0.8),
      atMost('clients', 'buckets kept of a million clients', activeBuckets, bucketsKept, '', sidesTold),
    ]
  } finally {
    await bench.children.stopAll()
    installation.remove()
  }
}

/** Every part of the gateway is on; nothing of it answers the requests that are measured. */
function settings(rateLimit = {}) {
  return {
    plugin_trusted_proxies: ['127.0.0.1'],
    gateway: {
      rateLimit: { requests: 10_000, window: '1s', ...rateLimit },
      cors: { origin: ['https://app.example.com', '*.example.org'], credentials: true },
      cache: { enabled: true },
      compression: { enabled: true },
      proxy: {
        rules: ['legacy', 'search', 'reports'].map((name) => ({
          pattern: `^/${name}/(.*)$`,
          target: 'http://127.0.0.1:9',
          rewrite: '/$1',
        })),
      },
      shellDir: 'shell',
    },
  }
}

/** The product runs in the folder of its configuration. */
function addShell({ configFile }) {
  const directory = join(dirname(configFile), 'shell')
  mkdirSync(directory)
  writeFileSync(join(directory, 'index.html'), '<!doctype html><html><head></head><body></body></html>')
}

/** Makes results of the requests a second of one side in relation to those of another. */
function lineOf(row, medians) {
  return (make, what, name, otherName, line) => {
    const [ours, theirs] = [medians.get(name), medians.get(otherName)]
    const ratio = ours.requestsPerSecond / theirs.requestsPerSecond
    return make(row, what, ratio, line, ' x', { ours, theirs })
  }
}
