import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startHost, useHost } from '../helpers/create-host.js'
import { type KvAnswer, kvCall, kvRefused, kvSend } from '../helpers/kv-calls.js'

const versionstamp = /^[0-9a-f]{20}$/

describe('entries over HTTP', () => {
  const server = useHost({ plugins: {} })

  it('are written, read, listed, counted, paged and deleted', async () => {
    const host = server()
    const set = await kvCall(host, 'PUT', '/keys/users/1', { name: 'Ann' })
    assert.equal(set.ok, true)
    assert.match(set.versionstamp, versionstamp)
    await kvCall(host, 'PUT', '/keys/users/2', { name: 'Bob' })
    await kvCall(host, 'PUT', '/keys/users2/1', 'another collection')
    assert.deepEqual(await kvCall(host, 'GET', '/keys/users/1'), {
      key: ['users', 1],
      value: { name: 'Ann' },
      versionstamp: set.versionstamp,
    })
    assert.deepEqual(await names('/keys?prefix=users'), ['Ann', 'Bob'])
    assert.deepEqual(await names('/keys?prefix=users&reverse=true&limit=1'), ['Bob'])
    assert.deepEqual(await names('/keys?start=users/2&end=users/3'), ['Bob'])
    assert.deepEqual(await names('/keys?prefix=%5B%22users%22%5D'), ['Ann', 'Bob'])
    assert.deepEqual(await kvCall(host, 'GET', '/keys/count?prefix=users'), { count: 2 })
    assert.ok((await kvCall(host, 'GET', '/keys/count')).count >= 3)
    const filtered = await kvCall(host, 'POST', '/keys/list', { prefix: [], where: { name: { $eq: 'Bob' } } })
    assert.deepEqual(
      filtered.map(({ key }: KvAnswer) => key),
      [['users', 2]],
    )
    const page = await kvCall(host, 'GET', '/keys/paginate?prefix=users&limit=1')
    assert.equal(page.hasMore, true)
    const last = await kvCall(host, 'GET', `/keys/paginate?prefix=users&limit=1&cursor=${page.cursor}`)
    assert.deepEqual([last.entries[0].value.name, last.cursor, last.hasMore], ['Bob', null, false])
    assert.deepEqual(await kvCall(host, 'DELETE', '/keys/users'), { deletedCount: 0 })
    assert.deepEqual(await kvCall(host, 'DELETE', '/keys/users/1'), { deletedCount: 1 })
    assert.deepEqual(await kvCall(host, 'DELETE', '/keys/users', { exact: false }), { deletedCount: 1 })
    assert.equal((await kvCall(host, 'GET', '/keys/users2/1')).value, 'another collection')

    async function names(path: string): Promise<string[]> {
      return (await kvCall(host, 'GET', path)).map(({ value }: KvAnswer) => value.name)
    }
  })

  it('of null are there, those that are missing are not', async () => {
    const host = server()
    await kvCall(host, 'PUT', '/keys/nothing', null)
    assert.equal((await kvCall(host, 'GET', '/keys/nothing')).value, null)
    const answer = await kvSend(host, 'GET', '/keys/missing')
    assert.deepEqual(
      [answer.status, answer.json()],
      [404, { error: 'Key not found', code: 'KV_KEY_NOT_FOUND' }],
    )
  })

  it('named like operations are reached', async () => {
    const host = server()
    for (const name of ['count', 'paginate', 'list', 'batch']) {
      await kvCall(host, 'PUT', `/keys/${encodeURIComponent(JSON.stringify([name]))}`, name)
      const path = `/keys/${encodeURIComponent(JSON.stringify([name]))}`
      assert.equal((await kvCall(host, 'GET', path)).value, name)
    }
    await kvCall(host, 'PUT', '/keys/a/keys/b', 'whole')
    assert.deepEqual((await kvCall(host, 'GET', '/keys/a/keys/b')).key, ['a', 'keys', 'b'])
    await kvCall(host, 'PUT', '/keys/dir%2Ffile', 'slash')
    assert.deepEqual((await kvCall(host, 'GET', '/keys/dir%2Ffile')).key, ['dir/file'])
  })

  it('expire, and keep their time through a sum', async () => {
    const host = server()
    await kvCall(host, 'PUT', '/keys/soon?expiresIn=1', 1)
    await kvCall(host, 'PUT', '/keys/later?expiresIn=3600000', 1)
    for (;;) {
      const answer = await kvSend(host, 'GET', '/keys/soon')
      if (answer.status === 404) break
      assert.equal(answer.status, 200)
    }
    assert.equal((await kvCall(host, 'GET', '/keys/later')).value, 1)
    await kvRefused(
      host,
      'PUT',
      '/keys/x?expiresIn=0',
      { status: 400, code: 'KV_OPTION_INVALID' },
      { json: 1 },
    )
    const never = { status: 400, code: 'KV_REQUEST_INVALID', text: /expiresIn must be a whole number/ }
    await kvRefused(host, 'PUT', '/keys/x?expiresIn=1.5', never, { json: 1 })
    await kvRefused(host, 'GET', '/keys/x', { status: 404, code: 'KV_KEY_NOT_FOUND' })
  })

  it('are read and deleted in batches', async () => {
    const host = server()
    await kvCall(host, 'PUT', '/keys/batch/1', 'one')
    await kvCall(host, 'PUT', '/keys/batch/2', 'two')
    const entries = await kvCall(host, 'POST', '/keys/batch', {
      keys: [
        ['batch', 2],
        ['batch', 9],
        ['batch', 1],
      ],
    })
    assert.deepEqual(
      entries.map(({ value }: KvAnswer) => value),
      ['two', null, 'one'],
    )
    assert.equal(entries[1].versionstamp, null)
    const keys = [
      ['batch', 1],
      ['batch', 1],
      ['batch', 9],
      ['batch', 2],
    ]
    assert.deepEqual(await kvCall(host, 'POST', '/keys/delete-batch', { keys }), { deletedCount: 2 })
    const invalid = { status: 400, code: 'KV_REQUEST_INVALID' }
    const of = (json: unknown) => ({ json })
    await kvRefused(host, 'POST', '/keys/batch', { ...invalid, text: /keys has 0 items/ }, of({ keys: [] }))
    await kvRefused(
      host,
      'POST',
      '/keys/batch',
      { ...invalid, text: /keys\[1\]\[0\] must be a string.*not null \(null\)/ },
      of({ keys: [['a'], [null]] }),
    )
    const many = Array.from({ length: 1001 }, (_, at) => [at])
    await kvRefused(
      host,
      'POST',
      '/keys/batch',
      { status: 400, code: 'KV_OPTION_INVALID', text: /1001 keys, and 1000 are allowed/ },
      of({ keys: many }),
    )
  })

  it('are changed together or not at all', async () => {
    const host = server()
    const first = await kvCall(host, 'POST', '/atomic', {
      checks: [{ key: ['account', 'a'], versionstamp: null }],
      mutations: [
        { type: 'set', key: ['account', 'a'], value: 10 },
        { type: 'sum', key: ['account', 'a'], value: '5' },
        { type: 'sum', key: ['account', 'big'], value: { __type: 'bigint', value: '9007199254740993' } },
        { type: 'sum', key: ['account', 'u64'], value: { __type: 'u64', value: '7' } },
        { type: 'max', key: ['account', 'max'], value: 3 },
        { type: 'min', key: ['account', 'max'], value: 2 },
        { type: 'append', key: ['account', 'log'], value: ['b'] },
        { type: 'prepend', key: ['account', 'log'], value: ['a'] },
        { type: 'enqueue', value: { paid: true }, queue: 'payments' },
        { type: 'delete', key: ['account', 'none'] },
      ],
    })
    assert.equal(first.ok, true)
    const entries = await kvCall(host, 'GET', '/keys?prefix=account')
    assert.deepEqual(Object.fromEntries(entries.map(({ key, value }: KvAnswer) => [key[1], value])), {
      a: 15,
      big: { __type: 'bigint', value: '9007199254740993' },
      log: ['a', 'b'],
      max: 2,
      u64: { __type: 'u64', value: '7' },
    })
    for (const entry of entries) assert.equal(entry.versionstamp, first.versionstamp)
    const again = await kvCall(host, 'POST', '/atomic', {
      checks: [{ key: ['account', 'a'], versionstamp: null }],
      mutations: [{ type: 'delete', key: ['account', 'a'] }],
    })
    assert.deepEqual(again, { ok: false })
    assert.equal((await kvCall(host, 'GET', '/keys/account/a')).value, 15)
    const { message } = await kvCall(host, 'GET', '/queue/poll?queue=payments')
    assert.deepEqual(message.value, { paid: true })
  })

  it('refuse commits that do not have their form, naming the place', async () => {
    const host = server()
    const key = ['refused']
    const set = { type: 'set', key, value: 1 }
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [[], /the body must be an object, not array/],
      [{}, /mutations must be an array, not nothing/],
      [
        { mutations: [set], nope: 1 },
        /the body has the unknown member "nope"; it takes only checks, mutations/,
      ],
      [
        { mutations: [set, { type: 'setx', key }] },
        /mutations\[1\]\.type is "setx"; it must be one of set, delete/,
      ],
      [{ mutations: [set, { key }] }, /mutations\[1\]\.type is missing/],
      [{ mutations: [set, null] }, /mutations\[1\] must be an object, not null/],
      [{ mutations: [{ type: 'set', key }] }, /mutations\[0\]\.value is missing/],
      [{ mutations: [{ ...set, expires_in: 5 }] }, /mutations\[0\] has the unknown member "expires_in"/],
      [{ mutations: [{ type: 'delete', key, value: 1 }] }, /unknown member "value"/],
      [
        { mutations: [{ type: 'set', key: 'a', value: 1 }] },
        /mutations\[0\]\.key must be an array .* not string \("a"\)/,
      ],
      [
        { mutations: [set, { type: 'append', key, value: 1 }] },
        /mutations\[1\]\.value must be an array, not number \(1\)/,
      ],
      [
        { mutations: [{ type: 'sum', key, value: 1.5 }] },
        /mutations\[0\]\.value must be an integer .* not number \(1\.5\)/,
      ],
      [{ mutations: [{ type: 'sum', key, value: 'x' }] }, /not string \("x"\)/],
      [
        { mutations: [set], checks: [{ key }] },
        /checks\[0\]\.versionstamp must be a string or null, not nothing/,
      ],
      [{ mutations: [{ type: 'enqueue', value: 1, key }] }, /mutations\[0\] has the unknown member "key"/],
      [
        { mutations: [{ type: 'enqueue', value: 1, backoffSchedule: ['x'] }] },
        /mutations\[0\]\.backoffSchedule\[0\]/,
      ],
    ]
    for (const [json, text] of cases) {
      await kvRefused(host, 'POST', '/atomic', { status: 400, code: 'KV_REQUEST_INVALID', text }, { json })
    }
    await kvCall(host, 'PUT', '/keys/refused-text', 'text')
    const mismatch = { mutations: [set, { type: 'sum', key: ['refused-text'], value: 1 }] }
    await kvRefused(host, 'POST', '/atomic', { status: 400, code: 'KV_TYPE_MISMATCH' }, { json: mismatch })
    await kvRefused(host, 'GET', '/keys/refused', { status: 404, code: 'KV_KEY_NOT_FOUND' })
  })
})

describe('queues over HTTP', () => {
  const server = useHost({ plugins: {} })

  it('give messages out, take answers, and keep dead letters', async () => {
    const host = server()
    const enqueue = (value: unknown, options: object) =>
      kvCall(host, 'POST', '/queue/enqueue', { value, options: { queue: 'mail', ...options } })
    const { ok, id } = await enqueue({ n: 1 }, { backoffSchedule: [], keysIfUndelivered: [['dead', 1]] })
    assert.deepEqual([ok, typeof id], [true, 'string'])
    const { message } = await kvCall(host, 'GET', '/queue/poll?queue=mail&lease=60000')
    assert.deepEqual([message.id, message.queue, message.value, message.attempts], [id, 'mail', { n: 1 }, 1])
    assert.deepEqual(await kvCall(host, 'GET', '/queue/poll?queue=mail'), { message: null })
    assert.deepEqual(await kvCall(host, 'GET', '/queue/stats?queue=mail'), {
      pending: 0,
      processing: 1,
      dlq: 0,
      total: 1,
    })
    const { lease } = message
    assert.deepEqual(await kvCall(host, 'POST', '/queue/extend', { id, lease, duration: 90_000 }), {
      ok: true,
    })
    assert.deepEqual(await kvCall(host, 'POST', '/queue/ack', { id, lease: 'stale' }), { ok: false })
    assert.deepEqual(await kvCall(host, 'POST', '/queue/nack', { id, lease, error: 'no such address' }), {
      ok: true,
    })
    assert.deepEqual(await kvCall(host, 'POST', '/queue/ack', { id, lease }), { ok: false })
    assert.deepEqual((await kvCall(host, 'GET', '/keys/dead/1')).value, { n: 1 })
    const [letter] = await kvCall(host, 'GET', '/queue/dlq?queue=mail&limit=1&offset=0')
    assert.deepEqual(
      [letter.originalId, letter.queue, letter.value, letter.errorMessage, letter.attempts],
      [id, 'mail', { n: 1 }, 'no such address', 1],
    )
    assert.deepEqual(await kvCall(host, 'GET', `/queue/dlq/${letter.id}`), letter)
    const requeued = await kvCall(host, 'POST', `/queue/dlq/${letter.id}/requeue`)
    assert.equal(requeued.ok, true)
    const again = await kvCall(host, 'GET', '/queue/poll?queue=mail')
    assert.equal(again.message.id, requeued.newId)
    assert.deepEqual(
      await kvCall(host, 'POST', '/queue/ack', { id: again.message.id, lease: again.message.lease }),
      {
        ok: true,
      },
    )
    const gone = { status: 404, code: 'KV_DEAD_LETTER_NOT_FOUND', text: /^Message not found in DLQ$/ }
    await kvRefused(host, 'GET', `/queue/dlq/${letter.id}`, gone)
    await kvRefused(host, 'POST', `/queue/dlq/${letter.id}/requeue`, gone)
    assert.deepEqual(await kvCall(host, 'DELETE', `/queue/dlq/${letter.id}`), {
      ok: true,
      deletedCount: 0,
    })
    assert.deepEqual(await kvCall(host, 'DELETE', '/queue/dlq'), { deletedCount: 0 })
  })

  it('refuse what they cannot use', async () => {
    const host = server()
    const invalid = { status: 400, code: 'KV_REQUEST_INVALID' }
    const refused = (path: string, json: unknown, text: RegExp) =>
      kvRefused(host, 'POST', path, { ...invalid, text }, { json })
    await refused('/queue/enqueue', {}, /value is missing/)
    await refused('/queue/enqueue', { value: 1, delay: 5 }, /the body has the unknown member "delay"/)
    await refused(
      '/queue/enqueue',
      { value: 1, options: { dealy: 5 } },
      /options has the unknown member "dealy"/,
    )
    await refused(
      '/queue/enqueue',
      { value: 1, options: { keysIfUndelivered: [['a'], []] } },
      /options\.keysIfUndelivered\[1\] is empty/,
    )
    await refused('/queue/ack', { id: '' }, /id must be a string that is not empty, not string \(""\)/)
    await refused('/queue/ack', { id: 7, lease: 'x' }, /id must be a string .* not number \(7\)/)
    await refused('/queue/nack', { id: '7' }, /lease must be a string that is not empty, not nothing/)
    assert.deepEqual(await kvCall(host, 'GET', '/queue/stats'), {
      pending: 0,
      processing: 0,
      dlq: 0,
      total: 0,
    })
  })
})

describe('search over HTTP', () => {
  const server = useHost({ plugins: {} })

  it('finds by words, with filters and marks', async () => {
    const host = server()
    await kvCall(host, 'PUT', '/keys/articles/1', { title: 'Cats and dogs', year: 2024 })
    await kvCall(host, 'PUT', '/keys/articles/2', { title: 'Cats alone', year: 2025 })
    const index = { prefix: ['articles'], options: { fields: ['title'], tokenize: 'porter' } }
    assert.deepEqual(await kvCall(host, 'POST', '/indexes', index), { ok: true })
    for (;;) {
      const [made] = await kvCall(host, 'GET', '/indexes')
      assert.deepEqual([made.prefix, made.fields, made.tokenize], [['articles'], ['title'], 'porter'])
      if (made.isComplete) break
    }
    const found = await kvCall(host, 'GET', '/search?prefix=articles&query=dog')
    assert.deepEqual(
      found.map(({ key }: KvAnswer) => key),
      [['articles', 1]],
    )
    const [hit, ...others] = await kvCall(host, 'POST', '/search', {
      prefix: ['articles'],
      query: 'cats',
      options: { where: { year: 2025 }, limit: 5, highlight: { open: '<b>', close: '</b>' } },
    })
    assert.deepEqual([hit.key, hit.highlights, others], [['articles', 2], { title: '<b>Cats</b> alone' }, []])
    const unknown = {
      status: 400,
      code: 'KV_REQUEST_INVALID',
      text: /the body has the unknown member "where"/,
    }
    await kvRefused(host, 'POST', '/search', unknown, {
      json: { prefix: ['articles'], query: 'x', where: {} },
    })
    assert.deepEqual(await kvCall(host, 'DELETE', '/indexes?prefix=articles'), {
      ok: true,
      deletedCount: 1,
    })
    assert.deepEqual(await kvCall(host, 'GET', '/indexes'), [])
  })
})

it('namespaces hold what is theirs, under both prefixes', async (test) => {
  const host = await startHost(test, { plugins: {} })
  await kvCall(host, 'PUT', '/keys/k?namespace=shared:one', 1)
  await kvCall(host, 'PUT', '/keys/k?namespace=plugin:two', 2)
  await kvCall(host, 'PUT', '/keys/k', 3)
  assert.equal((await kvCall(host, 'GET', '/keys/k?namespace=one')).value, 1)
  assert.equal((await kvCall(host, 'GET', '/keys/k?namespace=plugin:two')).value, 2)
  const alias = await host.send('GET', '/api/keyval/keys/k?namespace=default', { headers: host.credentials })
  assert.equal(alias.json().value, 3)
  const listed = await kvCall(host, 'GET', '/namespaces')
  assert.deepEqual(
    listed.map(({ name }: KvAnswer) => name),
    ['plugin:two', 'shared:default', 'shared:one'],
  )
  for (const name of ['UP', 'other:x', '', 'a b', 'x'.repeat(64), '__proto__']) {
    const path = `/keys/k?namespace=${encodeURIComponent(name)}`
    await kvRefused(host, 'GET', path, { status: 400, code: 'KV_NAMESPACE_INVALID' })
  }
})
