import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Database } from 'better-sqlite3'
import { createDbCapability } from '../../src/capabilities/db/capability.js'
import { createSessionLookup } from '../../src/capabilities/db/session.js'
import { jsonCapability } from '../../src/capabilities/json.js'
import { createKvCapability } from '../../src/capabilities/kv/capability.js'
import { createKvLookup } from '../../src/capabilities/kv/session.js'
import type { ExecutorServices } from '../../src/capabilities/services.js'
import { createDatabase } from '../../src/database/database.js'
import { createExecutorDatabase } from '../../src/database/executor-database.js'
import { openSqlite } from '../../src/database/sqlite.js'
import type { CallKind } from '../../src/sandbox/call-kind.js'
import type { HostModule, Registration } from '../../src/sandbox/host-function.js'
import { loadKind } from '../../src/sandbox/lifecycle-kinds.js'
import { LuaInstances } from '../../src/sandbox/lua-wasm.js'
import type { Phase } from '../../src/sandbox/phase.js'
import { readPrelude } from '../../src/sandbox/prelude-files.js'
import type { GenerationSettings } from '../../src/sandbox/settings.js'
import { Vm, type VmResult } from '../../src/sandbox/vm.js'
import { probeKind } from './probe-module.js'
import { roomySettings } from './vm-fixture.js'

export interface KvPluginOptions {
  readonly init?: string
  readonly phase?: Phase
  readonly settings?: Partial<GenerationSettings>
}

/** Limits of one call. */
export interface KvCallOptions {
  readonly phase?: Phase
  readonly operationsMax?: number
  readonly timeoutMs?: number
}

/** A database file and plugins on it, each in a real VM with a connection of its own, as in threads of their own. */
export class KvPlugins {
  /** Milliseconds since 1970. */
  nowMs = 1_700_000_000_000
  /** Commits that other threads were told of. */
  committed = 0
  readonly file: string
  readonly #namespaceBytes: number
  readonly #cleanups: (() => void)[] = []

  private constructor(file: string, namespaceBytes: number) {
    this.file = file
    this.#namespaceBytes = namespaceBytes
  }

  /** Creates the file; it goes with the test. */
  static async create(test: TestContext, namespaceBytes = 2 ** 40): Promise<KvPlugins> {
    const folder = mkdtempSync(join(tmpdir(), 'modulacms-kv-'))
    const file = join(folder, 'test.db')
    await (await createDatabase({ file })).close()
    const plugins = new KvPlugins(file, namespaceBytes)
    test.after(() => {
      for (const cleanup of plugins.#cleanups) cleanup()
      rmSync(folder, { recursive: true, force: true })
    })
    return plugins
  }

  /** Another connection to the file. */
  connection(): Database {
    const connection = openSqlite({ file: this.file, busyTimeoutMs: 0 })
    this.#cleanups.push(() => connection.close())
    return connection
  }

  /** Approves access to shared namespaces, e.g. `news:read`. */
  approve(plugin: string, ...keys: string[]): void {
    const connection = this.connection()
    for (const key of keys) {
      connection
        .prepare(
          "insert into plugin_grants (plugin_name, kind, key, approved, plugin_version, created_at) values (?, 'kv', ?, 1, '1', '')",
        )
        .run(plugin, key)
    }
  }

  /** Builds a VM and runs its init.lua, which must end well. */
  async plugin(name: string, options: KvPluginOptions = {}): Promise<KvPlugin> {
    const { plugin, loaded } = await this.load(name, options)
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.message)
    return plugin
  }

  /** As `plugin`, for an init.lua that may fail. */
  async load(
    name: string,
    { init = '', phase = 'module', settings = {} }: KvPluginOptions,
  ): Promise<{ plugin: KvPlugin; loaded: VmResult }> {
    const database = createExecutorDatabase({ file: this.file })
    this.#cleanups.push(() => database.close())
    const plugin = await KvPlugin.create(
      { plugin: name, version: '1', generation: 1 },
      {
        database,
        kv: {
          namespaceBytes: this.#namespaceBytes,
          committed: () => {
            this.committed += 1
          },
          called: () => undefined,
          changeDropped: () => undefined,
        },
        writeLog: () => undefined,
        measured: () => undefined,
        recordAction: () => undefined,
      },
      { ...roomySettings, ...settings },
      () => this.nowMs,
    )
    plugin.files.set('init.lua', init)
    const loaded = await plugin.call(loadKind, '', { phase })
    plugin.vm.seal()
    return { plugin, loaded }
  }
}

/** One plugin in one VM. */
export class KvPlugin {
  readonly vm: Vm<ExecutorServices>
  readonly files: Map<string, string>
  readonly registrations: Registration[]
  readonly #settings: GenerationSettings

  private constructor(
    vm: Vm<ExecutorServices>,
    files: Map<string, string>,
    registrations: Registration[],
    settings: GenerationSettings,
  ) {
    this.vm = vm
    this.files = files
    this.registrations = registrations
    this.#settings = settings
  }

  static async create(
    owner: { plugin: string; version: string; generation: number },
    services: ExecutorServices,
    settings: GenerationSettings,
    clock: () => number,
  ): Promise<KvPlugin> {
    const sessions = createSessionLookup()
    const registrations: Registration[] = []
    const kv = createKvCapability({ kv: createKvLookup(clock), database: sessions })
    const files = new Map<string, string>()
    const vm = await Vm.create<ExecutorServices>(
      {
        instances: new LuaInstances(),
        prelude: readPrelude(),
        owner,
        source: { folder: owner.plugin, files },
        settings,
        modules: [
          createDbCapability(sessions).module,
          noting(kv.module, registrations),
          jsonCapability.module,
        ],
        services,
        signals: { report: () => undefined, ask: async () => undefined, holdUntil: () => undefined },
        print: () => undefined,
        softLimits: true,
      },
      { started: () => undefined, ended: () => undefined, isEvicted: () => false, pace: () => undefined },
    )
    return new KvPlugin(vm, files, registrations, settings)
  }

  /** Runs Lua code as a call of its own. */
  attempt(code: string, options: KvCallOptions = {}): Promise<VmResult> {
    this.files.set('test.lua', code)
    return this.call(probeKind, 'test.lua', options)
  }

  /** Gives the values that the code returns. */
  async run(code: string, options: KvCallOptions = {}): Promise<readonly unknown[]> {
    const result = await this.attempt(code, options)
    assert.ok(result.ok, result.ok ? '' : `${result.code}: ${result.message}\n${code}`)
    return result.values
  }

  /** Gives the first value that the code returns, as JSON has it. */
  async json(code: string, options: KvCallOptions = {}): Promise<unknown> {
    const [text] = await this.run(`return json.encode((function()\n${code}\nend)())`, options)
    return JSON.parse(String(text))
  }

  /** Gives the message of the error that the code must end in. */
  async error(code: string, options: KvCallOptions = {}): Promise<string> {
    const result = await this.attempt(code, options)
    assert.ok(!result.ok, `no error: ${code}`)
    return result.message
  }

  /** Gives the message that a call of `kv` must give after nil. */
  async failure(code: string, options: KvCallOptions = {}): Promise<string> {
    const [value, message] = await this.run(code, options)
    assert.equal(value, undefined)
    assert.equal(typeof message, 'string')
    return String(message)
  }

  call(kind: CallKind, payload: string, options: KvCallOptions = {}): Promise<VmResult> {
    const { instructionsMax } = this.#settings
    const { phase = 'request', operationsMax = this.#settings.operationsMax, timeoutMs = 10_000 } = options
    const allowance = { instructionsMax, operationsMax, deadlineMs: performance.now() + timeoutMs }
    const call = { claim: 1, kind, phase, payload, body: '', requestId: 'r1', allowance }
    return new Promise((resolve) => this.vm.run(call, resolve))
  }
}

/** Lets a test see what is registered. */
function noting(
  module: HostModule<ExecutorServices>,
  registrations: Registration[],
): HostModule<ExecutorServices> {
  const functions = module.functions.map((fn) => ({
    ...fn,
    handler: ((call, ...args) => {
      const result = fn.handler(call, ...args)
      for (const each of call.registrations) if (!registrations.includes(each)) registrations.push(each)
      return result
    }) as typeof fn.handler,
  }))
  return { ...module, functions }
}
