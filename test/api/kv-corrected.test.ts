import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kvLimits } from '../../src/base/limits/kv.js'
import type { KvKey } from '../../src/host.js'
import { startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { type KvAnswer, kvCall, kvRefused, kvSend } from '../helpers/kv-calls.js'
import { until } from '../helpers/until.js'

const put = (host: TestHost, path: string, value: unknown) => kvCall(host, 'PUT', `/keys/${path}`, value)
const pathOf = (key: unknown) => `/keys/${encodeURIComponent(JSON.stringify(key))}`
const isMissing = async (host: TestHost, path: string) => (await kvSend(host, 'GET', path)).status === 404

describe('keys', () => {
  const server = useHost({ plugins: {} })

  it('of a prefix are not those of siblings that begin with the same letters', async () => {
    const host = server()
    const key = encodeURIComponent(JSON.stringify([{ __type: 'bytes', value: 'AQI=' }, 1]))
    const siblings = ['user', 'users2/1', 'users_by_email/x', 'users%00/1', 'users%C3%BF/1']
    for (const path of ['users', 'users/1', 'users/2', key, ...siblings]) await put(host, path, path)
    const inside = ['users/1', 'users/2']
    const values = (entries: KvAnswer) => entries.map(({ value }: KvAnswer) => value)
    assert.deepEqual(values(await kvCall(host, 'GET', '/keys?prefix=users')), inside)
    assert.deepEqual(values((await kvCall(host, 'GET', '/keys/paginate?prefix=users')).entries), inside)
    assert.deepEqual(await kvCall(host, 'GET', '/keys/count?prefix=users'), { count: 2 })
    const bytes = { prefix: [{ __type: 'bytes', value: 'AQ==' }] }
    assert.deepEqual(await kvCall(host, 'POST', '/keys/list', bytes), [])
    const watched = await kvCall(host, 'GET', '/watch/prefix/poll?prefix=users')
    assert.deepEqual(values(watched.entries).toSorted(), ['users', ...inside])
    assert.deepEqual(await kvCall(host, 'DELETE', '/keys/users', { exact: false }), { deletedCount: 3 })
    for (const path of [key, ...siblings]) {
      assert.equal((await kvCall(host, 'GET', `/keys/${path}`)).value, path)
    }
  })

  it('sort negative integers below positive ones, the greatest distance from zero first', async () => {
    const kv = server().host.kv.namespace('bigints')
    const far = 256n ** BigInt(kvLimits.keyBigintBytesMax) - 1n
    const sorted = [-far, -65536n, -300n, -256n, -255n, -10n, -5n, -1n, 0n, 1n, 5n, 255n, 256n, far]
    for (const part of [...sorted].reverse()) await kv.set([part], part)
    const listed: KvKey[] = []
    for await (const { key, value } of kv.list()) {
      assert.equal(key[0], value)
      listed.push(key)
    }
    assert.deepEqual(
      listed,
      sorted.map((part) => [part]),
    )
    await assert.rejects(kv.set([far + 1n], 1), { code: 'KV_KEY_INVALID' })
    await assert.rejects(kv.set([-far - 1n], 1), { code: 'KV_KEY_INVALID' })
  })

  it('take minus zero as zero, and nothing that is no number', async () => {
    const host = server()
    const kv = host.host.kv.namespace('zero')
    await kv.set([-0], 'zero')
    const { entries } = await kv.paginate()
    assert.deepEqual(
      entries.map(({ key, value }) => [Object.is(key[0], 0), value]),
      [[true, 'zero']],
    )
    assert.equal((await kv.get([0])).value, 'zero')
    assert.equal((await kvCall(host, 'GET', '/keys/%5B-0.0%5D?namespace=zero')).value, 'zero')
    await assert.rejects(kv.set([Number.NaN], 1), { code: 'KV_KEY_INVALID' })
    await assert.rejects(kv.get([Number.NaN]), { code: 'KV_KEY_INVALID' })
    assert.equal(await kv.count(), 1)
  })

  it('with a zero byte inside sort where their text does', async () => {
    const kv = server().host.kv.namespace('nul')
    const sorted: KvKey[] = [['a'], ['a', 1], ['a\0'], ['a\0', 1], ['a\0b'], ['a\u0001'], ['aa'], ['b']]
    for (const key of [...sorted].reverse()) await kv.set(key, 1)
    const { entries } = await kv.paginate()
    assert.deepEqual(
      entries.map(({ key }) => key),
      sorted,
    )
    assert.equal(await kv.count(['a']), 1)
  })

  it('of every type are said in a path, also those that look like operations', async () => {
    const host = server()
    const keys = [
      ['42'],
      [42],
      [1.5],
      [-7],
      [true],
      ['a/b', 'c'],
      ['keys'],
      ['a', 'keys', 'b'],
      ['count'],
      ['paginate'],
      ['list'],
      [''],
      [{ __type: 'bigint', value: '42' }],
      [{ __type: 'bytes', value: 'AP8v' }],
    ]
    for (const key of keys) await kvCall(host, 'PUT', `${pathOf(key)}?namespace=typed`, key)
    for (const key of keys) {
      const entry = await kvCall(host, 'GET', `${pathOf(key)}?namespace=typed`)
      assert.deepEqual([entry.key, entry.value], [key, key])
    }
    assert.deepEqual(await kvCall(host, 'GET', '/keys/count?namespace=typed'), { count: keys.length })
    assert.deepEqual((await kvCall(host, 'GET', '/keys/a/keys/b?namespace=typed')).key, ['a', 'keys', 'b'])
    assert.deepEqual((await kvCall(host, 'GET', '/keys/a%2Fb/c?namespace=typed')).key, ['a/b', 'c'])
  })

  it('that are missing answer 404 with JSON, whatever the client would rather have', async () => {
    const host = server()
    const headers = { accept: 'text/html' }
    const missing = { status: 404, code: 'KV_KEY_NOT_FOUND', text: /^Key not found$/ }
    await kvRefused(host, 'GET', '/keys/missing', missing, { headers })
    const letter = { status: 404, code: 'KV_DEAD_LETTER_NOT_FOUND' }
    await kvRefused(host, 'GET', '/queue/dlq/none', letter, { headers })
    await kvRefused(host, 'GET', '/nowhere', { status: 404, code: 'NOT_FOUND' }, { headers })
    await kvCall(host, 'PUT', '/keys/null', null)
    assert.equal((await kvCall(host, 'GET', '/keys/null')).value, null)
  })

  it('are out of reach without a credential, and of other namespaces', async () => {
    const host = server()
    await put(host, 'guarded/1', 'mine')
    for (const [method, path] of [
      ['GET', '/keys/guarded/1'],
      ['DELETE', '/keys/guarded/1'],
      ['PUT', '/keys/guarded/1'],
      ['POST', '/atomic'],
      ['DELETE', '/queue/dlq'],
      ['GET', '/watch?keys=guarded/1'],
    ] as const) {
      const answer = await host.send(method, `/keyval/api${path}`)
      assert.deepEqual([answer.status, answer.json().code], [401, 'UNAUTHORIZED'])
    }
    const elsewhere = await kvCall(host, 'DELETE', '/keys/guarded?namespace=other', { exact: false })
    assert.deepEqual(elsewhere, { deletedCount: 0 })
    assert.equal((await kvCall(host, 'GET', '/keys/guarded/1')).value, 'mine')
  })
})

describe('times', () => {
  const server = useHost({ plugins: {} })

  it('below a second last as long as they say', async () => {
    const host = server()
    const begun = Date.now()
    await kvCall(host, 'PUT', '/keys/brief?expiresIn=400', 1)
    await until('it has expired', () => isMissing(host, '/keys/brief'))
    assert.ok(Date.now() - begun >= 400)
    // What a server that rounds to seconds forgets at once is there when it is asked for within its time.
    await until('it is read within its time', async () => {
      const from = Date.now()
      await kvCall(host, 'PUT', '/keys/brief?expiresIn=400', 1)
      const there = !(await isMissing(host, '/keys/brief'))
      assert.ok(there || Date.now() - from >= 400)
      return there
    })
  })

  it('stay with an entry that is counted or appended to, unless it is given another', async () => {
    const host = server()
    const changes = [
      { type: 'sum', value: 1 },
      { type: 'max', value: 9 },
      { type: 'min', value: 0 },
      { type: 'append', value: [1] },
      { type: 'prepend', value: [1] },
    ]
    for (const { type, value } of changes) {
      const key = ['kept', type]
      await until(`${type} came within the time`, async () => {
        const first = Array.isArray(value) ? [] : 1
        const { versionstamp } = await kvCall(host, 'PUT', `/keys/kept/${type}?expiresIn=300`, first)
        const commit = { checks: [{ key, versionstamp }], mutations: [{ type, key, value }] }
        return (await kvCall(host, 'POST', '/atomic', commit)).ok
      })
    }
    const long = { type: 'sum', key: ['kept', 'long'], value: 1, expiresIn: 3_600_000 }
    const brief = { type: 'sum', key: ['kept', 'brief'], value: 1, expiresIn: 50 }
    await kvCall(host, 'POST', '/atomic', { mutations: [long, brief] })
    for (const { type } of [...changes, { type: 'brief' }]) {
      await until(`${type} has expired`, () => isMissing(host, `/keys/kept/${type}`))
    }
    assert.equal((await kvCall(host, 'GET', '/keys/kept/long')).value, 1)
  })
})

describe('writes', () => {
  const server = useHost({ plugins: {} })

  it('count what they delete, each entry once however many delete it', async () => {
    const host = server()
    const mutations = Array.from({ length: 600 }, (_, n) => ({
      type: 'set',
      key: ['swept', n],
      value: { odd: n % 2 },
    }))
    await kvCall(host, 'POST', '/atomic', { mutations })
    const where = { odd: 1 }
    const bodies = [{ exact: false }, { exact: false, where }, { exact: false }, { exact: false, where }]
    const deleted = await Promise.all(bodies.map((body) => kvCall(host, 'DELETE', '/keys/swept', body)))
    assert.equal(
      deleted.reduce((sum, { deletedCount }) => sum + deletedCount, 0),
      600,
    )
    assert.deepEqual(await kvCall(host, 'GET', '/keys/count?prefix=swept'), { count: 0 })
  })

  it('count exactly, and refuse what they cannot count', async () => {
    const host = server()
    const big = (value: string) => ({ __type: 'bigint', value })
    const sum = (path: string, value: unknown, type = 'sum') => ({
      json: { mutations: [{ type, key: path.split('/'), value }] },
    })
    const read = async (path: string) => (await kvCall(host, 'GET', `/keys/${path}`)).value
    await put(host, 'n/big', big('9007199254740993'))
    await kvCall(host, 'POST', '/atomic', sum('n/big', 2).json)
    assert.deepEqual(await read('n/big'), big('9007199254740995'))
    await put(host, 'n/plain', Number.MAX_SAFE_INTEGER)
    const overflow = { status: 400, code: 'KV_OVERFLOW' }
    await kvRefused(host, 'POST', '/atomic', overflow, sum('n/plain', 1))
    assert.equal(await read('n/plain'), Number.MAX_SAFE_INTEGER)
    const mismatch = { status: 400, code: 'KV_TYPE_MISMATCH' }
    for (const value of ['text', 1.5, null, { n: 1 }, [1]]) {
      await put(host, 'n/other', value)
      for (const type of ['sum', 'max', 'min']) {
        await kvRefused(host, 'POST', '/atomic', mismatch, sum('n/other', 1, type))
      }
      if (!Array.isArray(value)) {
        await kvRefused(host, 'POST', '/atomic', mismatch, sum('n/other', [1], 'append'))
      }
      assert.deepEqual(await read('n/other'), value)
    }
    await put(host, 'n/hits', 0)
    await Promise.all(
      Array.from({ length: 50 }, () => kvCall(host, 'POST', '/atomic', sum('n/hits', 1).json)),
    )
    assert.equal(await read('n/hits'), 50)
  })

  it('of a commit are not done in part when one of them is unknown', async () => {
    const host = server()
    const key = ['strict']
    const invalid = { status: 400, code: 'KV_REQUEST_INVALID' }
    const set = { type: 'set', key, value: 1 }
    for (const json of [{}, { checks: [] }, { mutations: [set, { type: 'increment', key, value: 1 }] }]) {
      await kvRefused(host, 'POST', '/atomic', invalid, { json })
    }
    assert.ok(await isMissing(host, '/keys/strict'))
  })

  it('whose filter is misspelt or empty delete nothing', async () => {
    const host = server()
    for (const n of [1, 2, 3]) await put(host, `typo/${n}`, { age: n })
    const wrong = { status: 400, code: 'KV_WHERE_INVALID' }
    const filters = [
      { age: { $gtt: 1 } },
      { $nor: [{ age: 1 }] },
      { age: { gt: 1 } },
      { $or: [] },
      { $and: [] },
      { age: { $gt: 1, $ltt: 2 } },
      { $not: { age: { $lt: 1, $foo: 1 } } },
    ]
    for (const where of filters) {
      await kvRefused(host, 'DELETE', '/keys/typo', wrong, { json: { exact: false, where } })
      await kvRefused(host, 'POST', '/keys/list', wrong, { json: { prefix: ['typo'], where } })
    }
    assert.deepEqual(await kvCall(host, 'GET', '/keys/count?prefix=typo'), { count: 3 })
    const some = await kvCall(host, 'DELETE', '/keys/typo', { exact: false, where: { age: { $in: [] } } })
    assert.deepEqual(some, { deletedCount: 0 })
  })

  it('whose filter names a member with quotes reach that member and no other entry', async () => {
    const host = server()
    const names = [`a') OR 1=1 --`, `x' OR '1'='1`, `"; DROP TABLE kv_entries; --`, `a" OR "1"="1`]
    for (const n of [1, 2]) await put(host, `sql/${n}`, { a: n })
    for (const name of names) {
      const json = { exact: false, where: { [name]: 1 } }
      assert.deepEqual(await kvCall(host, 'DELETE', '/keys/sql', json), { deletedCount: 0 })
      await put(host, 'sql/odd', { [name]: 1 })
      assert.deepEqual(await kvCall(host, 'DELETE', '/keys/sql', json), { deletedCount: 1 })
      assert.ok(await isMissing(host, '/keys/sql/odd'))
    }
    const half = { json: { exact: false, where: { 'a[0': 1 } } }
    await kvRefused(host, 'DELETE', '/keys/sql', { status: 400, code: 'KV_WHERE_INVALID' }, half)
    assert.deepEqual(await kvCall(host, 'GET', '/keys/count?prefix=sql'), { count: 2 })
  })
})

it('numbers count every operation once, also while they are read', async (test) => {
  const host = await startHost(test, { plugins: {} })
  await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      await Promise.all([put(host, `m/${n}`, n), kvCall(host, 'GET', '/metrics')])
    }),
  )
  const { operations, totals, storage } = await kvCall(host, 'GET', '/metrics')
  assert.deepEqual([operations.set.count, operations.set.errors], [50, 0])
  assert.deepEqual([totals.operations, storage.entries], [50, 50])
})
