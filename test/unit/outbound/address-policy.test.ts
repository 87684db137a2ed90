import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AddressPolicy, blockedIpv4, blockedIpv6 } from '../../../src/outbound/address-policy.js'
import { readOutboundUrl } from '../../../src/outbound/outbound-url.js'

const policy = new AddressPolicy(false)
const local = new AddressPolicy(true)

/** Where a URL would go: its host as the parser gives it. */
function hostOf(url: string): string {
  const read = readOutboundUrl(url)
  assert.ok(read.ok, url)
  return read.target.host
}

/** Bits of an IPv4 address. */
const numberOf = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

const addressOf = (value: number) =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')

const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
const text = (values: readonly number[]) => values.map((value) => value.toString(16)).join(':')

describe('the address policy', () => {
  const blockedUrls = [
    // Metadata services.
    'http://169.254.169.254/latest/meta-data/',
    'http://100.100.100.200/',
    'http://[fd00:ec2::254]/',
    // Loopback and this host in every spelling that URL parsers know.
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.1/',
    'http://0177.0.0.0x1/',
    'http://127.1/',
    'http://127.0.1/',
    'http://0/',
    'http://0.0.0.0/',
    'http://①②⑦.⓪.⓪.①/',
    'http://127%2E0%2E0%2E1/',
    'https://127.0.0.1#@good.example/',
    // IPv6 that is local or holds an IPv4 address.
    'http://[::]/',
    'http://[::1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::127.0.0.1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::ffff:8.8.8.8]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[64:ff9b:1::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
    'http://[2001:db8::1]/',
    'http://[fe80::1]/',
    'http://[febf::1]/',
    'http://[fec0::1]/',
    'http://[fc00::1]/',
    'http://[fdff::1]/',
    'http://[ff02::1]/',
    'http://[100::1]/',
    'http://[3fff:fff::1]/',
    'http://[5f00::1]/',
    // The rest of the registry of IPv4.
    'http://10.255.255.255/',
    'http://172.16.0.1/',
    'http://172.31.255.255/',
    'http://192.168.0.1/',
    'http://192.0.0.1/',
    'http://192.0.2.1/',
    'http://192.88.99.1/',
    'http://198.18.0.1/',
    'http://198.19.255.255/',
    'http://198.51.100.1/',
    'http://203.0.113.1/',
    'http://224.0.0.1/',
    'http://239.255.255.255/',
    'http://240.0.0.1/',
    'http://255.255.255.255/',
  ]
  for (const url of blockedUrls) {
    it(`blocks ${url}`, () => assert.equal(policy.allows(hostOf(url)), false))
  }

  const publicAddresses = [
    ...[
      '1.1.1.1',
      '8.8.8.8',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
    ],
    ...['128.0.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.0', '192.167.255.255', '198.17.255.255'],
    ...['198.20.0.0', '223.255.255.255', '2606:4700:4700::1111', '2a00:1450:4001::200e', '2001:200::1'],
    ...['2001:4860:4860::8888', '2003::1', '3ffe::1'],
  ]
  for (const address of publicAddresses) {
    it(`allows ${address}`, () => assert.equal(policy.allows(address), true))
  }

  it('blocks what is no address, and addresses with a zone', () => {
    for (const address of [
      '',
      'localhost',
      '1.2.3',
      '1.2.3.4.5',
      '08.8.8.8',
      '[::1]',
      '2606::1%eth0',
      ' 8.8.8.8',
    ])
      assert.equal(policy.allows(address), false, address)
  })

  it('allows loopback, and only that, where the configuration does', () => {
    for (const address of ['127.0.0.1', '127.255.255.254', '::1'])
      assert.equal(local.allows(address), true, address)
    for (const address of ['10.0.0.1', '169.254.169.254', '0.0.0.0', '::', '::ffff:127.0.0.1', 'fe80::1'])
      assert.equal(local.allows(address), false, address)
  })

  it('blocks every address inside a blocked network, and none beside it', () => {
    const isInside = (value: number) =>
      blockedIpv4.some(([network, bits]) => {
        const size = 2 ** (32 - bits)
        return Math.floor(value / size) === Math.floor(numberOf(network) / size)
      })
    const anywhere = fc.integer({ min: 0, max: 0xffffffff })
    const atEdges = fc
      .constantFrom(...blockedIpv4)
      .chain(([network, bits]) =>
        fc.constantFrom(
          numberOf(network) - 1,
          numberOf(network),
          numberOf(network) + 2 ** (32 - bits) - 1,
          numberOf(network) + 2 ** (32 - bits),
        ),
      )
      .filter((value) => value >= 0 && value <= 0xffffffff)
    fc.assert(
      fc.property(fc.oneof(anywhere, atEdges), (value) => {
        assert.equal(policy.allows(addressOf(value)), !isInside(value), addressOf(value))
      }),
      { numRuns: 3000 },
    )
  })

  it('blocks every address of IPv6 outside 2000::/3, whatever the rest of it', () => {
    fc.assert(
      fc.property(groups, (values) => {
        const [first = 0] = values
        if (first >> 13 !== 1) assert.equal(policy.allows(text(values)), false, text(values))
      }),
      { numRuns: 2000 },
    )
  })

  it('blocks the special networks inside it, whatever the rest of the address', () => {
    const heads = {
      '2001::': [0x2001, 0],
      '2001:db8::': [0x2001, 0xdb8],
      '2002::': [0x2002],
      '3fff::': [0x3fff, 0],
    }
    assert.deepEqual(
      Object.keys(heads),
      blockedIpv6.map(([network]) => network),
    )
    for (const head of Object.values(heads)) {
      fc.assert(
        fc.property(groups, (values) => {
          const address = text([...head, ...values].slice(0, 8))
          assert.equal(policy.allows(address), false, address)
        }),
        { numRuns: 200 },
      )
    }
  })

  it('judges every spelling of an IPv4 address in a URL like the dotted one', () => {
    const spellings = [
      (value: number) => String(value),
      (value: number) => `0x${value.toString(16)}`,
      (value: number) => `0${value.toString(8)}`,
      (value: number) => `${Math.floor(value / 2 ** 24)}.${value % 2 ** 24}`,
      (value: number) => `0x${Math.floor(value / 2 ** 24).toString(16)}.0${(value % 2 ** 24).toString(8)}`,
    ]
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(...spellings), (value, spell) => {
        assert.equal(hostOf(`https://${spell(value)}/`), addressOf(value))
      }),
    )
  })
})
