import assert from 'node:assert/strict'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  checkResponseHeader,
  checkResponseHeaderCount,
} from '../../../../src/capabilities/http/header-rules.js'

describe('a header of a response', () => {
  it('is blocked when it belongs to the host, in any spelling', () => {
    const names = [
      'access-control-allow-origin',
      'Access-Control-Max-Age',
      'access_control_allow_origin',
      'ACCESS-CONTROL-Anything',
      'Set-Cookie',
      'set_cookie',
      ' Set-Cookie',
      'Set-Cookie\r\n',
      'Transfer-Encoding',
      'TRANSFER-encoding ',
      'content_length',
      'Content-Length',
      'Host',
      'Connection',
      'Cache-Control',
      'Keep-Alive',
      'TE',
      'Trailer',
      'Upgrade',
      'Proxy-Authenticate',
      'proxy_connection',
      'X-Content-Type-Options',
      'x_frame_options',
      'X-Request-ID',
      'Strict-Transport-Security',
      'Content-Security-Policy',
      'Server',
      'Date',
      'Clear-Site-Data',
      'Alt-Svc',
    ]
    for (const name of names) assert.equal(checkResponseHeader(name, 'x'), 'blocked', name)
  })

  it('is sent when it is harmless', () => {
    for (const name of [
      'Content-Type',
      'ETag',
      'Location',
      'X-Total',
      'x_total',
      'Retry-After',
      'Hostname',
    ]) {
      assert.equal(checkResponseHeader(name, 'a\tvalue; é="1"'), 'ok', name)
    }
    assert.equal(checkResponseHeader('X-Empty', ''), 'ok')
  })

  it('is an error when its name is no token', () => {
    for (const name of ['', ' ', 'X: y', 'X\r\nY', ':status', 'X Y', 'Ünïcode', 'X\0']) {
      assert.match(checkResponseHeader(name, 'x'), /^invalid response header name/, JSON.stringify(name))
    }
  })

  it('is an error when its value could end the line or change when it is folded to bytes', () => {
    for (const value of [
      'a\r\nSet-Cookie: admin=1',
      'a\n',
      'a\r',
      '\0',
      '\u010a',
      '\u{1f600}',
      '\x7f',
      '\x1b',
    ]) {
      const text = checkResponseHeader('X-A', value)
      assert.match(text, /^invalid value of response header "X-A"/)
      assert.ok(!text.includes(value))
    }
  })

  it('has 8 KiB at most, name and value together', () => {
    assert.equal(checkResponseHeader('X-A', 'v'.repeat(8189)), 'ok')
    assert.match(checkResponseHeader('X-A', 'v'.repeat(8190)), /"X-A" has 8193 bytes; the limit is 8192/)
    assert.match(checkResponseHeader('n'.repeat(65_536), ''), /the limit is 8192/)
  })

  it('never makes Node refuse what was judged fine', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.string({ maxLength: 12 }))
    fc.assert(
      fc.property(text, text, (name, value) => {
        if (checkResponseHeader(name, value) !== 'ok') return
        validateHeaderName(name)
        validateHeaderValue(name, value)
      }),
      { numRuns: 200 },
    )
  })
})

it('a response has 100 headers at most', () => {
  assert.equal(checkResponseHeaderCount(100), undefined)
  assert.match(checkResponseHeaderCount(101) ?? '', /101 headers; the limit is 100/)
})
