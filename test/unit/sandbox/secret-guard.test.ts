import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SecretGuard } from '../../../src/sandbox/secret-guard.js'

const guard = new SecretGuard({ key: 's3cret/+"value"', missing: null, longer: 's3cret/+"value"-and-more' })

describe('a secret guard', () => {
  it('takes secrets out of texts', () => {
    assert.equal(guard.redact('nothing here'), 'nothing here')
    assert.equal(guard.redact('a s3cret/+"value" b s3cret/+"value"'), 'a *** b ***')
    assert.equal(guard.redact('x s3cret/+"value"-and-more y'), 'x *** y')
    assert.equal(guard.redact(JSON.stringify({ a: 's3cret/+"value"' })), '{"a":"***"}')
    assert.equal(guard.redact(`/?k=${encodeURIComponent('s3cret/+"value"')}&x`), '/?k=***&x')
  })

  it('has nothing to do where there are no secrets', () => {
    for (const idle of [new SecretGuard({}), new SecretGuard({ key: null })]) {
      assert.ok(idle.isIdle)
      assert.equal(idle.redact('anything'), 'anything')
      assert.equal(idle.find('anything'), undefined)
      assert.equal(idle.find(Buffer.from('anything')), undefined)
    }
    assert.ok(!guard.isIdle)
  })

  it('finds secrets in any surroundings, as they are and encoded', () => {
    const secret = fc.string({ unit: 'grapheme', minLength: 8, maxLength: 40 })
    const around = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(secret, around, around, (value, before, after) => {
        const own = new SecretGuard({ other: 'not this one at all', it: value })
        const bytes = Buffer.concat([before, Buffer.from(value), after])
        const texts = [
          bytes.toString('base64'),
          bytes.toString('base64url'),
          bytes.toString('hex'),
          bytes.toString('hex').toUpperCase(),
          `x${value}y`,
          JSON.stringify([value]),
          encodeURIComponent(`x${value}y`),
          // A header, as Node writes it.
          Buffer.from(value).toString('latin1'),
        ]
        for (const text of texts) {
          assert.equal(own.find(text), 'it', text)
          assert.equal(own.find(Buffer.from(text)), 'it')
        }
        assert.equal(own.find(bytes), 'it')
      }),
    )
  })

  it('finds nothing in what has only a part of a secret', () => {
    const own = new SecretGuard({ it: 'correct horse battery' })
    for (const text of ['correct horse batter', 'orrect horse battery', 'Correct Horse Battery', '']) {
      assert.equal(own.find(text), undefined)
      assert.equal(own.find(Buffer.from(text)), undefined)
      assert.equal(own.find(Buffer.from(text).toString('base64')), undefined)
      assert.equal(own.redact(text), text)
    }
  })

  it('takes characters of patterns for what they are', () => {
    for (const value of [
      '.*.*.*.*',
      '(a+)+$^[]{}|\\',
      '$&$&$&$&',
      '--------',
      '\\n\\n\\n\\n',
      '\ud800 no text',
    ]) {
      const own = new SecretGuard({ it: value })
      assert.equal(own.redact(`<${value}>`), '<***>')
      assert.equal(own.redact('plain text of sixteen'), 'plain text of sixteen')
      assert.equal(own.find(value), 'it')
      assert.equal(own.find('plain text of sixteen'), undefined)
    }
  })
})
