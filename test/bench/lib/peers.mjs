import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, run, waitFor } from './children.mjs'

const benchDirectory = dirname(dirname(fileURLToPath(import.meta.url)))
const installedMarker = join(benchDirectory, 'node_modules', '.package-lock.json')

/** Installs what the peers need, in the bench's own folder, unless it is there. */
export async function installPeers(children) {
  if (existsSync(installedMarker)) return
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const command = existsSync(join(benchDirectory, 'package-lock.json')) ? 'ci' : 'install'
  console.error(
    `Installing the peers: npm ${command} in ${benchDirectory} (isolated-vm compiles, about two minutes)`,
  )
  await run(children, npm, [command, '--no-audit', '--no-fund'], { cwd: benchDirectory })
}

/**
 * Starts one of `servers/*.mjs` and waits until it answers.
 *
 * @param name File name without its ending.
 * @param path What the server is asked for.
 * @param args What it gets on its command line behind its port.
 */
export async function startPeer(children, name, path, args = []) {
  const port = await freePort()
  const file = join(benchDirectory, 'servers', `${name}.mjs`)
  const nodeOptions = name === 'isolated-vm' ? ['--no-node-snapshot'] : []
  const tracked = children.start(process.execPath, [...nodeOptions, file, String(port), ...args])
  const base = `http://127.0.0.1:${port}`
  const url = base + path
  try {
    await waitFor(tracked, url)
  } catch (error) {
    await children.stop(tracked)
    throw error
  }
  return { url, base, pid: tracked.child.pid, stop: () => children.stop(tracked) }
}
