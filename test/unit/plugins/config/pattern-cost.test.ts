import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPatternProblem } from '../../../../src/plugins/config/pattern-cost.js'

for (const pattern of [
  '^[a-z]+$',
  '^fwt_$',
  '^[a-z][a-z0-9_-]{0,31}$',
  '^(?:https?)://[^/]{1,200}$',
  '^\\d{4}-\\d{2}-\\d{2}$',
  '^(red|green|blue)$',
  'abc',
  '^[^\\]]*$',
  '^a?b?c?$',
  '',
]) {
  test(`${pattern || 'the empty pattern'} is taken`, () =>
    assert.equal(findPatternProblem(pattern), undefined))
}

for (const pattern of [
  '^(a+)+$',
  '^(a|aa)+$',
  '^(a*)*$',
  '^([a-z]+)*$',
  '(x+x+)+y',
  '^a*a*a*a*a*b$',
  '.*.*.*=',
  '^(a)\\1$',
  '^(?=a*)a$',
  '^(?<!a)b$',
  '^(?<n>a)$',
  '^[a-z]{1,1000}[a-z]{1,1000}[a-z]{1,1000}$',
  '^(a){2,}$',
  '\\p{L}+',
  '[',
]) {
  test(`${pattern} is refused`, () => assert.ok(findPatternProblem(pattern)))
}

test('what is taken comes to an end on the texts that hurt most', () => {
  for (const pattern of ['^[a-z]+$', '^[a-z]*x[a-z]*$', '[a-z]*0']) {
    assert.equal(findPatternProblem(pattern), undefined)
    assert.equal(new RegExp(pattern, 'u').test(`${'a'.repeat(999)}!`), false)
  }
})
