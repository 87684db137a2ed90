import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { freePort, sleep, waitFor } from './children.mjs'

const benchDirectory = dirname(dirname(fileURLToPath(import.meta.url)))
const root = dirname(dirname(benchDirectory))
const entry = join(root, 'dist', 'bundle', 'main.js')
const lagMonitor = preload('lag')
const startWaitMs = 30_000
const noGateway = preload('without-gateway')

/**
 * Makes a folder with a configuration, a data directory and plugins for one or more starts of the product.
 *
 * @param plugins Folders of `test/bench/plugins`, or `{ from, name }` for a copy under another name.
 * @param settings Keys of config.json on top of those that a bench needs.
 */
export function prepareInstallation(plugins, settings = {}) {
  if (!existsSync(entry)) throw new Error(`${entry} is missing; run npm run build first`)
  const directory = mkdtempSync(join(tmpdir(), 'modulacms-bench-'))
  const pluginDirectory = join(directory, 'plugins')
  mkdirSync(pluginDirectory)
  for (const plugin of plugins) {
    const { from, name } = typeof plugin === 'string' ? { from: plugin, name: plugin } : plugin
    copyPlugin(from, name, pluginDirectory)
  }
  const data = join(directory, 'data')
  const configFile = join(directory, 'config.json')
  const config = {
    plugin_enabled: true,
    plugin_directory: pluginDirectory,
    data_directory: data,
    // One address sends all the load, so the limit per address is set out of the way.
    plugin_rate_limit: 1_000_000,
    log: { level: 'error' },
    ...settings,
  }
  writeFileSync(configFile, JSON.stringify(config, null, 2))
  return {
    data,
    configFile,
    pluginCount: plugins.length,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

function copyPlugin(from, name, pluginDirectory) {
  const target = join(pluginDirectory, name)
  cpSync(join(benchDirectory, 'plugins', from), target, { recursive: true })
  if (name === from) return
  const file = join(target, 'init.lua')
  writeFileSync(file, readFileSync(file, 'utf8').replace(`name = "${from}"`, `name = "${name}"`))
}

/**
 * Starts the product as a user does, and waits until it answers.
 *
 * @param lag Also measures the event loop of its HTTP thread; see `servers/lag.mjs`.
 * @param gateway False leaves the inbound gateway out; see `servers/without-gateway.mjs`.
 * @param readyPath What must answer 200; `/health` when not given.
 */
export async function startProduct(children, installation, options = {}) {
  const { lag = false, gateway = true, readyPath = '/health' } = options
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const startedMs = performance.now()
  const tracked = children.start(
    process.execPath,
    [
      ...(lag ? ['--import', lagMonitor] : []),
      ...(gateway ? [] : ['--import', noGateway]),
      entry,
      'serve',
      '--config',
      installation.configFile,
      '--port',
      String(port),
    ],
    { cwd: dirname(installation.configFile), stdio: ['ignore', 'ignore', 'pipe', ...(lag ? ['ipc'] : [])] },
  )
  try {
    await waitFor(tracked, base + readyPath)
  } catch (error) {
    await children.stop(tracked)
    throw error
  }
  const readyMs = performance.now() - startedMs
  return {
    base,
    pid: tracked.child.pid,
    readyMs,
    url: (path) => base + path,
    approveAll: () => approveAll(base, installation),
    approveStages: () => decideStages(base, installation.data, 'approve'),
    revokeStages: () => decideStages(base, installation.data, 'revoke'),
    pluginDetails: (name) => adminRequest(base, installation.data, 'GET', `/plugins/${name}`),
    createKey: () => createKey(base, installation.data),
    openSession: () => openSession(base, installation.data),
    limiterMetrics: () => hostRequest(base, installation.data, 'GET', '/gateway/api/rate-limit/metrics'),
    resetLag: () => askLag(tracked.child, 'reset'),
    readLag: () => askLag(tracked.child, 'read'),
    stop: () => children.stop(tracked),
  }
}

/** The host answers before all of its plugins are up, and what is not up has no routes to approve. */
async function approveAll(base, { data, pluginCount }) {
  const endMs = performance.now() + startWaitMs
  for (;;) {
    const { checks } = await (await fetch(`${base}/health`)).json()
    if (checks.plugins.failed.length > 0)
      throw new Error(`plugins failed: ${checks.plugins.failed.join(', ')}`)
    if (checks.plugins.running === pluginCount) break
    if (performance.now() > endMs) throw new Error(`only ${checks.plugins.running} plugins run`)
    await sleep(20)
  }
  const { routes } = await adminRequest(base, data, 'GET', '/plugins/routes')
  const waiting = routes.filter((route) => !route.approved)
  const list = waiting.map(({ plugin, method, path }) => ({ plugin, method, path }))
  if (list.length > 0) await adminRequest(base, data, 'POST', '/plugins/routes/approve', { routes: list })
}

/** Approves all stages of plugins, or revokes the approvals. */
async function decideStages(base, data, decision) {
  const { stages } = await adminRequest(base, data, 'GET', '/plugins/stages')
  const decided = stages.filter(({ approved }) => approved === (decision === 'revoke'))
  const list = decided.map(({ plugin_name: plugin, stage }) => ({ plugin, stage }))
  if (list.length > 0) await adminRequest(base, data, 'POST', `/plugins/stages/${decision}`, { stages: list })
}

/** Makes an API key that may do nothing but be known. */
async function createKey(base, data) {
  const { key } = await hostRequest(base, data, 'POST', '/api/v1/auth/keys', { name: 'bench' })
  return key
}

/** Makes a user, signs them in and gives the token of their session. */
async function openSession(base, data) {
  const credentials = { username: 'bench', password: randomBytes(24).toString('base64url') }
  await hostRequest(base, data, 'POST', '/api/v1/auth/users', credentials)
  const { token } = await hostRequest(base, data, 'POST', '/api/v1/auth/login', {
    ...credentials,
    session: 'token',
  })
  return token
}

function adminRequest(base, data, method, path, body) {
  return hostRequest(base, data, method, `/api/v1/admin${path}`, body)
}

async function hostRequest(base, data, method, path, body) {
  const token = readFileSync(join(data, 'admin-token'), 'utf8').trim()
  const response = await fetch(base + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.trim()}`)
  return JSON.parse(text)
}

function askLag(child, question) {
  return new Promise((resolve, reject) => {
    const exited = () => reject(new Error('the product ended while it was measured'))
    child.once('exit', exited)
    child.once('message', (answer) => {
      child.off('exit', exited)
      resolve(answer)
    })
    child.send({ lag: question })
  })
}

/** The URL of a module of `servers/` that runs in the product before it starts. */
function preload(name) {
  return pathToFileURL(join(benchDirectory, 'servers', `${name}.mjs`)).href
}
