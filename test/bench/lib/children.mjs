import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

const stderrBytesKept = 8192
const stopWaitMs = 15_000

/**
 * The processes that one run of the bench started. Only these are ever ended, each by its own handle.
 */
export function createChildren() {
  const running = new Set()

  function start(command, args, options = {}) {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options })
    const tracked = { child, stderr: '', failure: undefined, exited: undefined }
    tracked.exited = new Promise((resolve) => {
      child.once('error', (error) => {
        tracked.failure = error
        running.delete(tracked)
        resolve()
      })
      child.once('exit', () => {
        running.delete(tracked)
        resolve()
      })
    })
    child.stderr?.on('data', (chunk) => {
      tracked.stderr = (tracked.stderr + chunk).slice(-stderrBytesKept)
    })
    running.add(tracked)
    return tracked
  }

  async function stop(tracked) {
    if (!running.has(tracked)) return
    tracked.child.kill('SIGTERM')
    const timer = setTimeout(() => tracked.child.kill('SIGKILL'), stopWaitMs)
    await tracked.exited
    clearTimeout(timer)
  }

  return {
    start,
    stop,
    stopAll: () => Promise.all([...running].map(stop)),
    killAll: () => {
      for (const tracked of running) tracked.child.kill('SIGKILL')
    },
  }
}

/** Runs a command to its end and returns what it printed. */
export async function run(children, command, args, options = {}) {
  const tracked = children.start(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let output = ''
  tracked.child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await tracked.exited
  if (tracked.failure) throw tracked.failure
  if (tracked.child.exitCode !== 0) {
    throw new Error(`${command} ended with ${tracked.child.exitCode}: ${tracked.stderr.trim()}`)
  }
  return output
}

/** A port of the loopback interface that nobody listens on at this moment. */
export async function freePort() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/**
 * Asks a URL until it answers 200.
 *
 * @throws Error when the process behind it ends first, with the last of what it said, or when time runs out.
 */
export async function waitFor(tracked, url, { timeoutMs = 30_000, intervalMs = 10 } = {}) {
  const end = performance.now() + timeoutMs
  let last = 'no answer'
  for (;;) {
    try {
      const response = await fetch(url)
      await response.arrayBuffer()
      if (response.status === 200) return
      last = `status ${response.status}`
    } catch (error) {
      last = error.cause?.code ?? error.message
    }
    if (tracked.failure) throw tracked.failure
    const { exitCode, signalCode } = tracked.child
    if (exitCode !== null || signalCode !== null) {
      throw new Error(`the server ended with ${signalCode ?? exitCode}: ${tracked.stderr.trim()}`)
    }
    if (performance.now() > end)
      throw new Error(`${url} did not answer 200 in time (${last}): ${tracked.stderr.trim()}`)
    await sleep(intervalMs)
  }
}
