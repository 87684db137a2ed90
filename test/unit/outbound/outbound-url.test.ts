import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { outboundLimits } from '../../../src/base/limits/outbound.js'
import {
  authorityOf,
  type OutboundTarget,
  readOutboundUrl,
  refusePort,
  refuseScheme,
} from '../../../src/outbound/outbound-url.js'

function target(url: string): OutboundTarget {
  const read = readOutboundUrl(url)
  assert.ok(read.ok, read.ok ? '' : read.reason)
  return read.target
}

function reason(url: string): string {
  const read = readOutboundUrl(url)
  assert.ok(!read.ok, JSON.stringify(read))
  return read.reason
}

describe('reading a URL', () => {
  it('gives its parts, normalized', () => {
    assert.deepEqual(target('HTTPS://API.Example.COM/a b/../c?q=ä#part'), {
      scheme: 'https',
      host: 'api.example.com',
      port: 443,
      path: '/c?q=%C3%A4',
    })
    assert.deepEqual(target('https://münchen.example:8443'), {
      scheme: 'https',
      host: 'xn--mnchen-3ya.example',
      port: 8443,
      path: '/',
    })
    assert.equal(target('https://[2606:4700::1]/').host, '2606:4700::1')
  })

  it('tells a host from what only looks like one', () => {
    assert.equal(target('http://127.0.0.1#@good.example/').host, '127.0.0.1')
    assert.equal(target('https://good.example\\@evil.example/').host, 'good.example')
    assert.equal(target('https://good.example/@evil.example').host, 'good.example')
    assert.equal(target('https://good.example?@evil.example').host, 'good.example')
    assert.equal(target('https://exаmple.com/').host, 'xn--exmple-4nf.com')
  })

  it('refuses userinfo', () => {
    for (const url of ['https://good.example@127.0.0.1/', 'https://a:b@c.example/', 'https://:x@c.example/'])
      assert.match(reason(url), /userinfo/, url)
  })

  it('refuses what has no scheme or host', () => {
    const texts = [
      '',
      'api.example.com/v1',
      '/v1',
      '//api.example.com',
      'https://',
      'https:',
      'https://exa mple.com',
    ]
    texts.push('file:///etc/passwd', 'data:text/plain,x', 'blob:https://a.example/x', 'unix:/run/x.sock')
    texts.push(
      'https://a.example:99999/',
      'https://[::1',
      'https://[fe80::1%eth0]/',
      'https://[fe80::1%25eth0]/',
    )
    for (const text of texts) assert.match(reason(text), /scheme and host/, text)
  })

  it('refuses control characters, a dot at the end of the host, and overlong texts', () => {
    for (const url of [
      'https://exa\tmple.com/',
      'https://example.com/\r\nX: y',
      '\nhttps://a.example/',
      'https://a.example/\0',
    ])
      assert.match(reason(url), /control character/, JSON.stringify(url))
    assert.match(reason('https://localhost./'), /ends with a dot/)
    assert.match(reason('https://127.0.0.1.%2E/'), /ends with a dot|scheme and host/)
    const longest = `https://a.example/${'x'.repeat(outboundLimits.urlCharactersMax)}`
    assert.equal(readOutboundUrl(longest.slice(0, outboundLimits.urlCharactersMax)).ok, true)
    assert.match(reason(longest.slice(0, outboundLimits.urlCharactersMax + 1)), /limit is 8192/)
  })

  it('never throws, and what it gives reads the same again', () => {
    const near = fc
      .array(
        fc.constantFrom(
          'http',
          's',
          ':',
          '/',
          '//',
          '@',
          '.',
          '[',
          ']',
          '%',
          '\\',
          '#',
          '?',
          'a',
          '1',
          '\t',
          'é',
        ),
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        const read = readOutboundUrl(text)
        if (!read.ok || read.target.scheme !== 'https') return
        const { target: first } = read
        assert.deepEqual(target(`https://${authorityOf(first)}${first.path}`), first)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the scheme of a target', () => {
  const schemes = [
    'http://a.example/',
    'ftp://a.example/',
    'gopher://a.example/',
    'ws://a.example/',
    'x-y://a.example/',
  ]

  it('is https', () => {
    assert.equal(refuseScheme(target('https://a.example/'), false), undefined)
    for (const url of [...schemes, 'http://127.0.0.1/'])
      assert.match(refuseScheme(target(url), false) ?? '', /is not allowed: use https$/, url)
  })

  it('may be http to this machine where the configuration says so, by its address only', () => {
    assert.equal(refuseScheme(target('http://127.0.0.1:3000/'), true), undefined)
    assert.equal(refuseScheme(target('http://[::1]:3000/'), true), undefined)
    for (const url of [...schemes, 'http://127.0.0.2/', 'http://localhost/', 'gopher://127.0.0.1/'])
      assert.match(refuseScheme(target(url), true) ?? '', /is not allowed/, url)
  })
})

describe('the port of a target', () => {
  it('is 443 or 8443', () => {
    for (const url of ['https://a.example/', 'https://a.example:8443/'])
      assert.equal(refusePort(target(url), false), undefined)
    for (const port of [0, 22, 25, 80, 5432, 6379, 8080, 65_535])
      assert.match(
        refusePort(target(`https://a.example:${port}/`), false) ?? '',
        /not allowed: use 443 or 8443/,
      )
  })

  it('may be any of this machine where the configuration says so', () => {
    for (const url of ['http://127.0.0.1:6379/', 'https://127.0.0.1:22/', 'http://[::1]:1/'])
      assert.equal(refusePort(target(url), true), undefined)
    for (const url of ['https://localhost:22/', 'https://127.0.0.1.example:22/', 'https://10.0.0.1:22/'])
      assert.match(refusePort(target(url), true) ?? '', /not allowed/, url)
    assert.match(refusePort(target('https://127.0.0.1:22/'), false) ?? '', /not allowed/)
  })
})
