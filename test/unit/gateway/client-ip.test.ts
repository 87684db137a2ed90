import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { clientIpLimits } from '../../../src/base/limits/server.js'
import { createClientIp } from '../../../src/gateway/client-ip.js'

const clientIp = createClientIp({ trustedProxies: ['10.0.0.0/8', '192.0.2.7', 'fd00::/8'] })
const proxy = '10.0.0.1'

test('without trusted proxies the header is never believed', () => {
  const direct = createClientIp({ trustedProxies: [] })
  assert.equal(direct('203.0.113.9', '198.51.100.1'), '203.0.113.9')
  assert.equal(direct('127.0.0.1', '198.51.100.1'), '127.0.0.1')
})

test('a peer that is no proxy of ours is not believed', () => {
  assert.equal(clientIp('203.0.113.9', '198.51.100.1'), '203.0.113.9')
  assert.equal(clientIp('192.0.2.8', '198.51.100.1'), '192.0.2.8')
})

const readings: readonly (readonly [string, string | undefined, string])[] = [
  ['no header', undefined, proxy],
  ['an empty header', '', proxy],
  ['one entry', '198.51.100.1', '198.51.100.1'],
  ['an entry that the client made up', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
  ['a chain of our proxies', '1.1.1.1, 198.51.100.1, 10.1.1.1,192.0.2.7', '198.51.100.1'],
  ['only our proxies', '10.2.2.2, 192.0.2.7', proxy],
  ['entries that are no addresses', '198.51.100.1, unknown, _x, 256.1.1.1, ,', '198.51.100.1'],
  ['nothing readable', 'unknown,,; for=1.2.3.4', proxy],
  ['a port', '198.51.100.1:4711', '198.51.100.1'],
  ['IPv6', '2001:DB8:0:0::1', '2001:db8::1'],
  ['brackets', '[2001:db8::1]', '2001:db8::1'],
  ['brackets and a port', '[2001:db8::1]:443', '2001:db8::1'],
  ['a trusted IPv6 proxy', '2001:db8::1, [fd12::1]:80', '2001:db8::1'],
  ['IPv4 in IPv6', '::ffff:198.51.100.1', '198.51.100.1'],
  ['a trusted IPv4 in IPv6', '198.51.100.1, ::ffff:a01:203', '198.51.100.1'],
  ['IPv4 in brackets, which is no address', '198.51.100.1, [1.2.3.4]', '198.51.100.1'],
  ['leading zeros, which some read as octal', '198.51.100.1, 010.0.0.9', '198.51.100.1'],
  ['a zone', 'fe80::1%eth0', 'fe80::1'],
]
for (const [name, header, expected] of readings) {
  test(`from a trusted proxy, ${name} gives ${expected}`, () => {
    assert.equal(clientIp(proxy, header), expected)
  })
}

test('a proxy is recognised when its address is IPv4 in IPv6', () => {
  assert.equal(clientIp('::ffff:10.0.0.1', '198.51.100.1'), '198.51.100.1')
  assert.equal(clientIp('::ffff:203.0.113.9', '198.51.100.1'), '203.0.113.9')
})

test('a socket without address is unknown, and not believed', () => {
  const everyone = createClientIp({ trustedProxies: ['0.0.0.0/0', '::/0'] })
  assert.equal(everyone(undefined, '198.51.100.1'), 'unknown')
  assert.equal(everyone('', undefined), 'unknown')
})

test('entries beyond the limit are not looked at', () => {
  const chain = (proxies: number) => ['198.51.100.1', ...Array<string>(proxies).fill('10.9.9.9')].join(',')
  assert.equal(clientIp(proxy, chain(clientIpLimits.forwardedEntriesMax - 1)), '198.51.100.1')
  assert.equal(clientIp(proxy, chain(clientIpLimits.forwardedEntriesMax)), proxy)
  assert.equal(clientIp(proxy, `198.51.100.1${','.repeat(1_000_000)}`), proxy)
})

test('blocks hold their ends and nothing beside them', () => {
  const oneBlock = createClientIp({ trustedProxies: [' 172.16.0.0/12 ', '::ffff:198.18.0.0/111'] })
  const trusts = (peer: string) => oneBlock(peer, '1.1.1.1') === '1.1.1.1'
  assert.ok(trusts('172.16.0.0') && trusts('172.31.255.255'))
  assert.ok(!trusts('172.15.255.255') && !trusts('172.32.0.0'))
  assert.ok(trusts('198.18.0.0') && trusts('198.19.255.255'))
  assert.ok(!trusts('198.17.255.255') && !trusts('198.20.0.0'))
})

const invalid = [
  '',
  'localhost',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '10.0.0/8',
  '::/129',
]
for (const entry of [
  ...invalid,
  '10.0.0.0/0x8',
  '10.0.0.0/ 8',
  '300.0.0.0/8',
  'fe80::1%eth0/64',
  '::ffff:10.0.0.0/8',
]) {
  test(`the trusted proxy ${JSON.stringify(entry)} is refused by name`, () => {
    assert.throws(
      () => createClientIp({ trustedProxies: ['10.0.0.0/8', entry] }),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error)
        assert.equal(error.code, 'TRUSTED_PROXY_INVALID')
        assert.ok(error.message.includes(`"${entry}"`))
        return true
      },
    )
  })
}

test('whatever a client writes, the entry that our proxy appended wins', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.ipV4(), (madeUp, appended) => {
      fc.pre(!appended.startsWith('10.') && appended !== '192.0.2.7')
      assert.equal(clientIp(proxy, `${madeUp}, ${appended}`), appended)
    }),
    { numRuns: 200 },
  )
})
