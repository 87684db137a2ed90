import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Kv } from '../../src/host.js'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'
import { until } from '../helpers/until.js'

const storm = fileURLToPath(new URL('../helpers/kv-storm.js', import.meta.url))
const writers = ['ts', 'rest', 'lua', 'lua2'] as const

const body = `http.handle("POST", "/write", function(req)
  local writer, n = req.json.writer or "lua", req.json.n
  assert(kv.atomic()
    :sum({ "sum", writer }, 1)
    :sum({ "total" }, 1)
    :set({ "entry", writer, n }, n)
    :enqueue({ writer = writer, n = n }, { queue = "jobs" })
    :commit())
  return { json = { ok = true } }
end, { public = true })
kv.listen("jobs", function(message)
  assert(kv.atomic():sum({ "handled", message.value.writer, message.value.n }, 1):commit())
end, { concurrency = 4 })
`

/** What a process told of before it was killed. */
interface Told {
  readonly committed: ReadonlyMap<string, ReadonlySet<number>>
  readonly acked: ReadonlySet<number>
  /** What its watch gave, and where it stood. */
  readonly seen: ReadonlySet<number>
  readonly since: string | undefined
}

interface StormProcess {
  readonly out: () => string
  readonly ended: Promise<readonly unknown[]>
}

function start(args: readonly string[], heard: (out: string, kill: () => void) => void): StormProcess {
  const child = spawn(process.execPath, [storm, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    heard(out, () => child.kill('SIGKILL'))
  })
  return { out: () => out, ended: once(child, 'close') }
}

/** Lets a process write until it has told of so many lines, and kills it in the middle. */
async function writeUntilKilled(folder: string, first: number, lines: number): Promise<Told> {
  const child = start([folder, String(first)], (out, kill) => {
    if (out.split('\n').length > lines) kill()
  })
  assert.deepEqual(await child.ended, [null, 'SIGKILL'])
  const committed = new Map(writers.map((writer) => [writer as string, new Set<number>()]))
  const acked = new Set<number>()
  const seen = new Set<number>()
  let since: string | undefined
  for (const line of child.out().split('\n').slice(0, -1)) {
    const [what, ...words] = line.split(' ')
    if (what === 'committed') committed.get(words[0] ?? '')?.add(Number(words[1]))
    else if (what === 'acked') acked.add(Number(words[0]))
    else {
      since = words[0]
      for (const word of words.slice(1)) seen.add(Number(word))
    }
  }
  return { committed, acked, seen, since }
}

async function valuesBelow(kv: Kv, prefix: readonly string[]): Promise<Set<number>> {
  const values = new Set<number>()
  for await (const { value } of kv.list({ prefix })) values.add(Number(value))
  return values
}

/** Every commit is whole: the sums, the entries and the messages of all say the same. */
async function assertWhole(kv: Kv): Promise<number> {
  let total = 0
  for (const writer of writers) {
    const sum = Number((await kv.get(['sum', writer])).value ?? 0)
    assert.equal((await valuesBelow(kv, ['entry', writer])).size, sum, `entries of ${writer}`)
    total += sum
  }
  assert.equal(Number((await kv.get(['total'])).value), total)
  return total
}

/** Goes on with the watch of the process that was killed: nothing is missing between them. */
async function assertResumes(kv: Kv, { since, seen }: Told, first: number): Promise<void> {
  const written = [...(await valuesBelow(kv, ['entry', 'ts']))].filter((n) => n >= first)
  const known = new Set(seen)
  if (since !== undefined && known.size < written.length) {
    for await (const { reset, changes } of kv.watch({ prefix: ['entry', 'ts'] }, { since })) {
      assert.equal(reset, false)
      for (const { value } of changes) {
        assert.equal(known.has(Number(value)), false, `${value} is told again`)
        known.add(Number(value))
      }
      if (known.size >= written.length) break
    }
  }
  if (since !== undefined) assert.deepEqual([...known].sort(compare), written.sort(compare))
}

/** Takes what is left of the queue that the process itself consumed. */
async function takeAcks({ queues }: Kv): Promise<ReadonlySet<number>> {
  const taken = new Set<number>()
  await until('all messages are taken', async () => {
    for (;;) {
      const message = await queues.dequeue({ queue: 'acks' })
      if (message === undefined) break
      taken.add(Number(message.value))
      assert.ok(await queues.ack(message))
    }
    return (await queues.stats('acks')).total === 0
  })
  return taken
}

const compare = (a: number, b: number) => a - b

async function handledOnceOrMore(
  kv: Kv,
  writer: string,
): Promise<readonly [handled: Set<number>, twice: number]> {
  const handled = new Set<number>()
  let twice = 0
  for await (const { key, value } of kv.list({ prefix: ['handled', writer] })) {
    handled.add(Number(key[2]))
    if (Number(value) > 1) twice += 1
  }
  return [handled, twice]
}

async function assertNothingLost(host: TestHost, told: Told, first: number): Promise<string> {
  const kv = host.host.kv.namespace('plugin:storm')
  const total = await assertWhole(kv)
  for (const [writer, committed] of told.committed) {
    const stored = await valuesBelow(kv, ['entry', writer])
    assert.deepEqual(
      [...committed].filter((n) => !stored.has(n)),
      [],
      `acknowledged commits of ${writer}`,
    )
  }
  await assertResumes(kv, told, first)
  const acks = [...(await takeAcks(kv))]
  assert.deepEqual(
    acks.filter((n) => told.acked.has(n)),
    [],
    'an acknowledged message came again',
  )
  const sent = [...(await valuesBelow(kv, ['entry', 'ts']))].filter((n) => n >= first)
  const gone = sent.filter((n) => !acks.includes(n) && !told.acked.has(n))
  // What was acknowledged at the moment of the kill, and could not be told any more.
  assert.ok(gone.length <= 1, `lost messages: ${gone.join(' ')}`)
  await until('all jobs are done', async () => (await kv.queues.stats('jobs')).total === 0)
  let twiceAll = 0
  for (const writer of writers) {
    const [handled, twice] = await handledOnceOrMore(kv, writer)
    assert.deepEqual(
      [...handled].sort(compare),
      [...(await valuesBelow(kv, ['entry', writer]))].sort(compare),
    )
    twiceAll += twice
  }
  assert.equal((await kv.queues.stats()).dlq, 0)
  const acknowledged = [...told.committed.values()].reduce((sum, { size }) => sum + size, 0)
  return `${acknowledged} commits told, ${total} in all; ${acks.length} messages came again, ${twiceAll} jobs were done twice`
}

test('a process that is killed in a storm has lost no commit, no message and no change', async (t) => {
  const server = await startHost(t, { plugins: { 'storm/init.lua': plugin('storm', body) } })
  const folder = dirname(server.dataDirectory)
  for (let round = 0; round < 3; round += 1) {
    await server.close()
    const first = round * 1_000_000
    const told = await writeUntilKilled(folder, first, 100 + Math.floor(Math.random() * 900))
    await server.restart()
    t.diagnostic(await assertNothingLost(server, told, first))
  }
})

test('two hosts on one file count exactly', async (t) => {
  const server = await startHost(t, { plugins: {} })
  const folder = dirname(server.dataDirectory)
  const counted = [start([folder, 'count', '150'], () => {}), start([folder, 'count', '150'], () => {})]
  for (const { ended } of counted) assert.deepEqual(await ended, [0, null])
  const kv = server.host.kv.namespace('plugin:storm')
  assert.deepEqual([(await kv.get(['counter'])).value, (await kv.get(['sum'])).value], [300, 300])
})
