import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineError, HostError, messageOf } from '../../../src/base/errors.js'

const tooLarge = defineError('TOO_LARGE', 413, 'the body is {size} bytes; the limit is {limit}')

test('an error names its values and keeps its code, status, cause and details', () => {
  const cause = new Error('underneath')
  const error = tooLarge({ size: 12, limit: 10 }, { cause, details: { size: 12 }, retryAfterSeconds: 3 })
  assert.ok(error instanceof HostError)
  assert.equal(error.code, 'TOO_LARGE')
  assert.equal(error.status, 413)
  assert.equal(error.message, 'the body is 12 bytes; the limit is 10')
  assert.equal(error.cause, cause)
  assert.deepEqual(error.details, { size: 12 })
  assert.equal(error.retryAfterSeconds, 3)
})

test('an error without a cause has none, not an undefined one', () => {
  assert.equal('cause' in tooLarge(), false)
})

test('a name without a value stays in the message, and a value is never read as a template', () => {
  assert.equal(tooLarge({ size: '{limit} $&' }).message, 'the body is {limit} $& bytes; the limit is {limit}')
})

test('anything that is thrown has a text', () => {
  assert.equal(messageOf(new Error('a')), 'a')
  assert.equal(messageOf('b'), 'b')
  assert.equal(messageOf(undefined), 'undefined')
})
