import assert from 'node:assert/strict'
import { createCryptoCapability } from '../../src/capabilities/crypto/capability.js'
import { gatewayCapability } from '../../src/capabilities/gateway/capability.js'
import { hooksCapability } from '../../src/capabilities/hooks/capability.js'
import { httpKind } from '../../src/capabilities/http/call-kind.js'
import { httpCapability } from '../../src/capabilities/http/capability.js'
import { encodeRequest, type WireRequest } from '../../src/capabilities/http/wire.js'
import { jsonCapability } from '../../src/capabilities/json.js'
import { createLogCapability } from '../../src/capabilities/log.js'
import { createMetricsCapability } from '../../src/capabilities/metrics/capability.js'
import { secretsCapability } from '../../src/capabilities/secrets/capability.js'
import type { ExecutorServices, PluginLogLine } from '../../src/capabilities/services.js'
import { PasswordCalls } from '../../src/plugins/password-calls.js'
import type { CallKind } from '../../src/sandbox/call-kind.js'
import { loadKind } from '../../src/sandbox/lifecycle-kinds.js'
import { LuaInstances } from '../../src/sandbox/lua-wasm.js'
import type { Phase } from '../../src/sandbox/phase.js'
import { readPrelude } from '../../src/sandbox/prelude-files.js'
import type { GenerationSettings } from '../../src/sandbox/settings.js'
import { Vm, type VmResult } from '../../src/sandbox/vm.js'
import type { Measured } from '../../src/telemetry/own-metric.js'
import { probeKind } from './probe-module.js'
import { roomySettings } from './vm-fixture.js'

/** A request for the route `GET /x`. */
export const plainRequest: WireRequest = {
  routeKey: 'GET /x',
  method: 'GET',
  path: '/x',
  query: '',
  rawHeaders: [],
  params: {},
  clientIp: '127.0.0.1',
  user: undefined,
}

/** A real VM with the modules that need no database, and the host's own answers about passwords. */
export class ToolVm {
  readonly vm: Vm<ExecutorServices>
  readonly lines: PluginLogLine[]
  readonly measured: Measured[]
  readonly #files: Map<string, string>
  readonly #settings: GenerationSettings

  private constructor(
    parts: Pick<ToolVm, 'vm' | 'lines' | 'measured'>,
    files: Map<string, string>,
    settings: GenerationSettings,
  ) {
    this.vm = parts.vm
    this.lines = parts.lines
    this.measured = parts.measured
    this.#files = files
    this.#settings = settings
  }

  /** Builds the VM and runs init.lua, which must not fail. */
  static async create(init = '', given: Partial<GenerationSettings> = {}): Promise<ToolVm> {
    const settings = { ...roomySettings, ...given }
    const files = new Map([['init.lua', init]])
    const passwords = new PasswordCalls()
    const lines: PluginLogLine[] = []
    const measured: Measured[] = []
    const services = {
      writeLog: (line: PluginLogLine) => void lines.push(line),
      measured: (_plugin: string, each: Measured) => void measured.push(each),
    }
    const log = createLogCapability()
    const capabilities = [
      createCryptoCapability(),
      jsonCapability,
      secretsCapability,
      httpCapability,
      gatewayCapability,
      hooksCapability,
      createMetricsCapability(),
      log,
    ]
    const vm = await Vm.create<ExecutorServices>(
      {
        instances: new LuaInstances(),
        prelude: readPrelude(),
        owner: { plugin: 'tester', version: '1', generation: 1 },
        source: { folder: 'tester', files },
        settings,
        modules: capabilities.map(({ module }) => module),
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
        print: log.print,
        softLimits: true,
      },
      { started: () => undefined, ended: () => undefined, isEvicted: () => false, pace: () => undefined },
    )
    const tool = new ToolVm({ vm, lines, measured }, files, settings)
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

  /** Asks the route `GET /x`; gives what crosses to the host. */
  respond(request: WireRequest = plainRequest): Promise<VmResult> {
    return this.call(httpKind, encodeRequest(request))
  }

  /** Makes a call of any kind. */
  call(kind: CallKind, payload: string, body = ''): Promise<VmResult> {
    return this.#call(kind, 'request', payload, body)
  }

  #call(kind: CallKind, phase: Phase, payload: string, body: string): Promise<VmResult> {
    const { instructionsMax, operationsMax, timeoutMs } = this.#settings
    const allowance = { instructionsMax, operationsMax, deadlineMs: performance.now() + timeoutMs }
    const call = { claim: 1, kind, phase, payload, body, requestId: 'r1', allowance }
    return new Promise((resolve) => this.vm.run(call, resolve))
  }
}
