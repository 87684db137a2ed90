import { corsLimits } from '../../base/limits/gateway.js'

/** An origin as browsers write it. */
interface Origin {
  /** `scheme://host`, with the port where it is not the usual one; in lower case. */
  readonly text: string
  /** With the port. */
  readonly host: string
}

const serialized = /^([a-z][a-z0-9+.-]*):\/\/((?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?)$/

/**
 * Reads the header Origin. Undefined for `null`, which pages in sandboxes of any site send, for lists, and for all
 * that no browser would write.
 */
export function readOrigin(header: string): Origin | undefined {
  if (header.length > corsLimits.originLengthMax) return undefined
  const [, scheme, host] = serialized.exec(header) ?? []
  return scheme === undefined || host === undefined ? undefined : { text: header, host }
}

const suffix = /^\*\.[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?$/
const usualPorts: Readonly<Record<string, string>> = { http: ':80', https: ':443' }

/**
 * Reads an origin of a rule: `*`, `https://app.example.com` or `*.example.com`, each with a port where it is not the
 * usual one.
 *
 * @returns The origin as it is compared: in lower case, without a port that browsers leave out. Undefined when it
 * is none of these.
 */
export function readOriginPattern(text: string): string | undefined {
  if (text.length > corsLimits.originLengthMax) return undefined
  const pattern = text.toLowerCase()
  if (pattern === '*' || suffix.test(pattern)) return pattern
  const [, scheme, host] = serialized.exec(pattern) ?? []
  if (scheme === undefined || host === undefined) return undefined
  const usualPort = usualPorts[scheme]
  return usualPort !== undefined && host.endsWith(usualPort) ? pattern.slice(0, -usualPort.length) : pattern
}

/**
 * Tells what an origin may be called in a rule besides `*`: itself, and `*.` with each end of its host behind a dot.
 * The host itself is not among them, so `*.example.com` does not let `https://example.com` in.
 */
export function* namesOf({ text, host }: Origin): Generator<string> {
  yield text
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    if (dot > 0) yield `*${host.slice(dot)}`
  }
}
