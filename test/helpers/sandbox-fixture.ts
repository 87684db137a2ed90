import assert from 'node:assert/strict'
import { after, before, type TestContext } from 'node:test'
import type {
  CallOutcome,
  CallRequest,
  Generation,
  HostAsk,
  Sandbox,
  SandboxObserver,
} from '../../src/sandbox/generation.js'
import type { GenerationSettings } from '../../src/sandbox/settings.js'
import { createSandbox } from '../../src/sandbox/thread-sandbox.js'
import { countersMax } from './probe-module.js'
import { roomySettings } from './vm-fixture.js'

/** One thing that the sandbox told its observer. */
export type Notice = readonly [keyof SandboxObserver, ...unknown[]]

/** A question that the test answers. */
export interface OpenAsk {
  readonly ask: HostAsk
  answer(value: unknown): void
  refuse(error: Error): void
}

export interface SandboxFixture {
  readonly sandbox: Sandbox
  readonly notices: Notice[]
  readonly counters: Int32Array
  /** What plugins have asked with `probe.ask` and wait for. */
  readonly asks: OpenAsk[]
  /**
   * Loads a plugin; `probe.on(name, handler)` in its init.lua makes `call(generation, name)`
   * work. Waits until every executor has its VMs, unless `warm` is false.
   */
  load(
    plugin: string,
    init: string,
    settings?: Partial<GenerationSettings>,
    warm?: boolean,
  ): Promise<Generation>
  /** How often a notice was given, for one plugin where it is named. */
  noticed(kind: keyof SandboxObserver, plugin?: string): number
}

interface SandboxFixtureOptions {
  readonly executors?: number
  readonly softLimits?: boolean
  readonly entry?: URL
}

/** Starts a sandbox of real threads that is closed with the test. */
export async function createSandboxFixture(
  test: TestContext,
  options: SandboxFixtureOptions = {},
): Promise<SandboxFixture> {
  const fixture = openSandboxFixture(options)
  test.after(() => fixture.sandbox.close())
  return fixture
}

/**
 * One sandbox for the tests of a suite that lose no thread, each with plugins and counters of its own; the function
 * that comes back gives it while they run.
 */
export function useSandboxFixture(): () => SandboxFixture {
  let fixture: SandboxFixture | undefined
  before(() => {
    fixture = openSandboxFixture()
  })
  after(() => fixture?.sandbox.close())
  return () => {
    assert.ok(fixture, 'the sandbox is up only while tests run')
    return fixture
  }
}

function openSandboxFixture(options: SandboxFixtureOptions = {}): SandboxFixture {
  const executors = options.executors ?? 2
  const shared = new SharedArrayBuffer(countersMax * Int32Array.BYTES_PER_ELEMENT)
  const notices: Notice[] = []
  const asks: OpenAsk[] = []
  const note =
    (kind: keyof SandboxObserver) =>
    (...facts: unknown[]) =>
      void notices.push([kind, ...facts])
  const sandbox = createSandbox({
    entry: options.entry ?? new URL('./sandbox-executor.js', import.meta.url),
    composition: shared,
    executors,
    softLimits: options.softLimits ?? true,
    observer: {
      hardStopped: note('hardStopped'),
      executorStarted: note('executorStarted'),
      executorLost: note('executorLost'),
      vmBuilt: note('vmBuilt'),
      vmRetired: note('vmRetired'),
      budgetKilled: note('budgetKilled'),
    },
    answer: (ask) =>
      new Promise((resolve, reject) => {
        asks.push({ ask, answer: resolve, refuse: reject })
      }),
  })
  const noticed = (kind: keyof SandboxObserver, plugin?: string): number =>
    notices.filter(([each, first]) => each === kind && (plugin === undefined || first === plugin)).length
  return {
    sandbox,
    notices,
    counters: new Int32Array(shared),
    asks,
    noticed,
    async load(plugin, init, settings = {}, warm = true) {
      const all = { ...roomySettings, ...settings }
      const built = noticed('vmBuilt', plugin) + executors + 1
      const source = { folder: plugin, files: new Map([['init.lua', init]]) }
      const generation = await sandbox.createGeneration(plugin, '1', source, all)
      const latest = performance.now() + 1000
      while (warm && noticed('vmBuilt', plugin) < built && performance.now() < latest) {
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      return generation
    },
  }
}

/** Calls a handler of a generation. */
export function call(
  generation: Generation,
  handler: string,
  body = '',
  more: Partial<CallRequest> = {},
): Promise<CallOutcome> {
  const request = { kind: 'probe', phase: 'request', payload: handler, body, requestId: 'r1' } as const
  return generation.call({ ...request, ...more })
}

/** What came out of a call, short: the results, or the failure's code. */
export const outcomeOf = (outcome: CallOutcome): unknown => (outcome.ok ? outcome.result : outcome.code)
