import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailureCounts } from '../../../src/plugins/failure-counts.js'

test('a count belongs to one name and one generation', () => {
  const counts = new FailureCounts()
  assert.equal(counts.add('one', 1), 1)
  assert.equal(counts.add('one', 1), 2)
  assert.equal(counts.of('other', 1), 0)
  assert.equal(counts.of('one', 2), 0)
  assert.equal(counts.add('one', 2), 1, 'the next generation starts anew')
  assert.equal(counts.add('one', 1), 0, 'a call of the one before that ends late is not counted')
  assert.equal(counts.of('one', 2), 1)
  counts.clear('one')
  assert.equal(counts.of('one', 2), 0)
})
