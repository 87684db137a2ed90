import { corsLimits } from '../../base/limits/gateway.js'

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Tells whether a text can be the name of a header, of a bounded length. */
export function isHeaderName(text: string): boolean {
  return text.length <= corsLimits.headerNameLengthMax && token.test(text)
}

/**
 * Reads what a preflight asks for.
 *
 * @param header Access-Control-Request-Headers; undefined when it is absent.
 * @returns The names as they were sent, joined by `, `; undefined when there is none, or when one could be none.
 */
export function readRequestedHeaders(header: string | undefined): string | undefined {
  if (header === undefined || header.length > corsLimits.requestedHeadersLengthMax) return undefined
  const names = header.split(',').map((name) => name.trim())
  return names.every(isHeaderName) ? names.join(', ') : undefined
}

/**
 * Adds the name of a request header to a value of Vary, unless it is there.
 *
 * @param vary Undefined when there is none yet.
 */
export function addToVary(vary: string | undefined, name: string): string {
  if (vary === undefined || vary.trim() === '') return name
  if (vary === name) return vary
  const named = vary.split(',').map((each) => each.trim().toLowerCase())
  return named.includes('*') || named.includes(name.toLowerCase()) ? vary : `${vary}, ${name}`
}
