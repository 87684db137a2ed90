import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from './until.js'

/** The repository, seen from dist/test/helpers. */
export const projectRoot = fileURLToPath(new URL('../../../', import.meta.url))
const commandFile = join(projectRoot, 'dist', 'bundle', 'main.js')

/** How a process ended, and what it wrote. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** A process that runs. */
export interface Running {
  readonly process: ChildProcess
  out(): string
  err(): string
  readonly ended: Promise<Ended>
}

/** A server process that listens. */
export interface ServerProcess extends Running {
  readonly url: string
  readonly port: number
}

/** A folder like a fresh clone: configuration, bundled plugins, and the command where npx finds it. */
export interface Workplace {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** Writes files by their path in the folder. */
  write(files: Readonly<Record<string, string>>): Promise<void>
  /** Starts the command; it is killed when the test ends. */
  start(words: readonly string[], environment?: Readonly<Record<string, string>>): Running
  /** Runs the command to its end. */
  run(words: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended>
  /** Runs a line in a shell. */
  shell(line: string, environment?: Readonly<Record<string, string>>): Promise<Ended>
  /** Starts `serve` on a free port and waits until it listens. */
  serve(words?: readonly string[], environment?: Readonly<Record<string, string>>): Promise<ServerProcess>
}

/** What a workplace needs. Servers start faster with less. */
export interface WorkplaceOptions {
  /** Which of the bundled plugins it has; all when missing. */
  readonly bundledPlugins?: readonly string[]
  /** Executor threads of its servers; as many as the product chooses when missing. */
  readonly executors?: number
}

/** Makes a workplace that goes with the test. */
export async function createWorkplace(
  test: TestContext,
  { bundledPlugins, executors }: WorkplaceOptions = {},
): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'modulacms-e2e-'))
  const started: Running[] = []
  test.after(async () => {
    for (const { process: child } of started) child.kill('SIGKILL')
    await Promise.all(started.map(({ ended }) => ended))
    await rm(folder, { recursive: true, force: true })
  })
  await mkdir(join(folder, 'node_modules', '.bin'), { recursive: true })
  await chmod(commandFile, 0o755)
  await symlink(commandFile, join(folder, 'node_modules', '.bin', 'modulacms'))
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  await cp(join(projectRoot, 'config.json'), join(folder, 'config.json'))
  await mkdir(join(folder, 'plugins'))
  for (const name of bundledPlugins ?? (await readdir(join(projectRoot, 'plugins'))))
    await cp(join(projectRoot, 'plugins', name), join(folder, 'plugins', name), { recursive: true })

  const threads = executors === undefined ? {} : { MODULACMS__PLUGIN_EXECUTORS: String(executors) }
  const environment = { ...cleanEnvironment(), ...threads }
  const launch = (
    file: string,
    words: readonly string[],
    more: Readonly<Record<string, string>>,
  ): Running => {
    const running = watch(spawn(file, words, { cwd: folder, env: { ...environment, ...more } }))
    started.push(running)
    return running
  }
  const start: Workplace['start'] = (words, more = {}) =>
    launch(process.execPath, [commandFile, ...words], more)
  return {
    folder,
    environment,
    start,
    run: (words, more) => start(words, more).ended,
    shell: (line, more = {}) => launch('/bin/sh', ['-c', line], more).ended,
    serve: async (words = [], more = {}) => listening(start(['serve', '--port', '0', ...words], more)),
    async write(files) {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true })
        await writeFile(join(folder, path), text)
      }
    },
  }
}

/** The environment of the tests, without what the runner and the developer have set for this product. */
function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^(MODULACMS|GATEWAY_|NODE_TEST|NODE_OPTIONS|npm_)/.test(name),
  )
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  }
}

function watch(child: ChildProcess): Running {
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  child.stdin?.end()
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, out, err }))
  })
  return { process: child, out: () => out, err: () => err, ended }
}

async function listening(running: Running): Promise<ServerProcess> {
  const [, url = ''] = await until('the server listens', () => {
    if (running.process.exitCode !== null) throw new Error(`the server ended: ${running.err()}`)
    return /modulacms serves (\S+)\n/.exec(running.out())
  })
  // The text comes in one piece; what follows the first line is there with it.
  return { ...running, url, port: Number(new URL(url).port) }
}
