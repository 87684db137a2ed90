import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { interpolate } from '../../../src/base/interpolation.js'

const environment = { NAME: 'value', EMPTY: '', NESTED: `\${NAME}`, _x1: 'low' }

for (const [given, expected] of [
  ['plain', 'plain'],
  [`\${NAME}`, 'value'],
  [`a \${NAME} b \${_x1}`, 'a value b low'],
  [`\${NOPE:-x}`, 'x'],
  [`\${EMPTY:-x}`, 'x'],
  [`\${NAME:-x}`, 'value'],
  [`\${NOPE:-}`, ''],
  [`\${NOPE:-a:-b}`, 'a:-b'],
  [`$\${NAME}`, `\${NAME}`],
  [`$$\${NAME}`, `$\${NAME}`],
  ['$NAME {NAME} $ {NAME}', '$NAME {NAME} $ {NAME}'],
  // What is put in is not looked at again.
  [`\${NESTED}`, `\${NAME}`],
] as const) {
  test(`${JSON.stringify(given)} becomes ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(interpolate(given, environment).text, expected)
    assert.equal(interpolate(given, environment).problem, undefined)
  })
}

for (const [given, problem] of [
  [`\${NOPE}`, /^names the environment variable NOPE, which is not set$/],
  [`\${EMPTY}`, /EMPTY, which is empty$/],
  [`\${}`, /no variable name/],
  [`\${NAME`, /no variable name/],
  [`\${1A}`, /no variable name/],
  [`\${a b}`, /no variable name/],
  [`\${__proto__}`, /__proto__, which is not set/],
  [`\${toString}`, /toString, which is not set/],
] as const) {
  test(`${JSON.stringify(given)} is refused`, () => {
    const result = interpolate(given, environment)
    assert.match(result.problem ?? '', problem)
    assert.equal(result.text, given, 'what was given stays')
    assert.equal(result.isChanged, false)
  })
}

test(`a text without "\${" stays as it is, and what the environment holds is put in as it is`, () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string(), (before, value, after) => {
      fc.pre(!`${before}|${after}`.includes(`\${`) && !before.endsWith('$'))
      assert.deepEqual(interpolate(before, {}), { text: before, isChanged: false })
      const found = interpolate(`${before}\${V}${after}`, { V: value })
      assert.deepEqual(found, { text: before + value + after, isChanged: true })
    }),
  )
})

test('any text can be written so that it comes out unchanged', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-') }), (text) => {
      const written = text.replaceAll(`\${`, () => `$\${`)
      assert.equal(interpolate(written, {}).text, text)
    }),
  )
})

test('no problem tells the value of any variable', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 6, unit: 'grapheme-ascii' }), (secret) => {
      fc.pre(!/^[\w ]*$/.test(secret))
      const { problem = '' } = interpolate(`\${SECRET} \${NOPE}`, { SECRET: secret })
      assert.ok(!problem.includes(secret))
    }),
  )
})
