import type { TestContext } from 'node:test'
import {
  type ChangeType,
  changeToRegistration,
  decodeKvCall,
  queueToRegistration,
} from '../../src/capabilities/kv/wire.js'
import { CommitSignal } from '../../src/kv/commit-signal.js'
import { encodeKey, type KvKey } from '../../src/kv/key.js'
import type { KvEnqueueOptions } from '../../src/kv/kv.js'
import { encodeMessage } from '../../src/kv/queue-options.js'
import { SqliteTriggerStore } from '../../src/kv/sqlite/trigger-store.js'
import { encodeValue } from '../../src/kv/stored-value.js'
import type { KvValue } from '../../src/kv/value.js'
import { PluginBreaker } from '../../src/plugins/breaker.js'
import { GrantTable } from '../../src/plugins/grants/grant-table.js'
import { KvDeliveries, type KvDeliveriesOptions } from '../../src/plugins/kv/kv-deliveries.js'
import type { MessageSample } from '../../src/plugins/kv/message-worker.js'
import type { ServedPlugin } from '../../src/plugins/plugin-directory.js'
import { RouteTable } from '../../src/plugins/route-table.js'
import type { CallOutcome, CallRequest } from '../../src/sandbox/generation.js'
import type { Registration } from '../../src/sandbox/host-function.js'
import { TestDirectory } from './hook-world.js'
import { createQueueFile, type QueueDoor, type QueueFile } from './kv-queue-fixture.js'

/** One call of a function as a generation gets it. */
export interface SeenMessage {
  readonly plugin: string
  readonly generation: number
  /** Key of the registration. */
  readonly key: string
  /** What the function gets. */
  readonly event: Readonly<Record<string, unknown>>
  readonly request: CallRequest
}

export type MessageScript = (message: SeenMessage) => CallOutcome | Promise<CallOutcome>

export const workedOff: CallOutcome = { ok: true, result: [] }

export function queueListener(queue = 'default', concurrency = 1): Registration {
  return queueToRegistration({ queue, concurrency })
}

export function changeListener(
  prefix: KvKey,
  options: { events?: readonly ChangeType[]; concurrency?: number; shared?: string } = {},
): Registration {
  const { events = ['set', 'delete'], concurrency = 1, shared } = options
  return changeToRegistration({ shared, prefix, events, concurrency })
}

/** A plugin whose functions are answered by a function of the test. */
export function listeningPlugin(
  name: string,
  registrations: readonly Registration[],
  script: MessageScript,
  options: {
    readonly generation?: number
    readonly vms?: number
    readonly approved?: readonly string[]
  } = {},
): ServedPlugin {
  const { generation: id = 1, vms = 8, approved = [] } = options
  return {
    name,
    state: 'running',
    generation: {
      id,
      plugin: name,
      version: '1',
      findings: [],
      inspection: { pluginInfo: undefined, hasOnInit: false, hasOnShutdown: false, registrations },
      async call(request) {
        const { key, json } = decodeKvCall(request.payload)
        return script({ plugin: name, generation: id, key, event: JSON.parse(json), request })
      },
      status: () => ({ state: 'open', vmsTotal: vms, vmsAvailable: vms, callsInFlight: 0 }),
      drain: async () => true,
      close: async () => undefined,
    },
    routes: RouteTable.create([]),
    grants: GrantTable.create(
      approved.map((key) => ({ kind: 'kv' as const, key, description: '', approved: true })),
    ),
    breaker: new PluginBreaker({ failuresMax: 5, resetMs: 60_000 }),
  }
}

/** A file and engines over it, all of which go with the test. */
export interface DeliveryWorld {
  readonly file: QueueFile
  /** The connection of the test. */
  readonly door: QueueDoor
  readonly signal: CommitSignal
  readonly directory: TestDirectory
  readonly samples: MessageSample[]
  /** Level, message, fields. */
  readonly lines: [string, string, Readonly<Record<string, unknown>>][]
  engine(options?: Partial<KvDeliveriesOptions>): KvDeliveries
  /** Tells an engine's follower of all plugins, as the manager does when they go into service. */
  serve(engine: KvDeliveries): Promise<void>
  send(plugin: string, value: KvValue, options?: KvEnqueueOptions): number
  set(namespace: string, key: KvKey, value: KvValue, depth?: number): void
  remove(namespace: string, key: KvKey): void
}

export async function createDeliveryWorld(
  test: TestContext,
  ...plugins: readonly ServedPlugin[]
): Promise<DeliveryWorld> {
  const file = await createQueueFile()
  const signal = new CommitSignal()
  const door = file.open({ busyTimeoutMs: 5000, onCommit: signal.committed, clock: Date.now })
  const directory = new TestDirectory(...plugins)
  const engines: KvDeliveries[] = []
  const samples: MessageSample[] = []
  const lines: DeliveryWorld['lines'] = []
  const note = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push([level, message, fields])
  test.after(async () => {
    for (const engine of engines) await engine.close()
    file.close()
  })
  const commit = (namespace: string, mutation: Parameters<QueueDoor['entries']['commit']>[1]) =>
    door.entries.commit(namespace, mutation)
  return {
    file,
    door,
    signal,
    directory,
    samples,
    lines,
    engine(options = {}) {
      const own = file.open({ onCommit: signal.committed, clock: Date.now })
      const engine = new KvDeliveries({
        directory: () => directory,
        queues: own.queues,
        triggers: new SqliteTriggerStore(own.session),
        onCommit: (listener) => signal.listen(listener),
        concurrentMax: 20,
        timeoutMs: 1000,
        log: { info: note('info'), warn: note('warn'), error: note('error') },
        observe: (sample) => void samples.push(sample),
        now: Date.now,
        ...options,
      })
      engines.push(engine)
      return engine
    },
    async serve(engine) {
      for (const { name, generation, grants } of directory.all()) {
        await engine.follower.serves(name, generation?.inspection.registrations ?? [], grants)
      }
    },
    send(plugin, value, options = {}) {
      const message = encodeMessage(value, options, Date.now())
      const result = commit(`plugin:${plugin}`, { checks: [], mutations: [{ type: 'enqueue', message }] })
      return result.messageIds[0] ?? Number.NaN
    },
    set(namespace, key, value, depth = 0) {
      const mutation = { type: 'set', key: encodeKey(key), value: encodeValue(value, 0) } as const
      commit(namespace, { checks: [], mutations: [mutation], depth })
    },
    remove(namespace, key) {
      commit(namespace, { checks: [], mutations: [{ type: 'delete', key: encodeKey(key) }] })
    },
  }
}
