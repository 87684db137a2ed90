import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  checkAgainstRoutes,
  checkRouteMethod,
  checkRoutePath,
  type RouteDeclaration,
  routeKey,
  routesOf,
} from '../../../../src/capabilities/http/route-rules.js'

function route(method: RouteDeclaration['method'], path: string): RouteDeclaration {
  return { key: routeKey(method, path), method, path, public: false }
}

describe('the method of a route', () => {
  it('is one of five, in upper case', () => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'])
      assert.equal(checkRouteMethod(method), undefined)
    for (const method of ['get', 'HEAD', 'OPTIONS', 'TRACE', '', ' GET', 'GET\r\n']) {
      assert.match(checkRouteMethod(method) ?? '', /^invalid HTTP method /)
    }
  })
})

describe('the path of a route', () => {
  it('may have literals, parameters, a rest and a final slash', () => {
    const fine = ['/', '/a', '/a/', '/a.b_c-D/1', '/{id}', '/a/{id}/b/{other}', '/{path...}', '/a/{_p1...}']
    for (const path of fine) assert.equal(checkRoutePath(path), undefined, path)
  })

  it('is refused with the reason when it has no clear meaning', () => {
    const faults: readonly (readonly [string, RegExp])[] = [
      ['', /empty/],
      ['a', /start with "\/"/],
      ['/a?b', /"\?"/],
      ['/a#b', /"#"/],
      ['/../a', /"\.\."/],
      ['/a..b', /"\.\."/],
      ['/a b', /letters, digits/],
      ['/é', /letters, digits/],
      ['/a%20b', /letters, digits/],
      ['/a//b', /empty segment/],
      ['//', /empty segment/],
      ['/./a', /cannot be a segment/],
      ['/{id', /one whole segment/],
      ['/id}', /one whole segment/],
      ['/{}', /one whole segment/],
      ['/{1a}', /one whole segment/],
      ['/{a-b}', /one whole segment/],
      ['/{{a}}', /one whole segment/],
      ['/x{id}', /one whole segment/],
      ['/{id}.json', /one whole segment/],
      ['/{a}{b}', /one whole segment/],
      ['/{id}/{id}', /stands in it twice/],
      ['/{id}/{id...}', /stands in it twice/],
      ['/{path...}/x', /must be the last/],
      ['/{path...}/', /must be the last/],
    ]
    for (const [path, reason] of faults) {
      const text = checkRoutePath(path) ?? ''
      assert.match(text, /^invalid route path /, path)
      assert.match(text, reason, path)
    }
  })

  it('has 256 bytes at most', () => {
    assert.equal(checkRoutePath(`/${'a'.repeat(255)}`), undefined)
    assert.match(
      checkRoutePath(`/${'a'.repeat(256)}`) ?? '',
      /invalid route path .*257 bytes; the limit is 256/,
    )
  })
})

describe('a route beside others', () => {
  it('is a duplicate when method and path are the same, and not when the method differs', () => {
    assert.match(
      checkAgainstRoutes(route('GET', '/x'), [route('GET', '/x')], 50) ?? '',
      /duplicate route "GET \/x"/,
    )
    assert.equal(checkAgainstRoutes(route('POST', '/x'), [route('GET', '/x')], 50), undefined)
  })

  it('is refused beyond the limit, after the check for duplicates', () => {
    const full = [route('GET', '/a'), route('GET', '/b')]
    assert.match(checkAgainstRoutes(route('GET', '/c'), full, 2) ?? '', /maximum route limit .* 2 routes/)
    assert.match(checkAgainstRoutes(route('GET', '/a'), full, 2) ?? '', /duplicate route/)
    assert.equal(checkAgainstRoutes(route('GET', '/c'), full, 3), undefined)
  })

  it('is refused, with both names, when a request could match two routes of equal rank', () => {
    const conflicts = [
      ['/items/{id}', '/items/{name}'],
      ['/a/{x}', '/{y}/b'],
      ['/files/', '/files/{path...}'],
      ['/{a}/x/{r...}', '/y/{b}/{c}'],
      ['/a/{x...}', '/{y}/b'],
    ]
    for (const [one = '', other = ''] of conflicts) {
      for (const [first, second] of [
        [one, other],
        [other, one],
      ] as const) {
        const text = checkAgainstRoutes(route('GET', second), [route('GET', first)], 50) ?? ''
        assert.match(text, /^conflicting routes /)
        assert.ok(text.includes(`"GET ${first}"`) && text.includes(`"GET ${second}"`), text)
      }
      assert.equal(checkAgainstRoutes(route('PUT', other), [route('GET', one)], 50), undefined)
    }
  })

  it('is fine when it is more specific, more general or apart', () => {
    const friends = [
      ['/items/{id}', '/items/new'],
      ['/items/{id}', '/items/{id}/'],
      ['/items', '/items/'],
      ['/', '/{x}'],
      ['/', '/{x}/y/{z...}'],
      ['/a/{x}', '/b/{y}'],
      ['/{a}/x', '/{b}/y'],
      ['/a/{x...}', '/{y}/{z...}'],
    ]
    for (const [one = '', other = ''] of friends) {
      assert.equal(
        checkAgainstRoutes(route('GET', one), [route('GET', other)], 50),
        undefined,
        `${one} ${other}`,
      )
      assert.equal(
        checkAgainstRoutes(route('GET', other), [route('GET', one)], 50),
        undefined,
        `${other} ${one}`,
      )
    }
  })
})

it('routes are picked out of all that a plugin registered', () => {
  const routes = routesOf([
    { kind: 'middleware', key: '1', data: {} },
    { kind: 'route', key: 'GET /a', data: { method: 'GET', path: '/a', public: true } },
    { kind: 'route', key: 'PUT /b', data: { method: 'PUT', path: '/b', public: 'yes' } },
  ])
  assert.deepEqual(routes, [
    { key: 'GET /a', method: 'GET', path: '/a', public: true },
    { key: 'PUT /b', method: 'PUT', path: '/b', public: false },
  ])
})
