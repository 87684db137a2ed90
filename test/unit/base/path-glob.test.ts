import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePathGlob, compileTextGlob, looseStars } from '../../../src/base/path-glob.js'

test('two stars in a part of a segment are found', () => {
  assert.equal(looseStars('/a**/b'), 'a**')
  assert.equal(looseStars('/***'), '***')
  for (const fine of ['/a/**', '/**/a', '/*/a*b*', '/']) assert.equal(looseStars(fine), undefined)
})

/** The same, read off the words of the description, without a thought for speed. */
function matchesPath(glob: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = glob
  if (first === undefined) return path.length === 0
  if (first === '**') return matchesPath(rest, path) || (path.length > 0 && matchesPath(glob, path.slice(1)))
  const [segment, ...others] = path
  if (segment === undefined) return false
  return matchesText(first, segment) && matchesPath(rest, others)
}

function matchesText(glob: string, text: string): boolean {
  return glob === '*' ? text !== '' : matchesRest(glob, text)
}

function matchesRest(glob: string, text: string): boolean {
  if (glob === '') return text === ''
  if (glob[0] !== '*') return glob[0] === text[0] && matchesRest(glob.slice(1), text.slice(1))
  return matchesRest(glob.slice(1), text) || (text !== '' && matchesRest(glob, text.slice(1)))
}

const part = fc.stringMatching(/^[ab.?+(]{0,3}$/)
const globText = fc
  .array(fc.oneof(part, fc.constant('*')), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('').replaceAll(/\*+/g, '*'))

test('globs of paths agree with a simple model, and know no regular expression', () => {
  const segments = fc.array(fc.stringMatching(/^[ab.?+(]{0,4}$/), { minLength: 1, maxLength: 6 })
  const glob = fc.array(fc.oneof(fc.constantFrom('**', '*'), globText), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(glob, segments, (parts, path) => {
      const text = `/${parts.join('/')}`
      assert.equal(compilePathGlob(text)(`/${path.join('/')}`), matchesPath(parts, path), text)
    }),
    { numRuns: 5000 },
  )
})

test('globs of texts agree with a simple model', () => {
  fc.assert(
    fc.property(globText, fc.stringMatching(/^[ab.?+(]{0,8}$/), (glob, text) => {
      assert.equal(compileTextGlob(glob)(text), matchesText(glob, text), glob)
    }),
    { numRuns: 5000 },
  )
})

test('what a client sends costs time by its length, whatever the glob', () => {
  const globs = [
    `/${'*a'.repeat(120)}b`,
    `/${'**/a/'.repeat(60)}b`,
    `/**${'/a'.repeat(100)}/b`,
    `/*${'a'.repeat(250)}b*`,
  ]
  const shapes = [(size: number) => `/${'a'.repeat(size)}`, (size: number) => '/a'.repeat(size / 2)]
  for (const glob of globs) {
    const matches = compilePathGlob(glob)
    for (const shape of shapes) {
      const [short, long] = [shape(4000), shape(16_000)]
      assert.equal(matches(long), false)
      const times =
        fastest(() => matches(long)) /
        Math.max(
          fastest(() => matches(short)),
          0.002,
        )
      // Four times the length: a matcher that squares would take sixteen times as long, one that tries all for ever.
      assert.ok(times < 12, `${glob.slice(0, 20)} takes ${times.toFixed(1)} times as long`)
    }
  }
})

/** Milliseconds of the fastest of many runs: what else the machine does only adds to the others. */
function fastest(run: () => unknown): number {
  let best = Number.POSITIVE_INFINITY
  for (let at = 0; at < 15; at += 1) {
    const startMs = performance.now()
    run()
    best = Math.min(best, performance.now() - startMs)
  }
  return best
}
