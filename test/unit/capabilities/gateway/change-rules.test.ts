import assert from 'node:assert/strict'
import { it } from 'node:test'
import { checkRequestHeader } from '../../../../src/capabilities/gateway/change-rules.js'

it('lets no stage make another method, path or sender of a request for servers behind, but take that out', () => {
  const names = [
    'X-HTTP-Method-Override',
    'x_http_method_override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X-Original-URL',
    'x-original-uri',
    'X-Rewrite-URL',
    'True-Client-IP',
    'CF-Connecting-IP',
    'X_Client_IP',
  ]
  for (const name of names) {
    assert.match(String(checkRequestHeader(name, 'DELETE')), /cannot set the request header/, name)
    assert.match(String(checkRequestHeader(name, '')), /cannot set the request header/, name)
    assert.equal(checkRequestHeader(name, undefined), undefined, name)
  }
  assert.equal(checkRequestHeader('x-method', 'GET'), undefined)
})
