import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { outboundLimits } from '../../../src/base/limits/outbound.js'
import { isBlockedRequestHeader, RequestHeaders } from '../../../src/outbound/request-headers.js'

function compose(given: Readonly<Record<string, string>>): RequestHeaders {
  const composed = RequestHeaders.compose({
    given: Object.entries(given),
    defaults: { 'user-agent': 'default' },
    forced: { 'x-request-id': 'r1' },
  })
  assert.ok(composed.ok, composed.ok ? '' : composed.reason)
  return composed.headers
}

function refusal(given: readonly (readonly [string, string])[]): string {
  const composed = RequestHeaders.compose({ given, defaults: {}, forced: {} })
  assert.ok(!composed.ok, JSON.stringify(composed))
  return composed.reason
}

describe('the headers of a request', () => {
  it('are the defaults, then the plugin, then what the host insists on', () => {
    assert.deepEqual(compose({ 'X-A': '1', 'User-Agent': 'mine', 'X-Request-Id': 'forged' }).entries, [
      ['user-agent', 'mine'],
      ['x-a', '1'],
      ['x-request-id', 'r1'],
    ])
    assert.equal(compose({}).get('user-agent'), 'default')
    assert.equal(compose({}).get('x-a'), undefined)
  })

  it('leave out what belongs to the connection, the host or proxies, in every spelling', () => {
    const names = [
      'Host',
      'HOST',
      'Connection',
      'Keep-Alive',
      'Content-Length',
      'Transfer-Encoding',
      'TE',
      'Trailer',
    ]
    names.push('Upgrade', 'Expect', 'Proxy-Authorization', 'proxy-connection', 'Proxy-', 'X-Forwarded-For')
    names.push('X-Forwarded-Host', 'x_forwarded_for', 'Transfer_Encoding', 'Forwarded', 'X-Real-IP', 'Via')
    names.push('Accept-Encoding', 'X-Request-ID', 'HTTP2-Settings', ' host', 'host ', 'host\t')
    for (const name of names) {
      assert.equal(isBlockedRequestHeader(name), true, name)
      assert.deepEqual(compose({ [name]: 'x' }).entries, compose({}).entries)
    }
    for (const name of ['Authorization', 'Accept', 'Cookie', 'Content-Type', 'Hosts', 'X-Host'])
      assert.equal(isBlockedRequestHeader(name), false, name)
  })

  it('never carry a line end, whatever the plugin sends', () => {
    for (const value of ['a\r\nX: y', 'a\nb', 'a\rb', 'a\0b', '\u007f'])
      assert.match(refusal([['x-a', value]]), /invalid value of request header "x-a"/)
    for (const name of ['', 'a b', 'a:b', 'a\r\nb', 'ä', 'a\0'])
      assert.match(refusal([[name, 'x']]), /invalid request header name/)
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), (name, value) => {
        const composed = RequestHeaders.compose({ given: [[name, value]], defaults: {}, forced: {} })
        if (!composed.ok) return
        for (const unit of [...composed.headers.entries.flat().join('')].map(
          (each) => each.codePointAt(0) ?? 0,
        ))
          assert.ok(unit === 9 || (unit >= 32 && unit !== 127 && unit <= 255), String(unit))
      }),
      { numRuns: 1000 },
    )
  })

  it('carry text beyond Latin-1 as its bytes', () => {
    assert.equal(Buffer.from(compose({ 'x-a': 'Ω' }).get('x-a') ?? '', 'latin1').toString(), 'Ω')
  })

  it('are limited in number and size', () => {
    const many = Array.from(
      { length: outboundLimits.requestHeadersMax + 1 },
      (_, at) => [`x-${at}`, 'v'] as const,
    )
    assert.match(refusal(many), /65 request headers; the limit is 64/)
    assert.equal(RequestHeaders.compose({ given: many.slice(1), defaults: {}, forced: {} }).ok, true)
    const fits = 'v'.repeat(outboundLimits.requestHeaderBytesMax - 3)
    assert.equal(compose({ 'x-a': fits }).get('x-a'), fits)
    assert.match(refusal([['x-a', `${fits}v`]]), /16385 bytes; the limit is 16384/)
  })
})
