import assert from 'node:assert/strict'
import { messageOf } from '../../src/base/errors.js'
import { gatewayCapability } from '../../src/capabilities/gateway/capability.js'
import { jsonCapability } from '../../src/capabilities/json.js'
import type { ExecutorServices } from '../../src/capabilities/services.js'
import type { GatewayCall } from '../../src/plugins/gateway/gateway-calls.js'
import type { HostAsk } from '../../src/sandbox/generation.js'
import { loadKind } from '../../src/sandbox/lifecycle-kinds.js'
import { LuaRaise } from '../../src/sandbox/lua-value.js'
import { LuaInstances } from '../../src/sandbox/lua-wasm.js'
import type { Phase } from '../../src/sandbox/phase.js'
import { readPrelude } from '../../src/sandbox/prelude-files.js'
import { Vm, type VmResult } from '../../src/sandbox/vm.js'
import { probeKind } from './probe-module.js'
import { roomySettings } from './vm-fixture.js'

const settings = { ...roomySettings, operationsMax: 5000 }

/** A real VM of a plugin with the modules gateway and json; what it asks is answered by real answers. */
export class GatewayVm {
  /** What has crossed to the host. */
  readonly asked: HostAsk[] = []
  readonly #files = new Map([['init.lua', '']])
  #vm: Vm<ExecutorServices> | undefined

  static async create(plugin: string, calls: ReadonlyMap<string, GatewayCall>): Promise<GatewayVm> {
    const lua = new GatewayVm()
    const vm = await Vm.create<ExecutorServices>(
      {
        instances: new LuaInstances(),
        prelude: readPrelude(),
        owner: { plugin, version: '1.0.0', generation: 1 },
        source: { folder: plugin, files: lua.#files },
        settings,
        modules: [gatewayCapability.module, jsonCapability.module],
        services: {} as ExecutorServices,
        signals: {
          report: () => undefined,
          ask: async (question) => {
            const ask = structuredClone({ plugin, version: '1.0.0', generation: 1, ...question })
            lua.asked.push(ask)
            try {
              return structuredClone(await calls.get(ask.topic)?.(ask))
            } catch (error) {
              throw new LuaRaise(messageOf(error))
            }
          },
          holdUntil: () => undefined,
        },
        print: () => undefined,
        softLimits: true,
      },
      { started: () => undefined, ended: () => undefined, isEvicted: () => false, pace: () => undefined },
    )
    lua.#vm = vm
    const loaded = await lua.#call('load', 'module', '')
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.message)
    vm.seal()
    return lua
  }

  /** Runs code as a call; gives what it returns. */
  async run(code: string, phase: Phase = 'request'): Promise<readonly unknown[]> {
    const result = await this.#attempt(code, phase)
    assert.ok(result.ok, result.ok ? '' : result.message)
    return result.values
  }

  /** Gives the message that the code must raise. */
  async error(code: string, phase: Phase = 'request'): Promise<string> {
    const result = await this.#attempt(code, phase)
    assert.ok(!result.ok, `no error: ${code}`)
    return result.message
  }

  #attempt(code: string, phase: Phase): Promise<VmResult> {
    this.#files.set('test.lua', code)
    return this.#call('probe', phase, 'test.lua')
  }

  #call(kind: 'load' | 'probe', phase: Phase, payload: string): Promise<VmResult> {
    const { instructionsMax, operationsMax } = settings
    const allowance = { instructionsMax, operationsMax, deadlineMs: performance.now() + 10_000 }
    const call = {
      claim: 1,
      kind: kind === 'load' ? loadKind : probeKind,
      phase,
      payload,
      body: '',
      requestId: 'r1',
      allowance,
    }
    return new Promise((resolve) => {
      assert.ok(this.#vm)
      this.#vm.run(call, resolve)
    })
  }
}
