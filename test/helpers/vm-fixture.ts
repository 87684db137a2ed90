import assert from 'node:assert/strict'
import type { Allowance } from '../../src/sandbox/budget.js'
import type { CallKind } from '../../src/sandbox/call-kind.js'
import { loadKind } from '../../src/sandbox/lifecycle-kinds.js'
import { LuaInstances } from '../../src/sandbox/lua-wasm.js'
import type { Phase } from '../../src/sandbox/phase.js'
import { readPrelude } from '../../src/sandbox/prelude-files.js'
import type { GenerationSettings } from '../../src/sandbox/settings.js'
import { Vm, type VmResult } from '../../src/sandbox/vm.js'
import { createProbeServices, jsonKind, type ProbeServices, probeKind, probeModule } from './probe-module.js'

/** Generous limits: a test narrows the one that it is about. */
export const roomySettings: GenerationSettings = {
  vms: 2,
  reservedVms: 0,
  memoryBytesMax: 64 * 1024 * 1024,
  instructionsMax: 200_000_000,
  timeoutMs: 10_000,
  operationsMax: 1000,
  storageBytesMax: 1024 * 1024,
  extra: {},
}

export interface VmFixtureOptions {
  readonly settings?: Partial<GenerationSettings>
  readonly init?: string
  /** Modules of the plugin by name. */
  readonly lib?: Readonly<Record<string, string>>
  readonly phase?: Phase
}

/** A real VM in this thread, with the probe module and one plugin. */
export class VmFixture {
  readonly vm: Vm<ProbeServices>
  readonly services: ProbeServices
  readonly printed: string[]
  readonly reports: [string, Readonly<Record<string, unknown>>][]
  readonly #files: Map<string, string>
  readonly #settings: GenerationSettings

  private constructor(
    parts: Pick<VmFixture, 'vm' | 'services' | 'printed' | 'reports'>,
    files: Map<string, string>,
    settings: GenerationSettings,
  ) {
    this.vm = parts.vm
    this.services = parts.services
    this.printed = parts.printed
    this.reports = parts.reports
    this.#files = files
    this.#settings = settings
  }

  /** Builds the VM and runs init.lua; fails the test when that fails. */
  static async create(options: VmFixtureOptions = {}): Promise<VmFixture> {
    const { fixture, loaded } = await VmFixture.load(options)
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.message)
    return fixture
  }

  /** As `create`, for an init.lua that may fail. */
  static async load(options: VmFixtureOptions): Promise<{ fixture: VmFixture; loaded: VmResult }> {
    const settings = { ...roomySettings, ...options.settings }
    const files = new Map([['init.lua', options.init ?? '']])
    for (const [name, source] of Object.entries(options.lib ?? {})) files.set(`lib/${name}.lua`, source)
    const printed: string[] = []
    const reports: VmFixture['reports'] = []
    const services = createProbeServices()
    const vm = await Vm.create<ProbeServices>(
      {
        instances: new LuaInstances(),
        prelude: readPrelude(),
        owner: { plugin: 'tester', version: '1', generation: 1 },
        source: { folder: 'tester', files },
        settings,
        modules: [probeModule],
        services,
        signals: {
          report: (kind, data) => void reports.push([kind, data]),
          ask: async ({ payload }) => payload,
          holdUntil: () => undefined,
        },
        print: (_context, text) => void printed.push(text),
        softLimits: true,
      },
      { started: () => undefined, ended: () => undefined, isEvicted: () => false, pace: () => undefined },
    )
    const fixture = new VmFixture({ vm, services, printed, reports }, files, settings)
    const loaded = await fixture.call(loadKind, options.phase ?? 'module', '', {})
    vm.seal()
    return { fixture, loaded }
  }

  /** Runs one call of a kind to its end. */
  call(kind: CallKind, phase: Phase, payload: string, limits: Partial<Allowance>): Promise<VmResult> {
    const { instructionsMax, operationsMax, timeoutMs } = this.#settings
    const allowance = { instructionsMax, operationsMax, deadlineMs: performance.now() + timeoutMs, ...limits }
    const call = { claim: 1, kind, phase, payload, body: 'body', requestId: 'r1', allowance }
    return new Promise((resolve) => this.vm.run(call, resolve))
  }

  /** Runs Lua code as a call of its own; the file is named `test.lua`. */
  attempt(code: string, limits: Partial<Allowance> = {}, kind: CallKind = probeKind): Promise<VmResult> {
    this.#files.set('test.lua', code)
    return this.call(kind, 'request', 'test.lua', limits)
  }

  /** Gives the values that the code returns. */
  async run(code: string): Promise<readonly unknown[]> {
    const result = await this.attempt(code)
    assert.ok(result.ok, result.ok ? '' : `${result.code}: ${result.message}\n${code}`)
    return result.values
  }

  /** Gives the message of the error that the code must end in. */
  async error(code: string): Promise<string> {
    const result = await this.attempt(code)
    assert.ok(!result.ok, `no error: ${code}`)
    return result.message
  }

  /** Gives the JSON text of what the code returns. */
  async json(code: string): Promise<string> {
    const result = await this.attempt(code, {}, jsonKind)
    assert.ok(result.ok, result.ok ? '' : result.message)
    return String(result.values[0])
  }
}
