import { validateHeaderName, validateHeaderValue } from 'node:http'
import { proxyLimits } from '../../base/limits/gateway.js'
import { ruleIncomplete, ruleInvalid } from './errors.js'
import { identityHeaderName } from './identity-header.js'
import { compilePattern, type Pattern } from './pattern.js'
import { type ProxyRule, type PublicRoutes, type RuleFields, shownSecret } from './proxy-rule.js'
import type { TargetPolicy } from './target-policy.js'
import { readTarget, type UpstreamTarget } from './upstream-target.js'

/** A rule, ready for use. */
export interface ActiveRule {
  readonly rule: ProxyRule
  readonly find: Pattern
  readonly target: UpstreamTarget
}

/** Where a rule stands. */
export type RulePlace = Pick<ProxyRule, 'id' | 'order' | 'readonly'>

type Reader = (value: unknown, name: string, known: Partial<RuleFields>) => unknown

const readers: { readonly [Name in keyof RuleFields]-?: Reader } = {
  name: readText,
  enabled: readFlag,
  pattern: readText,
  target: readText,
  rewrite: readRewrite,
  changeOrigin: readFlag,
  secure: readFlag,
  identity: readFlag,
  headers: readHeaders,
  ws: readFlag,
  base: readText,
  relativePaths: readFlag,
  publicRoutes: readPublicRoutes,
}

const defaults = {
  enabled: true,
  changeOrigin: false,
  secure: true,
  identity: false,
  ws: true,
  relativePaths: false,
}

/**
 * Reads what somebody says of a rule.
 *
 * @param sent Members of the rule; null takes one back to its default.
 * @param known Members that hold where `sent` has none; a header that is sent as `shownSecret` keeps its value.
 * @throws `PROXY_RULE_INCOMPLETE`, `PROXY_RULE_INVALID` or `PROXY_PATTERN_INVALID`.
 */
export function readFields(sent: unknown, known: Partial<RuleFields> = {}): RuleFields {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    throw ruleInvalid({ reason: 'it is not an object' })
  }
  const fields = new Map<string, unknown>(Object.entries({ ...defaults, ...known }))
  for (const [name, value] of Object.entries(sent)) {
    if (!Object.hasOwn(readers, name)) throw ruleInvalid({ reason: `there is no field "${name}"` })
    if (value !== null) fields.set(name, readers[name as keyof RuleFields](value, name, known))
    else if (Object.hasOwn(defaults, name)) fields.set(name, defaults[name as keyof typeof defaults])
    else fields.delete(name)
  }
  if (!fields.get('pattern') || !fields.get('target')) throw ruleIncomplete()
  const read = Object.fromEntries(fields) as unknown as RuleFields
  checkIdentity(read)
  return read
}

/**
 * Makes a rule ready for use.
 *
 * @throws `PROXY_RULE_INVALID` or `PROXY_PATTERN_INVALID`.
 */
export function activate(
  fields: RuleFields,
  { id, order, readonly }: RulePlace,
  policy: TargetPolicy,
): ActiveRule {
  const target = readTarget(fields.target)
  policy.check(target)
  return { rule: { id, ...fields, order, readonly }, find: compilePattern(fields.pattern), target }
}

/** Only one can say who sends a request. Servers behind us may take an underscore for a hyphen. */
function checkIdentity({ identity, headers = {} }: RuleFields): void {
  const own = Object.keys(headers).find(
    (name) => name.toLowerCase().replaceAll('_', '-') === identityHeaderName,
  )
  if (!identity || own === undefined) return
  throw ruleInvalid({
    reason: `it says who sends a request by identity and by the header "${own}"; leave out one`,
  })
}

function readText(value: unknown, name: string): string {
  const max = proxyLimits.textLengthMax
  if (typeof value !== 'string' || value.length > max) {
    throw ruleInvalid({ reason: `${name} is not a text of at most ${max} characters` })
  }
  return value
}

function readFlag(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw ruleInvalid({ reason: `${name} is neither true nor false` })
  return value
}

function readRewrite(value: unknown, name: string): string {
  const text = readText(value, name)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not be in a path.
  if (/[?#\\\u0000-\u001f\u007f]/.test(text)) {
    throw ruleInvalid({ reason: 'rewrite has a query, a fragment, a backslash or a control character' })
  }
  return text
}

/** What belongs to one connection, or to the length of a message, is not for rules. */
const reservedHeader =
  /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|expect|http2-settings|sec-websocket-.*)$/i

function readHeaders(
  value: unknown,
  _: string,
  { headers: known = {} }: Partial<RuleFields>,
): Readonly<Record<string, string>> {
  const entries = entriesOf(value, 'headers').map(([name, text]): [string, unknown] => [
    name,
    text === shownSecret ? knownSecret(name, known) : text,
  ])
  const max = proxyLimits.ruleHeadersMax
  if (entries.length > max)
    throw ruleInvalid({ reason: `headers has ${entries.length} members, the limit is ${max}` })
  for (const [name, text] of entries) {
    readText(text, `headers.${name}`)
    if (!isHeader(name, text as string))
      throw ruleInvalid({ reason: `"${name}" is no header that can be set` })
  }
  return Object.fromEntries(entries) as Record<string, string>
}

function knownSecret(name: string, known: Readonly<Record<string, string>>): string {
  const secret = Object.hasOwn(known, name) ? known[name] : undefined
  if (secret !== undefined) return secret
  throw ruleInvalid({ reason: `"${name}" has no value that "${shownSecret}" could stand for` })
}

function isHeader(name: string, value: string): boolean {
  if (reservedHeader.test(name)) return false
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}

function readPublicRoutes(value: unknown): PublicRoutes {
  if (Array.isArray(value)) return readGlobs(value, 'publicRoutes')
  const entries = entriesOf(value, 'publicRoutes')
  return Object.fromEntries(
    entries.map(([method, globs]) => {
      if (!/^[A-Z]{1,20}$/.test(method))
        throw ruleInvalid({
          reason: `publicRoutes has "${method}", which is no method in capitals and not ALL`,
        })
      return [method, readGlobs(globs, `publicRoutes.${method}`)]
    }),
  )
}

function readGlobs(value: unknown, name: string): readonly string[] {
  const max = proxyLimits.publicRoutesMax
  if (!Array.isArray(value) || value.length > max) {
    throw ruleInvalid({ reason: `${name} is not a list of at most ${max} globs` })
  }
  return value.map((glob: unknown) => {
    if (typeof glob !== 'string' || !glob.startsWith('/') || glob.length > 256) {
      throw ruleInvalid({
        reason: `${name} has an entry that is no glob of at most 256 characters that starts with "/"`,
      })
    }
    return glob
  })
}

function entriesOf(value: unknown, name: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw ruleInvalid({ reason: `${name} is not an object` })
  }
  return Object.entries(value)
}
