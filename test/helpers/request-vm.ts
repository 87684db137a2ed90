import assert from 'node:assert/strict'
import type { Call } from '../../src/capabilities/define.js'
import { jsonCapability } from '../../src/capabilities/json.js'
import { requestCapability } from '../../src/capabilities/request/capability.js'
import type { WireAnswer, WireRequest } from '../../src/capabilities/request/wire.js'
import type { ExecutorServices } from '../../src/capabilities/services.js'
import type { CallKind } from '../../src/sandbox/call-kind.js'
import type { HostModule } from '../../src/sandbox/host-function.js'
import { loadKind } from '../../src/sandbox/lifecycle-kinds.js'
import { LuaInstances } from '../../src/sandbox/lua-wasm.js'
import type { Phase } from '../../src/sandbox/phase.js'
import { readPrelude } from '../../src/sandbox/prelude-files.js'
import { Vm, type VmResult } from '../../src/sandbox/vm.js'
import { probeKind } from './probe-module.js'
import { roomySettings } from './vm-fixture.js'

/** A real VM with the modules request and json, and the host side played by a function. */
export class RequestVm {
  readonly vm: Vm<ExecutorServices>
  /** What the VM has asked the host for. */
  readonly asked: { readonly topic: string; readonly request: WireRequest }[] = []
  readonly reports: [string, Readonly<Record<string, unknown>>][] = []
  /** What the host answers. */
  answer: WireAnswer = { status: 200, headers: [], body: new Uint8Array() }
  readonly #files: Map<string, string>

  private constructor(vm: Vm<ExecutorServices>, files: Map<string, string>) {
    this.vm = vm
    this.#files = files
  }

  /** Builds the VM and runs init.lua in a phase; gives how that ended. */
  static async load(init = '', phase: Phase = 'module'): Promise<{ lua: RequestVm; loaded: VmResult }> {
    const files = new Map([['init.lua', init]])
    let lua: RequestVm | undefined
    // A module that holds a lock, as db.transaction does.
    const locks: HostModule<ExecutorServices> = {
      name: 'locks',
      functions: [
        {
          name: 'hold',
          phases: ['request'],
          params: [],
          cost: 0,
          mode: 'sync',
          handler: (call: Call) => void call.holdUntil(performance.now() + 1000),
        },
      ],
    }
    const vm = await Vm.create<ExecutorServices>(
      {
        instances: new LuaInstances(),
        prelude: readPrelude(),
        owner: { plugin: 'tester', version: '1', generation: 1 },
        source: { folder: 'tester', files },
        settings: { ...roomySettings, operationsMax: 20, extra: { outboundBodyBytesMax: 1000 } },
        modules: [requestCapability.module, jsonCapability.module, locks],
        services: {} as ExecutorServices,
        signals: {
          report: (kind, data) => void lua?.reports.push([kind, data]),
          ask: async ({ topic, payload }) => {
            assert.ok(lua)
            lua.asked.push({ topic, request: structuredClone(payload) as WireRequest })
            return structuredClone(lua.answer)
          },
          holdUntil: () => undefined,
        },
        print: () => undefined,
        softLimits: true,
      },
      { started: () => undefined, ended: () => undefined, isEvicted: () => false, pace: () => undefined },
    )
    lua = new RequestVm(vm, files)
    const loaded = await lua.#call(loadKind, phase, '')
    vm.seal()
    return { lua, loaded }
  }

  static async create(init = ''): Promise<RequestVm> {
    const { lua, loaded } = await RequestVm.load(init)
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.message)
    return lua
  }

  /** Runs code as a call; gives what it returns. */
  async run(code: string, phase: Phase = 'request'): Promise<readonly unknown[]> {
    const result = await this.attempt(code, phase)
    assert.ok(result.ok, result.ok ? '' : result.message)
    return result.values
  }

  /** Gives the message that the code must raise. */
  async error(code: string, phase: Phase = 'request'): Promise<string> {
    const result = await this.attempt(code, phase)
    assert.ok(!result.ok, `no error: ${code}`)
    return result.message
  }

  attempt(code: string, phase: Phase): Promise<VmResult> {
    this.#files.set('test.lua', code)
    return this.#call(probeKind, phase, 'test.lua')
  }

  #call(kind: CallKind, phase: Phase, payload: string): Promise<VmResult> {
    const { instructionsMax, operationsMax } = { ...roomySettings, operationsMax: 20 }
    const allowance = { instructionsMax, operationsMax, deadlineMs: performance.now() + 10_000 }
    const call = { claim: 1, kind, phase, payload, body: '', requestId: 'r1', allowance }
    return new Promise((resolve) => this.vm.run(call, resolve))
  }
}
