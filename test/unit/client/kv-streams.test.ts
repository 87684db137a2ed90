import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KvBatch } from '../../../sdk/client/index.js'
import { readEvents, type ServerEvent } from '../../../sdk/client/kv/event-stream.js'
import { readAhead } from '../../../sdk/client/kv/read-ahead.js'
import { ResetKeeper } from '../../../sdk/client/kv/reset-keeper.js'

async function eventsOf(pieces: readonly Uint8Array[]): Promise<readonly ServerEvent[]> {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
  const events: ServerEvent[] = []
  for await (const event of readEvents(stream, new AbortController().signal)) events.push(event)
  return events
}

const text = [
  'retry: 3000\n\n',
  ': a comment\nevent: ping\ndata:\n\n',
  'id: 1\r\nevent: change\r\ndata: ["ä😀"]\r\n\r\n',
  'data: two\rdata: lines\r\r',
  'id: 7\n\n',
  'event: cut off\ndata: never complete\n',
].join('')

const expected: readonly ServerEvent[] = [
  { type: 'ping', data: '', id: undefined },
  { type: 'change', data: '["ä😀"]', id: '1' },
  { type: 'message', data: 'two\nlines', id: undefined },
  { type: 'message', data: '', id: '7' },
]

test('events are the same wherever the stream is cut, and one that is not complete is none', async () => {
  const bytes = Buffer.from(text)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: bytes.length })), async (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
      const pieces = places.slice(1).map((end, at) => new Uint8Array(bytes.subarray(places[at], end)))
      assert.deepEqual(await eventsOf(pieces), expected)
    }),
  )
})

test('a failure that the server tells ends the stream with its code', async () => {
  const failure = Buffer.from(
    'event: failure\ndata: {"error":"No such thing","code":"KV_ODD","status":409}\n\n',
  )
  await assert.rejects(eventsOf([failure]), { code: 'KV_ODD', status: 409, message: 'No such thing' })
  await assert.rejects(eventsOf([Buffer.from('event: failure\ndata: <html>\n\n')]), { status: 500 })
})

function batch(values: Readonly<Record<string, number>>, more: Partial<KvBatch> = {}): KvBatch {
  const changes = Object.entries(values).map(([key, value]) => {
    return { type: 'set', key: [key], value, versionstamp: '1' } as const
  })
  return {
    reset: false,
    isComplete: true,
    changes,
    versionstamp: String(Math.max(...Object.values(values))),
    ...more,
  }
}

function shown({ changes }: KvBatch): readonly string[] {
  return changes.map(({ type, key, value }) => (type === 'delete' ? `-${key[0]}` : `${key[0]}=${value}`))
}

/** Gives batches and tells when the last one has been taken. */
async function readSlowly(
  given: readonly KvBatch[],
  size: number,
  overflow: 'drop-oldest' | 'drop-newest',
): Promise<readonly KvBatch[]> {
  let ended = () => {}
  const pumped = new Promise<void>((resolve) => {
    ended = resolve
  })
  async function* source(): AsyncGenerator<KvBatch> {
    yield* given
    ended()
  }
  const batches = readAhead(source(), size, overflow)
  const taken: KvBatch[] = []
  const first = await batches.next()
  if (!first.done) taken.push(first.value)
  if (!given.slice(1).some(({ reset }) => reset)) await pumped
  for await (const one of batches) taken.push(one)
  return taken
}

test('a slow reader gets the newest change of each key, in one batch', async () => {
  const given = [batch({ a: 1 }), batch({ b: 2 }), batch({ a: 3 }), batch({ c: 4 }), batch({ b: 5 })]
  const [first, ...rest] = await readSlowly(given, 10, 'drop-oldest')
  assert.ok(first)
  const all = [first, ...rest].flatMap(shown)
  assert.deepEqual(all.slice(-3), ['a=3', 'c=4', 'b=5'])
  assert.equal(rest.at(-1)?.versionstamp, '5')
  assert.ok([first, ...rest].every(({ dropped }) => dropped === undefined))
})

test('what does not fit into the buffer is dropped by the strategy, and counted', async () => {
  const given = ['a', 'b', 'c', 'd', 'e'].map((key, at) => batch({ [key]: at }))
  const oldest = await readSlowly([batch({ z: 0 }), ...given], 2, 'drop-oldest')
  assert.deepEqual(oldest.flatMap(shown).slice(-2), ['d=3', 'e=4'])
  assert.ok((oldest.at(-1)?.dropped ?? 0) >= 3)
  const newest = await readSlowly([batch({ z: 0 }), ...given], 2, 'drop-newest')
  assert.ok(!newest.flatMap(shown).includes('e=4'))
  assert.ok((newest.at(-1)?.dropped ?? 0) >= 3)
})

test('a reset is never merged and never dropped', async () => {
  const reset = batch({ a: 9, b: 9, c: 9 }, { reset: true, isComplete: false })
  const last = batch({ d: 9 }, { reset: true })
  const taken = await readSlowly([batch({ z: 1 }), reset, last, batch({ e: 10 })], 1, 'drop-oldest')
  assert.deepEqual(
    taken.filter(({ reset: isReset }) => isReset),
    [reset, last],
  )
  assert.deepEqual(taken.at(-1)?.changes[0]?.key, ['e'])
})

test('a buffer passes on what its source fails with', async () => {
  async function* failing(): AsyncGenerator<KvBatch> {
    yield batch({ a: 1 })
    throw new RangeError('mine')
  }
  const batches = readAhead(failing(), 5, 'drop-oldest')
  await assert.rejects(async () => {
    for await (const one of batches) assert.deepEqual(shown(one), ['a=1'])
  }, RangeError)
})

test('a reset that begins anew ends with deletes of what is gone meanwhile', () => {
  const keeper = new ResetKeeper()
  keeper.keep(batch({ a: 1, b: 1 }, { reset: true, isComplete: false }))
  keeper.breakOff()
  keeper.keep(batch({ b: 2, c: 2 }, { reset: true, isComplete: false }))
  keeper.breakOff()
  assert.deepEqual(shown(keeper.keep(batch({ c: 3 }, { reset: true, isComplete: false }))), ['c=3'])
  assert.deepEqual(shown(keeper.keep(batch({ d: 3 }, { reset: true }))), ['d=3', '-a', '-b'])
  assert.deepEqual(shown(keeper.keep(batch({ d: 4 }, { reset: true }))), ['d=4'])
})

test('a signal ends a stream that says nothing, whatever made the stream', async () => {
  let isCancelled = false
  const silent = new ReadableStream<Uint8Array>({
    cancel() {
      isCancelled = true
    },
  })
  const stopping = new AbortController()
  const reading = readEvents(silent, stopping.signal).next()
  stopping.abort()
  assert.deepEqual(await reading, { done: true, value: undefined })
  assert.equal(isCancelled, true)
})
