import assert from 'node:assert/strict'
import type { Kv } from '../../src/kv/kv.js'
import { until } from '../helpers/until.js'
import { type RunCase, refuses } from './kv-case.js'

async function isComplete(kv: Kv): Promise<boolean> {
  return (await kv.search.indexes()).every((index) => index.isComplete)
}

/** Full-text search. */
export function searchCases(run: RunCase): void {
  run('entries are found by their words, those that were there before as well', async (kv) => {
    await kv.set(['posts', 1], { title: 'Sailing to Ithaca', body: 'the sea' })
    await kv.search.createIndex(['posts'], { fields: ['title', 'body'] })
    await kv.set(['posts', 2], { title: 'The sea, the sea', body: '' })
    await kv.set(['posts2', 1], { title: 'sea' })
    await until('existing entries are taken in', () => isComplete(kv))
    const hits = await kv.search.search(['posts'], 'sea')
    assert.deepEqual(hits.map(({ key }) => key[1]).sort(), [1, 2])
    assert.ok((hits[0]?.score ?? 0) >= (hits[1]?.score ?? 0), 'best first')
    assert.deepEqual(
      (await kv.search.search(['posts'], 'ithaca')).map(({ key }) => key),
      [['posts', 1]],
    )
  })

  run('commits, deletes and filters count at once', async (kv) => {
    await kv.search.createIndex(['p'], { fields: ['t'] })
    await kv.atomic().set(['p', 1], { t: 'red fish', n: 1 }).set(['p', 2], { t: 'blue fish', n: 2 }).commit()
    assert.equal((await kv.search.search(['p'], 'fish')).length, 2)
    const filtered = await kv.search.search(['p'], 'fish', { where: { n: 2 }, limit: 1 })
    assert.deepEqual(
      filtered.map(({ key }) => key),
      [['p', 2]],
    )
    await kv.delete(['p'], { exact: false })
    assert.deepEqual(await kv.search.search(['p'], 'fish'), [])
  })

  run('what was found is marked', async (kv) => {
    await kv.search.createIndex(['p'], { fields: ['t'] })
    await kv.set(['p', 1], { t: 'one red fish' })
    const [hit] = await kv.search.search(['p'], 'red', { highlight: { open: '<b>', close: '</b>' } })
    assert.equal(hit?.highlights?.t, 'one <b>red</b> fish')
  })

  run('indexes are listed, replaced and removed', async (kv) => {
    await kv.search.createIndex(['p'], { fields: ['t'] })
    await kv.search.createIndex(['p'], { fields: ['t', 'u'], tokenize: 'porter' })
    await until('existing entries are taken in', () => isComplete(kv))
    assert.deepEqual(await kv.search.indexes(), [
      { prefix: ['p'], fields: ['t', 'u'], tokenize: 'porter', isComplete: true },
    ])
    assert.equal(await kv.search.removeIndex(['p']), true)
    assert.equal(await kv.search.removeIndex(['p']), false)
    assert.deepEqual(await kv.search.indexes(), [])
    await refuses('KV_INDEX_MISSING', () => kv.search.search(['p'], 'x'))
  })

  run('definitions and queries that cannot be are refused', async (kv) => {
    await refuses('KV_INDEX_INVALID', () => kv.search.createIndex(['p'], { fields: [] }))
    await refuses('KV_INDEX_INVALID', () =>
      kv.search.createIndex(['p'], { fields: ['t'], tokenize: 'no' as never }),
    )
    await refuses('KV_OPTION_INVALID', () =>
      kv.search.createIndex(['p'], { fields: ['t'], fast: true } as never),
    )
    await kv.search.createIndex(['p'], { fields: ['t'] })
    await kv.set(['p', 1], { t: 'quote " NEAR( AND * fish' })
    await refuses('KV_QUERY_INVALID', () => kv.search.search(['p'], ''))
    await refuses('KV_OPTION_INVALID', () => kv.search.search(['p'], 'x', { limit: 0 }))
    assert.equal((await kv.search.search(['p'], 'fish')).length, 1)
  })
}
