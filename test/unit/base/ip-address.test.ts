import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalIp, clientNetwork } from '../../../src/base/ip-address.js'

test('an address in any spelling has one canonical text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const canonical = canonicalIp(text)
      assert.ok(canonical !== undefined && isIP(canonical) !== 0)
      assert.equal(canonicalIp(canonical), canonical)
      assert.equal(canonicalIp(text.toUpperCase()), canonical)
    }),
    { numRuns: 200 },
  )
})

test('a text that is no address has none', () => {
  for (const text of ['', ' ', 'x', '1.2.3', '1.2.3.4 ', '01.2.3.4', '::1::', '[::1]', '1.2.3.4/8']) {
    assert.equal(canonicalIp(text), undefined, text)
  }
})

test('a client is its IPv4 address, or the first 64 bits of its IPv6 address', () => {
  const networks: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['unknown', 'unknown'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['::1.2.3.4', '0:0:0:0::/64'],
    ['::2:3:4:5:6:7', '0:0:2:3::/64'],
  ]
  for (const [ip, network] of networks) assert.equal(clientNetwork(ip), network)
})

test('addresses share a network exactly when their first four groups are equal', () => {
  const group = fc.constantFrom(0, 1, 0xffff)
  const groups = fc.array(group, { minLength: 8, maxLength: 8 })
  const text = (parts: readonly number[]) => parts.map((part) => part.toString(16)).join(':')
  const networkOf = (parts: readonly number[]) => clientNetwork(canonicalIp(text(parts)) ?? '')
  // The blocks of IPv4 in IPv6 are IPv4 addresses.
  const isMapped = (parts: readonly number[]) =>
    parts.slice(0, 5).every((part) => part === 0) && parts[5] === 0xffff
  fc.assert(
    fc.property(groups, groups, (a, b) => {
      fc.pre(!isMapped(a) && !isMapped(b))
      assert.equal(networkOf(a) === networkOf(b), text(a.slice(0, 4)) === text(b.slice(0, 4)))
    }),
    { numRuns: 200 },
  )
})
