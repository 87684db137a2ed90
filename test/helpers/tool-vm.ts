import assert from 'node:assert/strict'
import { createCryptoCapability } from '../../src/capabilities/crypto/capability.js'
import { jsonCapability } from '../../src/capabilities/json.js'
import type { ExecutorServices, PluginLogLine } from '../../src/capabilities/services.js'
import { PasswordCalls } from '../../src/plugins/password-calls.js'
import type { CallKind } from '../../src/sandbox/call-kind.js'
import { loadKind } from '../../src/sandbox/lifecycle-kinds.js'
import { LuaInstances } from '../../src/sandbox/lua-wasm.js'
import type { Phase } from '../../src/sandbox/phase.js'
import { readPrelude } from '../../src/sandbox/prelude-files.js'
import type { GenerationSettings } from '../../src/sandbox/settings.js'
import { Vm, type VmResult } from '../../src/sandbox/vm.js'
import { probeKind } from './probe-module.js'
import { roomySettings } from './vm-fixture.js'

/** A real VM with the modules crypto and json, and the host's own answers about passwords. */
export class ToolVm {
  readonly vm: Vm<ExecutorServices>
  readonly lines: PluginLogLine[]
  readonly #files: Map<string, string>
  readonly #settings: GenerationSettings

  private constructor(
    parts: Pick<ToolVm, 'vm' | 'lines'>,
    files: Map<string, string>,
    settings: GenerationSettings,
  ) {
    this.vm = parts.vm
    this.lines = parts.lines
    this.#files = files
    this.#settings = settings
  }

  /** Builds the VM and runs init.lua, which must not fail. */
  static async create(init = '', given: Partial<GenerationSettings> = {}): Promise<ToolVm> {
    const settings = { ...roomySettings, ...given }
    const files = new Map([['init.lua', init]])
    const passwords = new PasswordCalls()
    const lines: PluginLogLine[] = []
    const services = { writeLog: (line: PluginLogLine) => void lines.push(line) }
    const vm = await Vm.create<ExecutorServices>(
      {
        instances: new LuaInstances(),
        prelude: readPrelude(),
        owner: { plugin: 'tester', version: '1', generation: 1 },
        source: { folder: 'tester', files },
        settings,
        modules: [createCryptoCapability().module, jsonCapability.module],
        services: services as unknown as ExecutorServices,
        signals: {
          report: () => undefined,
          ask: async (ask) =>
            structuredClone(
              await passwords.answer(
                structuredClone({ ...ask, plugin: 'tester', version: '1', generation: 1 }),
              ),
            ),
          holdUntil: () => undefined,
        },
        print: () => undefined,
        softLimits: true,
      },
      { started: () => undefined, ended: () => undefined, isEvicted: () => false, pace: () => undefined },
    )
    const tool = new ToolVm({ vm, lines }, files, settings)
    const loaded = await tool.#call(loadKind, 'module', '', '')
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.message)
    vm.seal()
    return tool
  }

  /** Runs code as a call; gives what it returns. It finds a value as `arg`, and a buffer as the bytes `...`. */
  async run(code: string, arg?: unknown, phase: Phase = 'request'): Promise<readonly unknown[]> {
    const result = await this.attempt(code, arg, phase)
    assert.ok(result.ok, result.ok ? '' : result.message)
    return result.values
  }

  /** Gives the message that the code must raise. */
  async error(code: string, arg?: unknown, phase: Phase = 'request'): Promise<string> {
    const result = await this.attempt(code, arg, phase)
    assert.ok(!result.ok, `no error: ${code}`)
    return result.message
  }

  attempt(code: string, arg: unknown, phase: Phase): Promise<VmResult> {
    const isJson = arg !== undefined && !Buffer.isBuffer(arg)
    this.#files.set('test.lua', isJson ? `local arg = json.decode((...)) ${code}` : code)
    const body = isJson ? Buffer.from(JSON.stringify(arg)) : (arg ?? Buffer.alloc(0))
    return this.#call(probeKind, phase, 'test.lua', (body as Buffer).toString('latin1'))
  }

  #call(kind: CallKind, phase: Phase, payload: string, body: string): Promise<VmResult> {
    const { instructionsMax, operationsMax, timeoutMs } = this.#settings
    const allowance = { instructionsMax, operationsMax, deadlineMs: performance.now() + timeoutMs }
    const call = { claim: 1, kind, phase, payload, body, requestId: 'r1', allowance }
    return new Promise((resolve) => this.vm.run(call, resolve))
  }
}
