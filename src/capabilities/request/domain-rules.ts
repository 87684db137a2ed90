import { outboundLimits } from '../../base/limits/outbound.js'
import type { Registration } from '../../sandbox/host-function.js'

/** Kind of the registrations, and of the grants, of domains. */
export const domainKind = 'domain'

const allowedCharacters = /^[a-z0-9.-]*$/

/** Checks a domain in lower case; undefined means that it is fine, a text says what is wrong. */
export function checkDomain(domain: string): string | undefined {
  const reason = domainFault(domain)
  if (reason === undefined) return undefined
  return `invalid domain ${JSON.stringify(domain.slice(0, outboundLimits.domainCharactersMax))}: ${reason}`
}

function domainFault(domain: string): string | undefined {
  if (domain === '') return 'it is empty'
  if (domain.length > outboundLimits.domainCharactersMax) {
    return `it has ${domain.length} characters; the limit is ${outboundLimits.domainCharactersMax}`
  }
  if (domain.includes('://')) return 'it must not have a scheme'
  if (domain.includes('/')) return 'it must not have a path'
  if (domain.includes(':')) return 'it must not have a port: an approval is for all ports that are allowed'
  if (domain.includes('*')) return 'it must not have a wildcard: register each host'
  if (!allowedCharacters.test(domain)) return 'it may only have letters, digits, "." and "-"'
  if (!domain.includes('.')) return 'it needs at least one dot'
  return domain === canonicalHost(domain) ? undefined : 'no URL has this host; write it as it stands in a URL'
}

/** How a URL with this host spells it; undefined when none can have it. */
function canonicalHost(domain: string): string | undefined {
  const url = `https://${domain}/`
  const host = URL.canParse(url) ? new URL(url).hostname : undefined
  // Trailing dots and empty labels survive the parser, but never match a name that requests are sent to.
  return host?.split('.').every((label) => label !== '' && label.length <= 63) === true ? host : undefined
}

/** Tells whether a domain is among the registrations, and how many there are. */
export function domainsOf(registrations: readonly Registration[]): ReadonlySet<string> {
  return new Set(registrations.filter(({ kind }) => kind === domainKind).map(({ key }) => key))
}
