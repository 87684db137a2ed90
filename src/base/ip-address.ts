import { isIPv4, isIPv6, SocketAddress } from 'node:net'

const mappedPrefix = '::ffff:'

/**
 * Reads an IP address in any spelling and gives its one canonical text: IPv4 dotted, also for IPv4-mapped IPv6;
 * IPv6 in lower case, shortened, without a zone. Undefined when the text is no address.
 */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text
  // The usual spelling of IPv4 clients on a socket that listens on both families.
  if (text.startsWith(mappedPrefix) && isIPv4(text.slice(mappedPrefix.length)))
    return text.slice(mappedPrefix.length)
  if (!isIPv6(text)) return undefined
  const zone = text.indexOf('%')
  const address = zone < 0 ? text : text.slice(0, zone)
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address
  const mapped = canonical.startsWith(mappedPrefix) ? canonical.slice(mappedPrefix.length) : ''
  return isIPv4(mapped) ? mapped : canonical
}

/**
 * Gives the network that one client controls: an IPv4 address itself, of an IPv6 address the first 64 bits as
 * `2001:db8:0:1::/64`. A limit that counts by IPv6 addresses stops nobody, as each subscriber has 2^64 of them.
 *
 * @param ip What `canonicalIp` gave; any other text is given back.
 */
export function clientNetwork(ip: string): string {
  if (!ip.includes(':')) return ip
  const [head = '', tail] = ip.split('::')
  const left = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    // "::a:b" stands for zeros up to eight groups; a dotted end counts as two.
    const right = tail === '' ? [] : tail.split(':')
    const rightGroups = right.length + (tail.includes('.') ? 1 : 0)
    left.push(...Array<string>(Math.max(0, 8 - left.length - rightGroups)).fill('0'), ...right)
  }
  return `${left.slice(0, 4).join(':')}::/64`
}
