import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RouteTable, type ServedRoute } from '../../../src/plugins/route-table.js'

function table(...keys: string[]): RouteTable {
  return RouteTable.create(
    keys.map((key) => {
      const [method = '', path = ''] = key.split(' ')
      return { key, method: method as ServedRoute['method'], path, public: false, approved: true }
    }),
  )
}

function found(routes: RouteTable, method: string, path: string) {
  const match = routes.find(method, path)
  return match && { key: match.route.key, params: { ...match.params }, path: match.path }
}

describe('a route table', () => {
  it('finds literal paths exactly', () => {
    const routes = table('GET /', 'GET /tasks', 'POST /tasks')
    assert.deepEqual(found(routes, 'GET', '/tasks'), { key: 'GET /tasks', params: {}, path: '/tasks' })
    assert.equal(found(routes, 'POST', '/tasks')?.key, 'POST /tasks')
    assert.equal(routes.find('PUT', '/tasks'), undefined)
    assert.equal(routes.find('POST', '/Tasks'), undefined)
    assert.equal(routes.find('POST', '/tasks/'), undefined)
    assert.equal(routes.find('POST', '/task'), undefined)
    assert.equal(routes.find('POST', ''), undefined)
  })

  it('decodes parameters and the path, each once', () => {
    const routes = table('GET /tasks/{id}')
    assert.deepEqual(found(routes, 'GET', '/tasks/a%20b'), {
      key: 'GET /tasks/{id}',
      params: { id: 'a b' },
      path: '/tasks/a b',
    })
    assert.deepEqual(found(routes, 'GET', '/tasks/%C3%A9')?.params, { id: 'é' })
    assert.deepEqual(found(routes, 'GET', '/tasks/%2541')?.params, { id: '%41' })
    assert.deepEqual(found(routes, 'GET', '/tasks/a%2Fb')?.params, { id: 'a/b' })
    assert.deepEqual(found(routes, 'GET', '/tasks/a+b')?.params, { id: 'a+b' })
    assert.deepEqual(found(routes, 'GET', '/tasks/x%0d%0ay')?.params, { id: 'x\r\ny' })
    assert.equal(found(routes, 'GET', '/%74asks/1')?.key, 'GET /tasks/{id}')
  })

  it('gives parameters without a prototype', () => {
    const routes = table('GET /{__proto__}/{constructor}', 'GET /plain')
    const params = routes.find('GET', '/a/b')?.params ?? {}
    assert.equal(Object.getPrototypeOf(params), null)
    assert.deepEqual(Object.entries(params), [
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
    assert.equal(Object.getPrototypeOf(routes.find('GET', '/plain')?.params), null)
  })

  it('does not match a parameter with nothing or with two segments', () => {
    const routes = table('GET /tasks/{id}')
    for (const path of ['/tasks', '/tasks/', '/tasks/1/', '/tasks/1/2']) {
      assert.equal(routes.find('GET', path), undefined, path)
    }
  })

  it('matches all further segments with a rest, also none', () => {
    const routes = table('GET /files/{path...}')
    assert.deepEqual(found(routes, 'GET', '/files/a/b%20c')?.params, { path: 'a/b c' })
    assert.deepEqual(found(routes, 'GET', '/files/a/')?.params, { path: 'a/' })
    assert.deepEqual(found(routes, 'GET', '/files/')?.params, {})
    assert.equal(routes.find('GET', '/files'), undefined)
  })

  it('serves a whole subtree under a final slash', () => {
    const routes = table('GET /docs/')
    for (const path of ['/docs/', '/docs/a', '/docs/a/b/']) {
      assert.deepEqual(found(routes, 'GET', path), { key: 'GET /docs/', params: {}, path })
    }
    assert.equal(routes.find('GET', '/docs'), undefined)
    assert.equal(found(table('GET /'), 'GET', '/any/thing')?.key, 'GET /')
  })

  it('prefers the most specific route at each segment and steps back where it leads nowhere', () => {
    const routes = table(
      'GET /',
      'GET /{a}/{b...}',
      'GET /{a}/x',
      'GET /t/{id}/done',
      'GET /t/new',
      'GET /t/{id}',
    )
    const expected: Record<string, string> = {
      '/t/new': 'GET /t/new',
      '/t/7': 'GET /t/{id}',
      '/t/7/done': 'GET /t/{id}/done',
      '/t/new/done': 'GET /t/{id}/done',
      '/t/7/other': 'GET /{a}/{b...}',
      '/u/x': 'GET /{a}/x',
      '/u/y': 'GET /{a}/{b...}',
      '/u': 'GET /',
    }
    for (const [path, key] of Object.entries(expected))
      assert.equal(found(routes, 'GET', path)?.key, key, path)
    assert.deepEqual(found(routes, 'GET', '/t/7/other')?.params, { a: 't', b: '7/other' })
  })

  it('answers HEAD with GET routes, and no other method', () => {
    const routes = table('GET /a', 'POST /b')
    assert.equal(found(routes, 'HEAD', '/a')?.key, 'GET /a')
    assert.equal(routes.find('HEAD', '/b'), undefined)
    for (const method of ['OPTIONS', 'TRACE', 'get', '__proto__', 'constructor']) {
      assert.equal(routes.find(method, '/a'), undefined, method)
    }
  })

  it('matches nothing for paths that could be read in two ways', () => {
    const routes = table('GET /', 'GET /a/{x}', 'GET /a/{x}/{y...}')
    const paths = [
      '//',
      '/a//b',
      '/a/b//',
      '//a/b',
      '/a/..',
      '/a/../b',
      '/a/.',
      '/./a/b',
      '/a/%2e%2e/b',
      '/a/%2E',
      '/a/.%2e',
      '/a/b%2f..%2fc',
      '/a/..%2f',
      '/a/%',
      '/a/%zz',
      '/a/%c3',
      '/a/%ff',
      '/a/%00',
      '/a/x%00y',
      '/a/b#c',
      '/a/b\\c',
      '/a/é',
      '/a/b c',
      'a/b',
    ]
    for (const path of paths) assert.equal(routes.find('GET', path), undefined, path)
    assert.equal(found(routes, 'GET', '/a/..;')?.key, 'GET /a/{x}')
    assert.equal(found(routes, 'GET', '/a/...')?.key, 'GET /a/{x}')
  })

  it('tells routes that are not approved from those that are, without matching differently', () => {
    const routes = RouteTable.create([
      { key: 'GET /a/new', method: 'GET', path: '/a/new', public: true, approved: false },
      { key: 'GET /a/{x}', method: 'GET', path: '/a/{x}', public: true, approved: true },
    ])
    assert.equal(routes.find('GET', '/a/new')?.route.approved, false)
    assert.equal(routes.find('GET', '/a/old')?.route.approved, true)
    assert.equal(routes.routes.length, 2)
  })

  it('refuses a path without a meaning and is empty without routes', () => {
    assert.throws(() => table('GET /{a'), /invalid route path/)
    assert.equal(RouteTable.create([]).find('GET', '/'), undefined)
  })

  it('gives any parameter text back as it was encoded', () => {
    const routes = table('GET /x/{value}/end')
    const dots = (text: string) => text.split('/').some((piece) => piece === '.' || piece === '..')
    const value = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((text) => !text.includes('\0') && !dots(text))
    fc.assert(
      fc.property(value, (text) => {
        assert.equal(routes.find('GET', `/x/${encodeURIComponent(text)}/end`)?.params.value, text)
      }),
      { numRuns: 200 },
    )
  })

  it('never throws, whatever the path', () => {
    const routes = table('GET /', 'GET /a/{x}', 'GET /a/{x}/{y...}')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (path) => {
        const match = routes.find('GET', `/${path}`)
        if (match !== undefined)
          assert.ok(!match.path.includes('\0') && !match.path.split('/').includes('..'))
      }),
      { numRuns: 200 },
    )
  })
})
