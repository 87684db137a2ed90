import { HostError } from '../../src/base/errors.js'
import type {
  CallOutcome,
  CallRequest,
  Generation,
  Inspection,
  PluginSource,
  PoolState,
  PoolStatus,
  Sandbox,
} from '../../src/sandbox/generation.js'
import type { Registration } from '../../src/sandbox/host-function.js'
import type { LuaObject } from '../../src/sandbox/lua-value.js'

/** What stands, as JSON, in the init.lua of a plugin for the fake sandbox. */
export interface FakePlugin {
  readonly info?: Readonly<Record<string, unknown>>
  readonly routes?: readonly { readonly method: string; readonly path: string; readonly public?: boolean }[]
  /** Hooks by `event:table`, as often as they are registered. */
  readonly hooks?: readonly string[]
  readonly domains?: readonly string[]
  /** Stages by the key that an approval of them belongs to. */
  readonly stages?: readonly string[]
  /** Error text of on_init; empty when it succeeds, absent when there is none. */
  readonly onInit?: string
  readonly onShutdown?: string
  /** Error text of the top level of init.lua. */
  readonly moduleError?: string
  /** Version that the second run of init.lua states. */
  readonly laterVersion?: string
}

/** Gives the text of an init.lua that the fake sandbox understands. */
export function fakeInit(name: string, plugin: FakePlugin = {}, version = '1.0.0'): string {
  return JSON.stringify({ info: { name, version, description: `The plugin ${name}.` }, ...plugin })
}

/** A sandbox without Lua: init.lua is JSON that says what the plugin would do. */
export class FakeSandbox implements Sandbox {
  async ready(): Promise<void> {}

  /** What happened, in order, e.g. `on_init a 1`, `close a 1`. */
  readonly events: string[] = []
  readonly inspected: string[] = []
  readonly generations: FakeGeneration[] = []
  readonly #quarantined = new Set<string>()
  /** Runs within each call of a generation, e.g. in its on_init. */
  onCall: (generation: number, payload: string) => void | Promise<void> = () => undefined
  /** Awaited by each createGeneration. */
  gate: Promise<void> = Promise.resolve()

  whileHeld<Result>(work: () => Promise<Result>): Promise<Result> {
    return work()
  }

  async inspect(source: PluginSource): Promise<Inspection> {
    this.inspected.push(source.folder)
    return toInspection(readFake(source), undefined)
  }

  async createGeneration(plugin: string, version: string, source: PluginSource): Promise<Generation> {
    await this.gate
    const fake = readFake(source)
    const inspection = toInspection(fake, fake.laterVersion)
    const id = this.generations.length + 1
    const { events } = this
    const onCall = (payload: string) => this.onCall(id, payload)
    const generation = new FakeGeneration({ id, plugin, version, inspection, fake, events, onCall })
    this.generations.push(generation)
    return generation
  }

  setQuarantine(plugin: string, quarantined: boolean): void {
    if (quarantined) this.#quarantined.add(plugin)
    else this.#quarantined.delete(plugin)
  }

  isQuarantined(plugin: string): boolean {
    return this.#quarantined.has(plugin)
  }

  async close(): Promise<void> {
    this.events.push('close sandbox')
  }

  /** Generations that nobody has closed. */
  open(): readonly string[] {
    return this.generations
      .filter(({ state }) => state !== 'closed')
      .map(({ plugin, version }) => `${plugin} ${version}`)
  }
}

interface FakeGenerationOptions {
  readonly id: number
  readonly plugin: string
  readonly version: string
  readonly inspection: Inspection
  readonly fake: FakePlugin
  readonly events: string[]
  readonly onCall?: (payload: string) => void | Promise<void>
}

export class FakeGeneration implements Generation {
  readonly id: number
  readonly plugin: string
  readonly version: string
  readonly findings = []
  readonly inspection: Inspection
  readonly requests: CallRequest[] = []
  state: PoolState = 'open'
  /** A drain waits for it, as for a call in flight. */
  inFlight: Promise<void> = Promise.resolve()
  readonly #fake: FakePlugin
  readonly #events: string[]
  readonly #onCall: FakeGenerationOptions['onCall']

  constructor(options: FakeGenerationOptions) {
    this.id = options.id
    this.plugin = options.plugin
    this.version = options.version
    this.inspection = options.inspection
    this.#fake = options.fake
    this.#events = options.events
    this.#onCall = options.onCall
  }

  async call(request: CallRequest): Promise<CallOutcome> {
    this.requests.push(request)
    this.#events.push(`${request.payload} ${this.plugin} ${this.id}`)
    await this.#onCall?.(request.payload)
    const { onInit = '', onShutdown = '' } = this.#fake
    const message = request.payload === 'on_init' ? onInit : onShutdown
    if (this.state !== 'open') return { ok: false, code: 'CLOSED', message: 'closed', blamed: false }
    if (message !== '') return { ok: false, code: 'ERROR', message, blamed: false }
    return { ok: true, result: [] }
  }

  status(): PoolStatus {
    return { state: this.state, vmsTotal: 4, vmsAvailable: 3, callsInFlight: 0 }
  }

  async drain(): Promise<boolean> {
    this.state = 'draining'
    await this.inFlight
    return true
  }

  async close(): Promise<void> {
    this.state = 'closed'
    this.#events.push(`close ${this.plugin} ${this.id}`)
  }
}

function readFake(source: PluginSource): FakePlugin {
  const text = source.files.get('init.lua') ?? ''
  try {
    return JSON.parse(text)
  } catch {
    throw new HostError('SANDBOX_LOAD_FAILED', 500, `${source.folder}/init.lua:1: syntax error`)
  }
}

function toInspection(fake: FakePlugin, version: string | undefined): Inspection {
  if (fake.moduleError !== undefined) throw new HostError('SANDBOX_LOAD_FAILED', 500, fake.moduleError)
  const info = fake.info && { ...fake.info, ...(version === undefined ? {} : { version }) }
  const registrations: Registration[] = (fake.routes ?? []).map(({ method, path, public: open = false }) => ({
    kind: 'route',
    key: `${method} ${path}`,
    data: { method, path, public: open },
  }))
  for (const [index, hook] of (fake.hooks ?? []).entries()) {
    const [event = '', table = ''] = hook.split(':')
    registrations.push({ kind: 'hook', key: `${hook}#${index + 1}`, data: { event, table, priority: 100 } })
  }
  for (const domain of fake.domains ?? []) {
    registrations.push({ kind: 'domain', key: domain, data: { description: `calls ${domain}` } })
  }
  for (const [index, path] of (fake.stages ?? []).entries()) {
    const data = {
      event: 'on_request',
      methods: [],
      paths: [path],
      priority: 50,
      fail: 'closed',
      timeoutMs: 250,
    }
    registrations.push({ kind: 'stage', key: `stage#${index + 1}`, data })
  }
  return {
    pluginInfo: info as LuaObject | undefined,
    hasOnInit: fake.onInit !== undefined,
    hasOnShutdown: fake.onShutdown !== undefined,
    registrations,
  }
}
