import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, type TestContext } from 'node:test'
import { Redactor } from '../../src/base/redactor.js'
import { loadConfig } from '../../src/config/load.js'
import { createHost, type Host, type HostOptions } from '../../src/host.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { type Answer, createHttpClient, type HttpClient, type Sending } from './http-client.js'

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string }

export interface TestHostOptions {
  /** Text of each file by its path in the plugin directory, e.g. `tasks/init.lua`. */
  readonly plugins: Readonly<Record<string, string>>
  /** Settings by dotted key, e.g. `plugin_timeout`. */
  readonly config?: Readonly<Record<string, unknown>>
  /** False leaves approvals as they are; else all that plugins ask for is approved after each start. */
  readonly approve?: boolean
  /** Watches the plugin directory, with these times. */
  readonly hotReload?: { readonly debounceMs: number; readonly cooldownMs: number; readonly slowMs?: number }
  /** True lets all hooks run, whoever has approved them. */
  readonly hooks?: boolean
  /** What the host may read of the environment; nothing when missing. */
  readonly environment?: Readonly<Record<string, string>>
  /** False turns the budgets off, so that only the hard stop is left. */
  readonly softLimits?: boolean
  /** Where it listens; a free port when missing. */
  readonly port?: number
  /** Who sends and approves requests to other servers; see `HostOptions.outbound`. */
  readonly outbound?: NonNullable<HostOptions['outbound']>
}

/** A host on a free port with folders of its own. */
export interface TestHost {
  readonly host: Host
  readonly url: string
  readonly pluginDirectory: string
  readonly dataDirectory: string
  /** The log since the first start. */
  readonly lines: readonly LogLine[]
  send(method: string, path: string, sending?: Sending): Promise<Answer>
  /** A request to `/api/v1/plugins` + path. */
  call(method: string, path: string, sending?: Sending): Promise<Answer>
  /** A request to `/api/v1/admin/plugins` + path, as an admin; asserts the status. */
  admin<T = Record<string, unknown>>(
    method: string,
    path: string,
    options?: { readonly json?: unknown; readonly status?: number },
  ): Promise<T>
  /** Headers of an admin. */
  readonly credentials: Readonly<Record<string, string>>
  approveAll(): Promise<void>
  write(files: Readonly<Record<string, string>>): Promise<void>
  remove(path: string): Promise<void>
  /** Stops the host and starts another on the same folders. */
  restart(changes?: Pick<TestHostOptions, 'config' | 'approve' | 'softLimits'>): Promise<void>
  close(): Promise<void>
}

/** Starts a host for one test; it is closed with it. */
export async function startHost(test: TestContext, options: TestHostOptions): Promise<TestHost> {
  const started = await TestServer.create(options)
  test.after(() => started.dispose())
  return started
}

/** Starts a host for somebody who disposes of it. */
export function openHost(options: TestHostOptions): Promise<TestHost & { dispose(): Promise<void> }> {
  return TestServer.create(options)
}

/** One host for all tests of a suite; the function that comes back gives it while they run. */
export function useHost(options: TestHostOptions): () => TestHost {
  let server: TestServer | undefined
  before(async () => {
    server = await TestServer.create(options)
  })
  after(() => server?.dispose())
  return () => {
    assert.ok(server, 'the host is up only while tests run')
    return server
  }
}

/** Text of an `init.lua`: a manifest, then the body. */
export function plugin(name: string, body: string, version = '1.0.0', more = ''): string {
  return `plugin_info = { name = "${name}", version = "${version}", description = "test", ${more} }\n${body}\n`
}

class TestServer implements TestHost {
  readonly pluginDirectory: string
  readonly dataDirectory: string
  readonly lines: LogLine[] = []
  readonly #root: string
  #options: TestHostOptions
  #host: Host | undefined
  #client: HttpClient | undefined
  #url = ''

  private constructor(root: string, options: TestHostOptions) {
    this.#root = root
    this.#options = options
    this.pluginDirectory = join(root, 'plugins')
    this.dataDirectory = join(root, 'data')
  }

  static async create(options: TestHostOptions): Promise<TestServer> {
    const root = await mkdtemp(join(tmpdir(), 'modulacms-api-'))
    const server = new TestServer(root, options)
    await mkdir(server.pluginDirectory)
    await server.write(options.plugins)
    await server.#start()
    return server
  }

  get host(): Host {
    assert.ok(this.#host, 'the host is closed')
    return this.#host
  }

  get url(): string {
    return this.#url
  }

  get credentials(): Readonly<Record<string, string>> {
    return { authorization: `Bearer ${this.host.adminToken.token}` }
  }

  async send(method: string, path: string, sending?: Sending): Promise<Answer> {
    assert.ok(this.#client, 'the host is closed')
    return this.#client.send(method, path, sending)
  }

  call(method: string, path: string, sending?: Sending): Promise<Answer> {
    return this.send(method, `/api/v1/plugins${path}`, sending)
  }

  async admin<T = Record<string, unknown>>(
    method: string,
    path: string,
    options: { readonly json?: unknown; readonly status?: number } = {},
  ): Promise<T> {
    const { json, status = 200 } = options
    const body = json === undefined ? {} : { json }
    const answer = await this.send(method, `/api/v1/admin/plugins${path}`, {
      headers: this.credentials,
      ...body,
    })
    assert.equal(answer.status, status, answer.text)
    return answer.json<T>()
  }

  async approveAll(): Promise<void> {
    const { plugins } = this.host
    const routes = await plugins.approveRoutes(plugins.routes(), 'test')
    const grants = await plugins.approveGrants(plugins.asked.all(), 'test')
    assert.deepEqual([...routes.errors, ...grants.errors], [])
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.pluginDirectory, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
    }
  }

  remove(path: string): Promise<void> {
    return rm(join(this.pluginDirectory, path), { recursive: true, force: true })
  }

  async restart(changes: Pick<TestHostOptions, 'config' | 'approve' | 'softLimits'> = {}): Promise<void> {
    await this.close()
    this.#options = { ...this.#options, ...changes }
    await this.#start()
  }

  async close(): Promise<void> {
    this.#client?.close()
    const host = this.#host
    this.#host = undefined
    await host?.close()
  }

  async dispose(): Promise<void> {
    await this.close()
    await rm(this.#root, { recursive: true, force: true })
  }

  async #start(): Promise<void> {
    const {
      config: given = {},
      approve = true,
      hooks = false,
      softLimits = true,
      hotReload,
      outbound = {},
      port = 0,
    } = this.#options
    const { config, plugins: pluginSections } = loadConfig({
      environment: {},
      flags: {
        plugin_enabled: true,
        // Most of what a host takes to start are its threads; tests of what happens between threads ask for more.
        plugin_executors: 1,
        plugin_hot_reload: hotReload !== undefined,
        plugin_rate_limit: 100_000,
        'keyval.rate_limit': 100_000,
        'server.port': 0,
        data_directory: this.dataDirectory,
        plugin_directory: this.pluginDirectory,
        ...given,
      },
    })
    const redactor = new Redactor()
    const log = createLogger({
      level: 'debug',
      format: 'json',
      destination: { write: (line) => this.#keep(line) },
      redactor,
    })
    const { environment = {} } = this.#options
    this.#host = await createHost({
      config,
      pluginSections,
      redactor,
      log,
      softLimits,
      outbound,
      environment,
      ...(hotReload && { hotReload }),
      ...(hooks && { approvesHook: () => true }),
    })
    this.#url = await this.#host.app.listen({ host: '127.0.0.1', port })
    this.#client = createHttpClient(this.#url)
    if (approve) await this.approveAll()
  }

  #keep(line: string): void {
    this.lines.push(JSON.parse(line) as LogLine)
  }
}
