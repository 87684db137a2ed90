const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Tells whether a text is an address that issuers may be asked at: one with https, or with http at this machine, without
 * a password and a fragment. What comes unprotected is anybody's who stands in between.
 */
export function isIssuerAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password, hash } = new URL(text)
  if (username !== '' || password !== '' || hash !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname))
}
