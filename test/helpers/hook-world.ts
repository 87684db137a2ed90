import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { decodeHookCall } from '../../src/capabilities/hooks/wire.js'
import type { HookContext, HookedWrite } from '../../src/content/hook-runner.js'
import { type CoreDatabase, createDatabase } from '../../src/database/database.js'
import { PluginBreaker } from '../../src/plugins/breaker.js'
import { GrantTable } from '../../src/plugins/grants/grant-table.js'
import type { HookSample } from '../../src/plugins/hooks/hook-caller.js'
import {
  createHookEngine,
  type HookEngine,
  type HookEngineLimits,
  type HookEngineOptions,
} from '../../src/plugins/hooks/hook-engine.js'
import type { PluginDirectory, ServedPlugin } from '../../src/plugins/plugin-directory.js'
import { RouteTable } from '../../src/plugins/route-table.js'
import type { CallFailureCode, CallOutcome, CallRequest, Generation } from '../../src/sandbox/generation.js'
import type { Registration } from '../../src/sandbox/host-function.js'

/** One call of a hook as a generation gets it. */
export interface SeenCall {
  readonly plugin: string
  readonly key: string
  readonly data: Readonly<Record<string, unknown>>
  readonly request: CallRequest
}

export type Script = (call: SeenCall) => CallOutcome | Promise<CallOutcome>

/** A hook of a test: event, table, priority. */
export type TestHook = readonly [event: string, table: string, priority?: number]

export const testHookLimits: HookEngineLimits = {
  hookTimeoutMs: 1000,
  eventTimeoutMs: 2000,
  operationsMax: 100,
  failuresMax: 3,
  concurrentAfterMax: 4,
  afterTimeoutMs: 1000,
}

/** What an executor would send for a hook that returned nothing. */
export const nothing: CallOutcome = { ok: true, result: [] }

export function denied(message: string): CallOutcome {
  return { ok: true, result: [message, undefined] }
}

export function changed(set: object): CallOutcome {
  return { ok: true, result: [undefined, JSON.stringify(set)] }
}

export function failedWith(code: CallFailureCode, blamed = false): CallOutcome {
  return { ok: false, code, message: 'init.lua:7: the secret of Lua', blamed }
}

/** A plugin whose hooks are answered by a function of the test. */
export function scriptedPlugin(
  name: string,
  hooks: readonly TestHook[],
  script: Script,
  options: { readonly generation?: number; readonly approved?: boolean; readonly vms?: number } = {},
): ServedPlugin {
  const registrations: Registration[] = hooks.map(([event, table, priority = 100], at) => ({
    kind: 'hook',
    key: `${event}:${table}#${at + 1}`,
    data: { event, table, priority },
  }))
  const generation: Generation = {
    id: options.generation ?? 1,
    plugin: name,
    version: '1',
    findings: [],
    inspection: { pluginInfo: undefined, hasOnInit: false, hasOnShutdown: false, registrations },
    async call(request) {
      const { key, json } = decodeHookCall(request.payload)
      return script({ plugin: name, key, data: JSON.parse(json), request })
    },
    status: () => ({ state: 'open', vmsTotal: options.vms ?? 4, vmsAvailable: 4, callsInFlight: 0 }),
    drain: async () => true,
    close: async () => undefined,
  }
  const grants = hooks.map(([event, table]) => ({
    kind: 'hook' as const,
    key: `${event}:${table}`,
    description: '',
    approved: options.approved ?? true,
  }))
  return {
    name,
    state: 'running',
    generation,
    routes: RouteTable.create([]),
    grants: GrantTable.create(grants),
    breaker: new PluginBreaker({ failuresMax: 5, resetMs: 60_000 }),
  }
}

/** The plugins of a test, which may be replaced while it runs. */
export class TestDirectory implements PluginDirectory {
  plugins: readonly ServedPlugin[]

  constructor(...plugins: readonly ServedPlugin[]) {
    this.plugins = plugins
  }

  find(plugin: string): ServedPlugin | undefined {
    return this.plugins.find(({ name }) => name === plugin)
  }

  all(): readonly ServedPlugin[] {
    return [...this.plugins]
  }

  replace(plugin: ServedPlugin): void {
    this.plugins = this.plugins.map((each) => (each.name === plugin.name ? plugin : each))
  }
}

/** A database file and engines over it, all of which go with the test. */
export interface HookWorld {
  readonly database: CoreDatabase
  readonly directory: TestDirectory
  readonly samples: HookSample[]
  /** Level, message, fields. */
  readonly lines: [string, string, Readonly<Record<string, unknown>>][]
  engine(options?: Partial<HookEngineOptions>): HookEngine
  /** Stores a write as the content services do: its deliveries in its own transaction. */
  write(engine: HookEngine, write?: Partial<HookedWrite>, context?: Partial<HookContext>): Promise<void>
}

export async function createHookWorld(
  test: TestContext,
  ...plugins: readonly ServedPlugin[]
): Promise<HookWorld> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-hooks-'))
  const database = await createDatabase({ file: join(root, 'modula.db') })
  const directory = new TestDirectory(...plugins)
  const engines: HookEngine[] = []
  const samples: HookSample[] = []
  const lines: HookWorld['lines'] = []
  const note = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push([level, message, fields])
  test.after(async () => {
    for (const engine of engines) await engine.close()
    await database.close()
    await rm(root, { recursive: true, force: true })
  })
  return {
    database,
    directory,
    samples,
    lines,
    engine(options = {}) {
      const engine = createHookEngine({
        directory,
        database,
        limits: testHookLimits,
        log: { info: note('info'), warn: note('warn'), error: note('error') },
        observe: (sample) => void samples.push(sample),
        retry: { attemptsMax: 3, pauseMs: 20, pauseMsMax: 40 },
        ...options,
      })
      engines.push(engine)
      return engine
    },
    async write(engine, write = {}, context = {}) {
      const whole = { event: 'create', table: 'articles', row: { id: 1 }, old: undefined, ...write } as const
      await database.transaction((transaction) =>
        engine.enqueue(transaction, whole, { requestId: 'r1', actor: '', depth: 0, ...context }),
      )
      engine.committed()
    },
  }
}
