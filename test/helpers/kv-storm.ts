import { loadConfig } from '../../src/config/load.js'
import { createHost, type Kv } from '../../src/host.js'
import { createLogger } from '../../src/telemetry/logger.js'

// A process of its own that works on a store: node kv-storm.js <folder> <first> writes until it is killed, and tells of
// what was acknowledged line by line; node kv-storm.js <folder> count <times> counts with others and ends.
const [, , folder = '', first = '0', times = '0'] = process.argv
const { config } = loadConfig({
  environment: {},
  flags: {
    plugin_enabled: first !== 'count',
    plugin_timeout: 1,
    data_directory: `${folder}/data`,
    plugin_directory: `${folder}/plugins`,
  },
})
const host = await createHost({ config, log: createLogger({ level: 'error', format: 'json' }) })
const kv = host.kv.namespace('plugin:storm')

/** Written only when it was acknowledged: what stands here must be true after any crash. */
function tell(...words: readonly (string | number)[]): void {
  process.stdout.write(`${words.join(' ')}\n`)
}

if (first === 'count') {
  await count(kv, Number(times))
  await host.close()
} else {
  await host.plugins.approveRoutes(host.plugins.routes(), 'test')
  const url = await host.app.listen({ port: 0, host: '127.0.0.1' })
  const headers = { authorization: `Bearer ${host.adminToken.token}`, 'content-type': 'application/json' }
  const post = async (path: string, body: unknown): Promise<boolean> => {
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const answer = (await response.json()) as { ok?: boolean }
    return response.ok && answer.ok === true
  }
  void writeFor('ts', (n) => write(kv, n))
  void writeFor('rest', (n) =>
    post('/keyval/api/atomic?namespace=plugin:storm', {
      mutations: [
        { type: 'sum', key: ['sum', 'rest'], value: 1 },
        { type: 'sum', key: ['total'], value: 1 },
        { type: 'set', key: ['entry', 'rest', n], value: n },
        { type: 'enqueue', value: { writer: 'rest', n }, queue: 'jobs' },
      ],
    }),
  )
  void writeFor('lua', (n) => post('/api/v1/plugins/storm/write', { n }))
  void writeFor('lua2', (n) => post('/api/v1/plugins/storm/write', { n, writer: 'lua2' }))
  void consume(kv)
  void follow(kv)
}

async function writeFor(writer: string, commit: (n: number) => Promise<boolean>): Promise<void> {
  for (let n = Number(first); ; n += 1) if (await commit(n)) tell('committed', writer, n)
}

async function write(store: Kv, n: number): Promise<boolean> {
  const { ok } = await store
    .atomic()
    .sum(['sum', 'ts'], 1)
    .sum(['total'], 1)
    .set(['entry', 'ts', n], n)
    .enqueue({ writer: 'ts', n }, { queue: 'jobs' })
    .enqueue(n, { queue: 'acks' })
    .commit()
  return ok
}

async function consume({ queues }: Kv): Promise<void> {
  for (;;) {
    const message = await queues.dequeue({ queue: 'acks', lease: 200 })
    if (message === undefined) await new Promise((resolve) => setImmediate(resolve))
    // Some are left to their leases, but never so often that they die.
    else if ((message.attempts > 1 || Number(message.id) % 3 > 0) && (await queues.ack(message)))
      tell('acked', String(message.value))
  }
}

async function follow(store: Kv): Promise<void> {
  for await (const { changes, versionstamp } of store.watch(
    { prefix: ['entry', 'ts'] },
    { initial: false },
  )) {
    tell('seen', versionstamp, ...changes.map(({ value }) => String(value)))
  }
}

async function count(store: Kv, increments: number): Promise<void> {
  for (let done = 0; done < increments; ) {
    const { value, versionstamp } = await store.get(['counter'])
    const next = Number(value ?? 0) + 1
    const { ok } = await store
      .atomic()
      .check({ key: ['counter'], versionstamp })
      .set(['counter'], next)
      .sum(['sum'], 1)
      .commit()
    if (ok) done += 1
  }
}
