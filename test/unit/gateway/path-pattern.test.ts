import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HostError } from '../../../src/base/errors.js'
import { pathPatternLimits } from '../../../src/base/limits/gateway.js'
import { compilePath, compilePaths, isRegexEntry } from '../../../src/gateway/path-pattern.js'

const meanings: readonly (readonly [entry: string, meant: readonly string[], others: readonly string[]])[] = [
  ['/health', ['/health'], ['/healthz', '/x/health', '/health/', '/health/x', '/Health', 'health', '']],
  ['/v1.0/x', ['/v1.0/x'], ['/v1a0/x']],
  ['/a/*', ['/a/b', '/a/*'], ['/a', '/a/', '/a/b/c', '/a/b/', '/xa/b']],
  ['/a/*/c', ['/a/b/c'], ['/a//c', '/a/b/b/c', '/a/c']],
  ['/*.js', ['/x.js', '/.js', '/a.js.js'], ['/x.jsx', '/a/x.js', '/xjs']],
  ['/a*b*c', ['/abc', '/a-b-c', '/abbcc'], ['/ab', '/acb', '/a/b/c']],
  ['/a/**', ['/a', '/a/', '/a/b', '/a/b/c', '/a//b'], ['/ab', '/ab/c', '/x/a', '/']],
  ['/**', ['/', '/a', '/a/b'], ['x']],
  ['/a/**/z', ['/a/z', '/a/b/z', '/a/b/c/z', '/a/z/z'], ['/a', '/a/z/b', '/az', '/a/bz']],
  ['/*/x/**', ['/a/x', '/a/x/b'], ['/x', '/a/b/x', '//x']],
  ['/api/public/.*', ['/api/public/', '/api/public/a/b'], ['/api/public', '/x/api/public/a']],
  // %0A and U+2028 as the router reads them.
  ['/login/.*', ['/login/a\n', '/login/\u2028a', '/login/\n/b'], ['/login\n', '/x\n/login/']],
  ['/v[0-9]+/status', ['/v1/status', '/v22/status'], ['/v/status', '/v1/status/x', '/x/v1/status']],
  ['/a|/b', ['/a', '/b'], ['/ab', '/a/b', '/a|/b', '/x/b']],
  ['/health$', ['/health'], ['/healthz', '/x/health']],
  ['^/x', ['/x'], ['/xy']],
  ['/tx?', ['/t', '/tx'], ['/txx']],
]
for (const [entry, meant, others] of meanings) {
  test(`${entry} means whole paths`, () => {
    const matches = compilePath(entry)
    for (const path of meant) assert.equal(matches(path), true, path)
    for (const path of others) assert.equal(matches(path), false, path)
  })
}

const refused: readonly (readonly [name: string, entry: string, problem: RegExp])[] = [
  ['half of an expression', '/a(', /Unterminated group/],
  // Between the parentheses that anchor it this is valid, and means every path that starts with /a or ends with /b.
  ['an expression that breaks out of its anchors', '/a)|(/b', /Unmatched/],
  ['a backslash at the end', '/a\\', /\\ at end/],
  ['an entry that is too long', `/${'a'.repeat(pathPatternLimits.entryCharactersMax)}`, /513 characters/],
  ['a glob that does not start with a slash', 'health', /does not start with "\/"/],
  ['nothing', '', /does not start with "\/"/],
  ['two stars in a part of a segment', '/a**/b', /only a part of the segment/],
]
for (const [name, entry, problem] of refused) {
  test(`${name} is refused by name`, () => {
    assert.throws(
      () => compilePaths(['/fine', entry]),
      (error) =>
        error instanceof HostError &&
        error.code === 'GATEWAY_PATH_PATTERN_INVALID' &&
        problem.test(error.message) &&
        error.message.includes(entry.slice(0, 40)),
    )
  })
}

test('a list means what one of its entries means, and an empty one nothing', () => {
  const matches = compilePaths(['/a', '/b/**', '/c[0-9]', '/d/*'])
  for (const path of ['/a', '/b', '/b/x', '/c1', '/d/x']) assert.equal(matches(path), true, path)
  for (const path of ['/', '/aa', '/c', '/d', '/d/x/y']) assert.equal(matches(path), false, path)
  assert.equal(compilePaths([])('/'), false)
})

test('globs are told from regular expressions by their marks', () => {
  for (const entry of ['/a', '/a.b', '/*', '/**', '/a-b_c~d,e', '/a/*.js'])
    assert.equal(isRegexEntry(entry), false)
  for (const entry of ['/.*', '/.+', '/a+', '/a?', '/(a)', '/[a]', '/a{2}', '^/a', '/a$', '/a|b', '/\\d'])
    assert.equal(isRegexEntry(entry), true, entry)
})

/** The same, read off the words of the description, without a thought for speed. */
function model(glob: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = glob
  if (first === undefined) return path.length === 0
  if (first === '**') return model(rest, path) || (path.length > 0 && model(glob, path.slice(1)))
  const [segment, ...others] = path
  if (segment === undefined || (first === '*' && segment === '')) return false
  return modelSegment(first, segment) && model(rest, others)
}

function modelSegment(glob: string, segment: string): boolean {
  if (glob === '') return segment === ''
  if (glob[0] !== '*') return glob[0] === segment[0] && modelSegment(glob.slice(1), segment.slice(1))
  return modelSegment(glob.slice(1), segment) || (segment !== '' && modelSegment(glob, segment.slice(1)))
}

test('globs agree with a simple model', () => {
  const globSegment = fc.oneof(
    fc.constantFrom('**', '*', 'a', 'b', 'ab', 'a*', '*b', '*a*b', ''),
    fc.stringMatching(/^[ab.]{0,4}$/),
  )
  const segments = fc.array(fc.stringMatching(/^[ab.*]{0,4}$/), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.array(globSegment, { minLength: 1, maxLength: 5 }), segments, (glob, path) => {
      const entry = `/${glob.join('/')}`
      fc.pre(!isRegexEntry(entry))
      assert.equal(compilePath(entry)(`/${path.join('/')}`), model(glob, path), `${entry} ${path.join('/')}`)
    }),
    { numRuns: 5000 },
  )
})

test('no entry throws when it is used, whatever the path', () => {
  const entry = fc.oneof(fc.string({ maxLength: 30 }), fc.stringMatching(/^\/[a*/().+]{0,12}$/))
  fc.assert(
    fc.property(entry, fc.string(), (text, path) => {
      let matches: ((path: string) => boolean) | undefined
      try {
        matches = compilePath(text)
      } catch (error) {
        assert.ok(error instanceof HostError, String(error))
      }
      if (matches !== undefined) assert.equal(typeof matches(path), 'boolean')
    }),
  )
})

test('a regular expression never means a longer path than it would alone, anchored', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ab|()?.]{1,8}$/), fc.stringMatching(/^[abx]{0,6}$/), (text, path) => {
      fc.pre(isRegexEntry(text))
      let alone: RegExp
      try {
        alone = new RegExp(text, 'y')
        compilePath(text)
      } catch {
        return
      }
      // What matches as a whole matches somewhere: a match without any match of the expression is one of its anchors.
      if (compilePath(text)(path)) assert.ok(new RegExp(alone.source).test(path))
      if (compilePath(text)(path)) assert.equal(compilePath(`(?:${text})`)(path), true)
    }),
  )
})

test('a glob with many wildcards takes steps by length times length, not more', () => {
  const matches = compilePath(`/${'a*'.repeat(200)}b`)
  const deep = compilePath(`${'/**/a'.repeat(80)}/b`)
  // With each wildcard tried at each place these would not end.
  assert.equal(matches(`/${'a'.repeat(10_000)}`), false)
  assert.equal(deep('/a'.repeat(5000)), false)
})

test('a glob that nearly fits in many places costs no more than a few plain looks at the path', () => {
  const paths = [`/${'a'.repeat(8000)}`, `/${'a/'.repeat(4000)}`, `/${`${'a'.repeat(60)}/`.repeat(130)}`]
  const hostile = [
    `/*${'a'.repeat(125)}b`,
    `/*${'a'.repeat(120)}b*`,
    `/**${'/a'.repeat(15)}/b`,
    '/**/*aaaaaaaaaaaaaaaaab/b',
  ]
  for (const path of paths) {
    const plain = fastest(() => [...path].filter((character) => character === '/').length)
    for (const entry of hostile) {
      const matches = compilePath(entry)
      assert.equal(matches(path), false)
      const times = fastest(() => matches(path)) / plain
      assert.ok(times < 20, `${entry.slice(0, 20)} takes ${times.toFixed(1)} looks`)
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
