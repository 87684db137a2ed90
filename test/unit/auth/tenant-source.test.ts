import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTenantSource, tenantOf } from '../../../src/auth/tenant-source.js'
import { routedPath } from '../../../src/gateway/request-path.js'

const named = (source: string, target: string, headers: Record<string, string | string[]> = {}) => {
  const from = parseTenantSource(source) ?? assert.fail(`${source} is no source`)
  const [, query = ''] = target.split('?')
  return tenantOf(from, { headers, query, path: routedPath(target) } as never)
}

test('a tenant that is named twice is nobody’s', () => {
  assert.equal(named('query:tenant', '/x?tenant=acme'), 'acme')
  assert.equal(named('query:tenant', '/x'), undefined)
  assert.equal(named('query:tenant', '/x?tenant=acme&tenant=other'), 'acme,other')
  assert.equal(named('query:tenant', '/x?tenant='), '')
  assert.equal(named('header:X-Tenant-Id', '/x', { 'x-tenant-id': 'acme' }), 'acme')
  assert.equal(named('header:x-tenant-id', '/x', { 'x-tenant-id': ['acme', 'other'] }), 'acme,other')
})

test('a segment without text is nobody’s, since servers behind may join slashes', () => {
  assert.equal(named('segment:2', '/tenants/acme/data'), 'acme')
  assert.equal(named('segment:2', '/tenants'), undefined)
  for (const target of ['/tenants//acme/data', '/tenants/', '/tenants//'])
    assert.equal(named('segment:2', target), '', target)
})

test('a segment is read as handlers get it, so that no tenant is called like the spelling of another', () => {
  assert.equal(named('segment:2', '/tenants/a%40b/data'), 'a@b')
  assert.equal(named('segment:2', '/tenants/a%2540b/data'), 'a%40b')
  assert.equal(named('segment:2', '/tenants/acme%2f..%2fother'), 'acme/../other')
  assert.equal(named('segment:2', '/tenants/%ff/data'), '%ff')
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (tenant) => {
      assert.equal(named('segment:2', `/tenants/${encodeURIComponent(tenant)}/data`), tenant)
    }),
  )
})
