import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PathRules, parsePathGlob } from '../../../src/auth/path-rules.js'

/** A pattern, or a pattern with methods. */
type Written = string | readonly [pattern: string, methods: readonly string[]]

const named = (...paths: readonly Written[]) =>
  new PathRules(
    paths.map((each) =>
      typeof each === 'string'
        ? { name: each, paths: [each] }
        : { name: each[0], paths: [each[0]], methods: each[1] },
    ),
  )

const find = (rules: ReturnType<typeof named>, path: string, method = 'GET') => {
  const found = rules.find(method, path)
  return found === 'ambiguous' ? found : found.rule?.name
}

/** Tells by trying everything whether a glob means a path. */
function means(glob: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = glob
  if (first === undefined) return path.length === 0
  if (first === '**') return path.some((_, at) => means(rest, path.slice(at))) || means(rest, [])
  const [segment, ...others] = path
  if (segment === undefined) return false
  return (first === segment || (first === '*' && segment !== '')) && means(rest, others)
}

describe('rules of paths', () => {
  it('take one segment for * and any number for **', () => {
    const table: readonly (readonly [glob: string, path: string, isMeant: boolean])[] = [
      ['/shop/*', '/shop/cart', true],
      ['/shop/*', '/shop/cart/7', false],
      ['/shop/*', '/shop', false],
      ['/shop/**', '/shop/cart', true],
      ['/shop/**', '/shop/cart/7', true],
      ['/shop/**', '/shop', true],
      ['/shop/**', '/shops', false],
      ['/**', '/', true],
      ['/**', '/a/b', true],
      ['/', '/', true],
      ['/', '/a', false],
      ['/*/b/**/c', '/a/b/c', true],
      ['/*/b/**/c', '/a/b/x/y/c', true],
      ['/*/b/**/c', '/a/b/x/y/d', false],
      ['/a.b', '/axb', false],
    ]
    for (const [glob, path, isMeant] of table) {
      assert.equal(find(named(glob), path), isMeant ? glob : undefined, `${glob} and ${path}`)
    }
  })

  it('agree with what trying everything finds, in time that does not grow faster than both', () => {
    const piece = fc.constantFrom('*', '**', 'a', 'b')
    const glob = fc.array(piece, { maxLength: 7 })
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 9 })
    fc.assert(
      fc.property(glob, path, (segments, names) => {
        const text = `/${segments.join('/')}`
        assert.equal(find(named(text), `/${names.join('/')}`) === text, means(segments, names))
      }),
      { numRuns: 2000 },
    )
    assert.equal(find(named(`/${'**/a/'.repeat(50)}b`), `/${'a/'.repeat(5000)}c`), undefined)
  })

  it('let the first one decide, by method as well', () => {
    const rules = named(['/a/**', ['POST']], '/a/b', '/a/**')
    assert.equal(find(rules, '/a/b'), '/a/b')
    assert.equal(find(rules, '/a/b', 'POST'), '/a/**')
    assert.equal(find(rules, '/a/c'), '/a/**')
    assert.equal(find(named(['/a', ['GET']]), '/a', 'HEAD'), '/a')
    assert.equal(find(named(['/a', ['GET']]), '/a', 'OPTIONS'), undefined)
  })

  it('hold for every spelling that servers may take for the path, or refuse it', () => {
    const rules = named('/open/**', '/api/admin/**')
    const spellings = [
      '//api/admin/x',
      '/api//admin/x',
      '/api/admin//x',
      '/api/admin/x/',
      '/api%2fadmin/x',
      '/api/admin%2Fx',
      '/api/admin;a=b/x',
      '/API/admin/x',
      '/api/Admin',
    ]
    for (const path of spellings) {
      assert.ok(['/api/admin/**', 'ambiguous'].includes(String(find(rules, path))), path)
    }
    assert.equal(find(rules, '/other/Path/'), undefined, 'where no rule is at stake nothing is refused')
    assert.equal(find(rules, '/open/A%2Fb'), '/open/**')
  })

  it('never come to another rule by a change that servers may undo', () => {
    const rules = named('/a/b/**', '/a/*', '/c')
    const segments = fc.array(fc.constantFrom('a', 'b', 'c', 'x'), { minLength: 1, maxLength: 4 })
    const slash = fc.constantFrom('/', '//', '%2f', '%2F', ';v=1/')
    fc.assert(
      fc.property(segments, fc.infiniteStream(slash), fc.boolean(), (names, slashes, isUpper) => {
        const plain = `/${names.join('/')}`
        const odd = `/${names[0]}${names
          .slice(1)
          .map((name) => slashes.next().value + name)
          .join('')}`
        const found = find(rules, isUpper ? odd.toUpperCase() : odd)
        assert.ok(found === 'ambiguous' || found === find(rules, plain), `${odd} and ${plain}`)
      }),
      { numRuns: 1000 },
    )
  })

  it('refuse patterns that could mean something else than they seem to', () => {
    const odd = [
      '',
      'a',
      '/a*',
      '/*.js',
      '/a//b',
      '/a/',
      '/a/../b',
      '/./a',
      '/a?b',
      '/a#b',
      '/a%2fb',
      '/a\\b',
      '/a;b',
      '/***',
    ]
    for (const pattern of odd) assert.throws(() => parsePathGlob(pattern), Error, pattern)
  })

  it('tell of rules that no request comes to', () => {
    const shadowed = (...paths: readonly Written[]) =>
      named(...paths)
        .shadowed()
        .map(({ rule }) => rule.name)
    assert.deepEqual(shadowed('/a/**', '/a/b', '/c'), ['/a/b'])
    assert.deepEqual(shadowed('/a/*', '/a/**'), [])
    assert.deepEqual(shadowed(['/a/**', ['POST']], '/a/b'), [])
    assert.deepEqual(shadowed(['/a/**', ['POST', 'GET']], ['/a/*', ['GET']]), ['/a/*'])
    assert.deepEqual(shadowed('/**', '/**'), ['/**'])
    const rules = new PathRules([
      { name: 'a', paths: ['/a'] },
      { name: 'b', paths: ['/b/**'] },
      { name: 'both', paths: ['/a', '/b/c', '/b/d'] },
    ])
    const [found] = rules.shadowed()
    assert.deepEqual([found?.rule.name, found?.by.map(({ name }) => name)], ['both', ['a', 'b']])
  })

  it('tell which rule holds in which reading, and agree with what is found', () => {
    const rules = named('/open/**', '/api/Admin/**', '/api/*')
    const readingsOf = (path: string) =>
      rules.readings('GET', path).map(({ as, rule }) => `${as}: ${rule?.name ?? 'none'}`)
    assert.deepEqual(readingsOf('/open/x'), ['sent: /open/**', 'any-case: /open/**'])
    assert.deepEqual(readingsOf('/api/admin'), ['sent: /api/*', 'any-case: /api/Admin/**'])
    assert.deepEqual(readingsOf('/api//Admin/x'), [
      'sent: none',
      'simplified: /api/Admin/**',
      'any-case: /api/Admin/**',
    ])
    const segment = fc.constantFrom('open', 'api', 'Admin', 'admin', 'x', '', 'a%2Fb', 'x;v=1')
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), (segments) => {
        const path = `/${segments.join('/')}`
        const held = new Set(rules.readings('GET', path).map(({ rule }) => rule?.name))
        assert.equal(find(rules, path), held.size > 1 ? 'ambiguous' : [...held][0], path)
      }),
      { numRuns: 1000 },
    )
  })
})
