import { randomBytes } from 'node:crypto'
import { constants, rmSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { testLimits } from './base/limits/harness.js'
import type { TestRequest, TestResponse } from './capabilities/test/topics.js'
import { loadConfig } from './config/load.js'
import type { Config } from './config/schema.js'
import { createDatabase } from './database/database.js'
import { createTestHooks, type Deliver } from './harness/delivered-hooks.js'
import { messagesIdle } from './harness/delivered-messages.js'
import { testsImpossible } from './harness/errors.js'
import type { TestHost, TestWorker } from './harness/file-runner.js'
import { createMockedSender } from './harness/mocked-sender.js'
import type { FileResult, TestReport } from './harness/results.js'
import { ReusedSandbox } from './harness/reused-sandbox.js'
import { runTests, type TestedPlugin } from './harness/runner.js'
import { readTestFiles } from './harness/test-files.js'
import { TestSession } from './harness/test-session.js'
import type { ExecutorComposition } from './host/executor-composition.js'
import { generationSettings } from './host/generation-settings.js'
import type { HarnessParts } from './host/harness.js'
import { createHost, type Host } from './host.js'
import { CallCounts } from './kv/call-counts.js'
import { CommitSignal } from './kv/commit-signal.js'
import type { GrantRequest } from './plugins/administration.js'
import type { GrantKind } from './plugins/grants/grant-table.js'
import { type Candidate, PluginLoader, reasonOf } from './plugins/loader.js'
import { createLogger } from './telemetry/logger.js'

export interface PluginTestOptions {
  /** Folder of the plugin. Plugins that it depends on are looked for beside it. */
  readonly directory: string
  /** Only tests with this text in their names run; all when it is empty. */
  readonly filter: string
  /** Time of each test in milliseconds, setup and teardown included. */
  readonly timeoutMs: number
  readonly coverage: boolean
  /** Configuration file whose `plugin_*` keys hold in the tests, too; nothing is read when it does not exist. */
  readonly configFile: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Hears the plugin's name before the first test. */
  readonly started?: (plugin: string) => void
  /** Hears of each file as soon as it and all before it are done. */
  readonly fileDone?: (result: FileResult) => void
}

/** Requests of a test all come from one address, which no limit must stop. */
const testRateLimit = 1_000_000

const executorEntry = new URL('./executor.bundle.cjs', import.meta.url)

/** The one host name that has a shell in tests. */
const shellHost = 'shell.test'

/**
 * Runs the tests of a plugin, each in a host of its own: a fresh database, fresh VMs, everything approved, no network.
 *
 * @throws HostError when they cannot be run: the plugin is not valid or does not start, or it has no tests.
 */
export async function runPluginTests(options: PluginTestOptions): Promise<TestReport> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-test-'))
  const remove = () => rmSync(root, { recursive: true, force: true })
  // Whoever is interrupted has no time for anything else.
  process.once('exit', remove)
  try {
    const config = testConfig(options, await writeShell(root))
    const place = { root, plugins: join(root, 'plugins'), template: join(root, 'template', 'modula.db') }
    const first = openThreads(options, config, join(root, 'worker-1.db'))
    try {
      const [plugin] = await Promise.all([
        prepare(options, config, place.plugins, first.sandbox),
        writeTemplate(place.template),
      ])
      options.started?.(plugin.name)
      return await testPrepared(plugin, options, config, place, first)
    } finally {
      await first.sandbox.close()
    }
  } finally {
    process.removeListener('exit', remove)
    await rm(root, { recursive: true, force: true })
  }
}

/** Where things of one run are. */
interface TestPlace {
  readonly root: string
  /** Copies of the plugins. */
  readonly plugins: string
  /** The database from which that of each host is copied. */
  readonly template: string
}

function testPrepared(
  plugin: TestedPlugin,
  options: PluginTestOptions,
  config: Config,
  place: TestPlace,
  first: TestThreads,
): Promise<TestReport> {
  let workers = 0
  return runTests(plugin, {
    filter: options.filter,
    timeoutMs: options.timeoutMs,
    coverage: options.coverage,
    filesAtOnce: Math.min(plugin.tests.length, availableParallelism()),
    ...(options.fileDone === undefined ? {} : { fileDone: options.fileDone }),
    openWorker: () => {
      workers += 1
      const directory = join(place.root, `worker-${workers}`)
      const threads = workers === 1 ? first : openThreads(options, config, `${directory}.db`)
      return openWorker(plugin.name, config, place, threads, directory)
    },
  })
}

/** Makes the empty database once: creating its tables takes longer than copying them. */
async function writeTemplate(file: string): Promise<void> {
  const database = await createDatabase({ file })
  await database.close()
}

/** Writes the smallest shell that there is; gives its directory. */
async function writeShell(root: string): Promise<string> {
  const directory = join(root, 'shell')
  await mkdir(directory)
  await writeFile(join(directory, 'index.html'), '<!doctype html><title>shell</title>')
  return directory
}

/** The limits that plugins have in the project, on top of the defaults; nothing else of it belongs into a test. */
function testConfig({ configFile, environment }: PluginTestOptions, shellDir: string): Config {
  const { config: project } = loadConfig({ defaultFile: configFile, environment })
  const { config: defaults } = loadConfig({ environment: {} })
  const limits = Object.fromEntries(Object.entries(project).filter(([key]) => key.startsWith('plugin_')))
  const { plugin_max_vms: vms, plugin_hook_reserve_vms: reserved } = project
  return {
    ...defaults,
    ...limits,
    plugin_enabled: true,
    plugin_hot_reload: false,
    plugin_executors: 1,
    plugin_rate_limit: testRateLimit,
    plugin_request_rate_limit: 0,
    plugin_request_global_rate: 0,
    // A shell whose excludes plugins can change; requests to other hosts do not meet it.
    gateway: { ...defaults.gateway, shellRoutes: [{ host: shellHost, dir: shellDir }] },
    // The test itself occupies one.
    plugin_max_vms: vms + 1,
    plugin_hook_reserve_vms: Math.min(reserved, vms - 1),
  }
}

/** Reads the plugin, its tests and the plugins that it depends on, and copies what a host loads. */
async function prepare(
  { directory }: PluginTestOptions,
  config: Config,
  copies: string,
  threads: ReusedSandbox,
): Promise<TestedPlugin> {
  const folder = resolve(directory)
  const sandbox = threads.lease({ entry: executorEntry, composition: undefined, executors: 1 })
  try {
    const settings = generationSettings(config)
    const loader = new PluginLoader({ directory: dirname(folder), sandbox, settings })
    const tested = await inspect(loader, basename(folder), basename(folder))
    const tests = await readTestFiles(folder, tested.manifest.name)
    const { name, version } = tested.manifest
    for (const each of await withDependencies(loader, dirname(folder), tested)) await copy(each, copies)
    return { name, version, files: tested.source.files, tests }
  } finally {
    await sandbox.close()
  }
}

async function inspect(loader: PluginLoader, folder: string, tested: string): Promise<Candidate> {
  try {
    return await loader.inspect(await loader.read(folder))
  } catch (cause) {
    throw testsImpossible({ plugin: tested, reason: reasonOf(cause) }, { cause })
  }
}

async function withDependencies(
  loader: PluginLoader,
  parent: string,
  tested: Candidate,
): Promise<readonly Candidate[]> {
  const found = new Map([[tested.manifest.name, tested]])
  const waiting = [tested]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const name of next.manifest.dependencies.filter((each) => !found.has(each))) {
      if (!(await isFolder(join(parent, name)))) {
        const reason = `${next.manifest.name} depends on the plugin ${name}, and there is no folder ${name} beside it`
        throw testsImpossible({ plugin: tested.manifest.name, reason })
      }
      const dependency = await inspect(loader, name, tested.manifest.name)
      found.set(name, dependency)
      waiting.push(dependency)
    }
  }
  return [...found.values()]
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** Writes the files as they were read: what was inspected is what is tested, whatever is edited meanwhile. */
async function copy({ source }: Candidate, directory: string): Promise<void> {
  for (const [path, text] of source.files) {
    const file = join(directory, source.folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
}

/** What hosts that come one after the other share. */
interface TestThreads {
  readonly sandbox: ReusedSandbox
  readonly commits: CommitSignal
  /** By this the thread opens its database: it leads to the database of the present host. */
  readonly link: string
}

function openThreads({ coverage }: PluginTestOptions, config: Config, link: string): TestThreads {
  const commits = new CommitSignal()
  const { namespace_bytes: namespaceBytes } = config.keyval
  const kv = { signal: commits.memory, counts: new CallCounts().memory, namespaceBytes }
  const sandbox = new ReusedSandbox({
    composition: { databaseFile: link, kv, runsTests: true } satisfies ExecutorComposition,
    coverage,
  })
  return { sandbox, commits, link }
}

/**
 * Starts one host after the other on the same executor thread: starting a thread takes several times longer than all
 * the rest.
 */
function openWorker(
  plugin: string,
  config: Config,
  { plugins, template }: TestPlace,
  threads: TestThreads,
  directory: string,
): TestWorker {
  const { sandbox, link } = threads
  let hosts = 0
  return {
    startHost: async () => {
      hosts += 1
      const data = `${directory}-${hosts}`
      const databaseFile = join(data, 'modula.db')
      await mkdir(data, { mode: 0o700 })
      await copyFile(template, databaseFile, constants.COPYFILE_FICLONE)
      await rm(link, { force: true })
      await symlink(databaseFile, link)
      return startTestHost(plugin, threads, {
        ...config,
        plugin_directory: plugins,
        data_directory: data,
        database_url: `sqlite:${databaseFile}`,
      })
    },
    close: () => sandbox.close(),
  }
}

async function startTestHost(
  plugin: string,
  { sandbox, commits }: TestThreads,
  config: Config,
): Promise<TestHost> {
  const problems: string[] = []
  const session = new TestSession(plugin)
  let parts: HarnessParts | undefined
  const host = await createHost({
    config,
    // A token of the environment is not kept in a file.
    environment: { MODULACMS_ADMIN_TOKEN: randomBytes(32).toString('base64url') },
    log: createLogger({
      level: 'warn',
      format: 'json',
      destination: { write: (line) => keep(problems, describeLine(line)) },
    }),
    outbound: { sender: createMockedSender(session.mocks) },
    harness: {
      commits,
      attach: (attached) => {
        session.attach(attached)
        parts = attached
      },
      authenticator: (own) => session.authenticator(own),
      report: (report) => session.report(report),
      createSandbox: (options) => sandbox.lease(options),
    },
  })
  const close = async () => {
    await host.close()
    await rm(config.data_directory, { recursive: true, force: true })
  }
  try {
    await assertRunning(host, plugin)
    await approveEverything(host)
    if (parts === undefined) throw new Error('the host did not hand over its parts')
    const { hooks, ...messages } = parts
    session.connect({
      send: (request, credential) => send(host, request, credential),
      adminToken: host.adminToken.token,
      hooks: createTestHooks(hooks, (write, context) => deliver(host, write, context)),
      messagesIdle: () => messagesIdle(plugin, messages),
    })
    return { session, problems, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function deliver(host: Host, ...[write, context]: Parameters<Deliver>): Promise<void> {
  const { event, table, row, old } = write
  const { actor, requestId } = context
  await host.hooks.run(`after_${event}`, table, row, { actor, requestId, ...(old && { old }) })
}

async function assertRunning(host: Host, plugin: string): Promise<void> {
  const [failed] = host.status().failed
  if (failed === undefined) return
  throw testsImpossible({ plugin, reason: `${failed.name} does not start: ${failed.reason}` })
}

/** Approves all that the plugins ask for: in a test nobody else is there to do it. */
async function approveEverything(host: Host): Promise<void> {
  const actor = 'plugin test'
  const { plugins } = host
  await plugins.approveRoutes(plugins.routes(), actor)
  await plugins.approveGrants(
    [
      ...plugins.hooks().map((hook) => grantOf(hook, 'hook', `${hook.event}:${hook.table}`)),
      ...plugins.requests().map((request) => grantOf(request, 'domain', request.domain)),
      ...plugins.coreAccess().map((core) => grantOf(core, 'core', `${core.table}:${core.access}`)),
      ...plugins.kvAccess().map((kv) => grantOf(kv, 'kv', `${kv.namespace}:${kv.access}`)),
      ...plugins.stages().map((stage) => grantOf(stage, 'stage', stage.stage)),
      ...plugins.gatewayAccess().map((gateway) => grantOf(gateway, 'gateway', gateway.access)),
    ],
    actor,
  )
}

function grantOf(
  { plugin_name: plugin }: { readonly plugin_name: string },
  kind: GrantKind,
  key: string,
): GrantRequest {
  return { plugin, kind, key }
}

async function send(host: Host, request: TestRequest, credential: string | undefined): Promise<TestResponse> {
  const { method, path, headers, body } = request
  const authorization = credential === undefined ? {} : { authorization: `Bearer ${credential}` }
  const response = await host.app.inject({
    method: method as 'GET',
    url: path,
    headers: { ...authorization, ...headers },
    ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : Buffer.from(body) }),
  })
  const given: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined)
      given[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : String(value)
  }
  return { status: response.statusCode, headers: given, body: response.rawPayload }
}

function keep(problems: string[], line: string): void {
  if (problems.length < testLimits.problemsMax) problems.push(line)
}

/** Makes a line of the log short enough to stand under a failed test. */
function describeLine(line: string): string {
  try {
    const { level, time, pid, hostname, msg, ...facts } = JSON.parse(line) as Record<string, unknown>
    return `${String(level)}: ${String(msg)} ${JSON.stringify(facts)}`
  } catch {
    return line.trim()
  }
}
