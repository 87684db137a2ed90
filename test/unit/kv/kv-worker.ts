import { parentPort, workerData } from 'node:worker_threads'
import { openSqlite } from '../../../src/database/sqlite.js'
import { createKvClock } from '../../../src/kv/clock.js'
import { CommitSignal } from '../../../src/kv/commit-signal.js'
import { encodeKey } from '../../../src/kv/key.js'
import { createSqliteStores } from '../../../src/kv/sqlite/stores.js'
import { decodeValue, encodeValue } from '../../../src/kv/stored-value.js'

/** What a writer is told; it writes as an executor thread does. */
export interface WriterOrders {
  readonly file: string
  readonly signal: SharedArrayBuffer
  readonly namespace: string
  readonly name: string
  readonly rounds: number
}

const orders = workerData as WriterOrders
const connection = openSqlite({ file: orders.file, busyTimeoutMs: 10_000, mustExist: true })
const { entries } = createSqliteStores({
  connection,
  committed: new CommitSignal(orders.signal).committed,
  clock: createKvClock(),
  namespaceBytesMax: 64 * 1024 * 1024,
  onDropped: () => {},
})

const { namespace, name, rounds } = orders
const checked = encodeKey(['checked'])
const summed = encodeKey(['summed'])

function increment(): void {
  for (;;) {
    const [entry] = entries.read(namespace, [checked])
    const value = entry === undefined ? 0 : (decodeValue(entry) as number)
    const { ok } = entries.commit(namespace, {
      checks: [{ key: checked, versionstamp: entry?.versionstamp ?? null }],
      mutations: [{ type: 'set', key: checked, value: encodeValue(value + 1, 0) }],
    })
    if (ok) return
  }
}

let won = 0
for (let round = 0; round < rounds; round += 1) {
  increment()
  const mutation = { type: 'sum', key: summed, value: encodeValue(1, 0) } as const
  entries.commit(namespace, { checks: [], mutations: [mutation] })
  const slot = encodeKey(['slots', round])
  const { ok } = entries.commit(namespace, {
    checks: [{ key: slot, versionstamp: null }],
    mutations: [{ type: 'set', key: slot, value: encodeValue(name, 0) }],
  })
  if (ok) won += 1
}
connection.close()
parentPort?.postMessage(won)
