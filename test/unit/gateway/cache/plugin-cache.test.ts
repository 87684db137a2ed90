import assert from 'node:assert/strict'
import { it } from 'node:test'
import { PluginCache } from '../../../../src/gateway/cache/plugin-cache.js'

it('counts what each tag of a value needs: short tags take no more memory than the limit says', () => {
  const cache = new PluginCache({ pluginBytesMax: 1024 * 1024 })
  const count = 4000
  let tag = 0
  for (let at = 0; at < count; at += 1) {
    const tags = Array.from({ length: 32 }, () => (tag++).toString(36))
    cache.set('greedy', `k${at}`, '1', { ttlSeconds: 60, tags })
  }
  let kept = 0
  for (let at = 0; at < count; at += 1) if (cache.get('greedy', `k${at}`) !== undefined) kept += 1
  assert.ok(kept > 0, 'the last ones are there')
  assert.ok(kept * 32 * 200 < 1024 * 1024, `${kept} values with ${kept * 32} tags`)
  assert.equal(cache.invalidateTag('greedy', '0'), 0, 'tags of what had to go are gone')
  assert.equal(cache.invalidateTag('greedy', (tag - 1).toString(36)), 1)
})

it('counts a tag that is named twice once', () => {
  const cache = new PluginCache()
  cache.set('p', 'a', '1', { ttlSeconds: 60, tags: ['x'] })
  const { bytes } = cache
  cache.set('p', 'a', '1', { ttlSeconds: 60, tags: ['x', 'x'] })
  assert.equal(cache.bytes, bytes)
})
