import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redactorLimits } from '../../../src/base/limits/config.js'
import { Redactor, redacted } from '../../../src/base/redactor.js'

const secret = fc.string({ minLength: redactorLimits.charactersMin, maxLength: 40, unit: 'grapheme' })

test('no secret is left in a text, nor in JSON that the text is written into', () => {
  fc.assert(
    fc.property(
      fc.array(secret, { minLength: 1, maxLength: 5 }),
      fc.array(fc.string()),
      (secrets, around) => {
        fc.pre(secrets.every((value) => !value.includes('*')))
        const redactor = new Redactor()
        redactor.set('a', secrets)
        const text = secrets.map((value, at) => `${around[at] ?? ''}${value}`).join('')
        for (const safe of [redactor.redact(text), redactor.redact(JSON.stringify({ text }))]) {
          for (const value of secrets) assert.ok(!safe.includes(value), `${JSON.stringify(value)} in ${safe}`)
        }
      },
    ),
  )
})

test('the longer of two secrets goes as a whole', () => {
  const redactor = new Redactor()
  redactor.set('a', ['password1'])
  redactor.set('b', ['password1-and-more'])
  assert.equal(redactor.redact('password1-and-more, password1'), `${redacted}, ${redacted}`)
})

test('characters that mean something in patterns are characters here', () => {
  const value = '^$.*+?()[]{}|/-\\ "quoted"'
  const redactor = new Redactor()
  redactor.set('a', [value])
  assert.equal(redactor.redact(`x${value}y`), `x${redacted}y`)
  assert.equal(redactor.redact(JSON.stringify([value])), `["${redacted}"]`)
  assert.equal(redactor.redact('aaaaaaaa'), 'aaaaaaaa')
})

test('short values stay, and the secrets of an owner can be replaced', () => {
  const redactor = new Redactor()
  assert.equal(redactor.redact('nothing is secret'), 'nothing is secret')
  redactor.set('a', ['short'])
  assert.equal(redactor.redact('short'), 'short')
  redactor.set('a', ['long enough'])
  assert.equal(redactor.redact('long enough'), redacted)
  redactor.set('a', [])
  assert.equal(redactor.redact('long enough'), 'long enough')
})
