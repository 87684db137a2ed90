#!/usr/bin/env node
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { TestReport } from '../src/harness/results.js'
import type { CliContext, PluginTestRun, Terminal } from './context.js'
import { createLineReader } from './line-reader.js'
import { runCli } from './program.js'
import { askSecretly } from './secret-reader.js'

/** Root of the package, seen from the compiled file. */
const packageRoot = new URL('../../', import.meta.url)

function createTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process
  const plain = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb'
  return {
    interactive: Boolean(stdin.isTTY && stderr.isTTY),
    colors: Boolean(stdout.isTTY && stderr.isTTY) && !plain,
    writeOut: (text) => void stdout.write(text),
    stream: async (text) => {
      if (!stdout.write(text)) await once(stdout, 'drain')
    },
    input: () => stdin.setEncoding('utf8'),
    writeError: (text) => void stderr.write(text),
    ask: createLineReader(stdin, stderr),
    askSecret: (question) => askSecretly(question, stdin, stderr),
  }
}

function createContext(): CliContext {
  const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
    version: string
  }
  return {
    version,
    workingDirectory: process.cwd(),
    environment: process.env,
    stubsDirectory: fileURLToPath(new URL('sdk/lua/', packageRoot)),
    terminal: createTerminal(),
    // The server and the sandbox are loaded only by the commands that need them: the others answer at once.
    runServer: async (flags, companion) =>
      (await import('../src/main.js')).runServer(flags, process.env, companion),
    runPluginTests,
    watchPlugin: async (directory, changed) =>
      (await import('./watching.js')).watchUntilInterrupted(directory, changed),
    checkConfig: async (options) => (await import('../src/config-check.js')).checkConfig(options),
    openValidator: async () => (await import('../src/validator-session.js')).openValidator(),
  }
}

/** Interrupted, it ends as processes do that leave nothing behind; a watch has its own end. */
async function runPluginTests(run: PluginTestRun): Promise<TestReport> {
  const exits = Object.entries({ SIGINT: 130, SIGTERM: 143 })
    .filter(([signal]) => process.listenerCount(signal) === 0)
    .map(([signal, code]) => ({ signal, exit: () => process.exit(code) }))
  for (const { signal, exit } of exits) process.once(signal, exit)
  try {
    const tests = await import('../src/plugin-tests.js')
    return await tests.runPluginTests({ ...run, environment: process.env })
  } finally {
    for (const { signal, exit } of exits) process.removeListener(signal, exit)
  }
}

async function main(): Promise<void> {
  // A reader that has seen enough, such as head, closes the pipe; that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  const exitCode = await runCli(process.argv.slice(2), createContext())
  // An exit would cut off what is still on its way into a pipe.
  await new Promise((resolve) => process.stdout.write('', resolve))
  await new Promise((resolve) => process.stderr.write('', resolve))
  process.exit(exitCode)
}

await main()
