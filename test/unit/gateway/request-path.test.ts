import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import Fastify from 'fastify'
import {
  isAmbiguousElsewhere,
  isAmbiguousTarget,
  looseReading,
  rawQuery,
  routedPath,
} from '../../../src/gateway/request-path.js'

/** Pieces of which attacks on paths are made. */
const piece = fc.constantFrom(
  '/',
  'a',
  '.',
  '..',
  '%2e',
  '%2E',
  '%2f',
  '%5c',
  '%25',
  '%00',
  '%41',
  '%',
  '#',
  '\\',
  '?',
  ';',
  '%3f',
  'é',
)
const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)

it('reads paths as the router does', async () => {
  const app = Fastify({ logger: false })
  let seen = ''
  app.get('/first', async () => 'first')
  app.get('/*', async (request) => {
    seen = request.raw.url ?? ''
    return 'any'
  })
  // A path that equals a route in our eyes is taken to that route, and no other is.
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('f', '%66', 'i', 'r', '%72', 's', 't', '%74', '%2F', '%25'), { maxLength: 6 }),
      async (pieces) => {
        const url = `/${pieces.join('')}`
        const { body } = await app.inject({ method: 'GET', url })
        assert.equal(body === 'first', routedPath(url) === '/first', `${url} ${seen}`)
      },
    ),
  )
  assert.equal((await app.inject({ url: '/%66irs%74' })).body, 'first')
  await app.close()
})

it('leaves reserved characters encoded and gives back what cannot be decoded', () => {
  assert.equal(routedPath('/a%2Fb%3f%25%41?x=%41'), '/a%2Fb%3f%25A')
  assert.equal(routedPath('/%e2%82'), '/%e2%82')
  assert.equal(rawQuery('/a?b=c?d'), 'b=c?d')
  assert.equal(rawQuery('/a'), '')
})

it('lets no target pass that has a dot segment, a backslash or a fragment', () => {
  fc.assert(
    fc.property(target, (url) => {
      const path = url.split('?', 1)[0] ?? ''
      const hasDots = path
        .split('/')
        .some((segment) => /^\.{1,2}$/.test(segment.replace(/;.*/, '').replaceAll(/%2e/gi, '.')))
      assert.equal(isAmbiguousTarget(url), hasDots || /[\\#]/.test(path))
    }),
  )
})

it('lets no path go elsewhere that is another one when it is decoded once more', () => {
  fc.assert(
    fc.property(target, (url) => {
      if (isAmbiguousElsewhere(url)) return
      const path = decodeURIComponent(url.split('?', 1)[0] ?? '')
      assert.doesNotMatch(path, /\\|\0|(?:^|\/)\.\.?(?:\/|$)/)
    }),
  )
})

it('lets no path go elsewhere whose dots are encoded twice, or have parameters', () => {
  for (const url of [
    '/%252e%252e/a',
    '/a%252f..',
    '/a%252F%252e%252e%252Fb',
    '/..%3bx/a',
    '/a/..%255cb',
    '/.;/a',
  ])
    assert.equal(isAmbiguousElsewhere(url), true, url)
  for (const url of ['/100%25', '/a%2520b', '/a;b=..', '/..a;b', '/a%252fb', '/%252e%252e%252e/a'])
    assert.equal(isAmbiguousElsewhere(url), false, url)
})

it('reads a path as loosely as any server behind may', () => {
  const cases = {
    '/a%2Fb': '/a/b',
    '/a;x=1/b;y': '/a/b',
    '//a///b': '/a/b',
    '/a/%2f;c/%2Fb': '/a/b',
    '/a/b': '/a/b',
    '/a/b/': '/a/b',
    '/a/b%2f': '/a/b',
    '/a/b/;x': '/a/b',
    '/': '/',
    '//': '/',
  }
  for (const [path, read] of Object.entries(cases)) assert.equal(looseReading(path), read)
})
