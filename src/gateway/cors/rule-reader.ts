import { HostError } from '../../base/errors.js'
import { corsLimits } from '../../base/limits/gateway.js'
import {
  corsCredentialsWildcard,
  corsMaxAgeInvalid,
  corsMethodInvalid,
  corsNameRequired,
  corsOriginsRequired,
  corsRuleInvalid,
} from './errors.js'
import { isHeaderName } from './header-names.js'
import { readOriginPattern } from './origin.js'
import { type CorsPolicy, type CorsRule, type CorsRuleContent, configuredRuleId } from './rule.js'

const defaultMethods: readonly string[] = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE']
const methodsAllowed: readonly string[] = [...defaultMethods, 'OPTIONS']
const defaultMaxAge = 86_400

const contentMembers: readonly string[] = [
  'name',
  'origins',
  'methods',
  'allowedHeaders',
  'exposedHeaders',
  'credentials',
  'maxAge',
]
/** What a listed rule has besides; so a rule can be listed, changed and sent back. */
const listedMembers: readonly string[] = ['id', 'createdAt', 'source']

/**
 * Reads a rule of an admin. Lists are arrays or texts with commas or spaces; members that are missing get their
 * defaults.
 *
 * @throws `INVALID_CORS_RULE`, `CORS_NAME_REQUIRED`, `CORS_ORIGINS_REQUIRED`, `CORS_CREDENTIALS_WILDCARD`,
 * `CORS_INVALID_METHOD` or `CORS_INVALID_MAX_AGE`.
 */
export function readRule(body: unknown): CorsRuleContent {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw corsRuleInvalid({ problem: 'A rule must be an object with at least name and origins.' })
  }
  const unknown = Object.keys(body).find(
    (name) => !contentMembers.includes(name) && !listedMembers.includes(name),
  )
  if (unknown !== undefined) {
    throw corsRuleInvalid({
      problem: `A rule has no member ${shown(unknown)}; it takes only ${contentMembers.join(', ')}.`,
    })
  }
  const rule = body as Readonly<Record<string, unknown>>
  const name = readName(rule.name)
  const origins = readOrigins(rule.origins)
  const credentials = readFlag(rule.credentials, 'credentials', false)
  if (credentials && origins.includes('*')) throw corsCredentialsWildcard()
  return {
    name,
    origins,
    methods: readMethods(rule.methods),
    allowedHeaders: readHeaders(rule.allowedHeaders, 'allowedHeaders'),
    exposedHeaders: readHeaders(rule.exposedHeaders, 'exposedHeaders'),
    credentials,
    maxAge: readMaxAge(rule.maxAge),
  }
}

/**
 * Reads the rule of the configuration.
 *
 * @param now Milliseconds since 1970.
 * @throws What `readRule` throws; the text begins with `cors:`.
 */
export function readConfiguredRule(policy: CorsPolicy, now: number): CorsRule {
  const { origin = '*', preflight: _preflight, ...others } = policy
  try {
    const origins = readOrigins(origin)
    const name = origins.includes('*') ? 'All origins' : 'Default'
    return {
      id: configuredRuleId,
      ...readRule({ ...others, name, origins }),
      createdAt: now,
      source: 'config',
    }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    throw new HostError(error.code, error.status, `cors: ${error.message}`, { cause: error })
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not be in a name.
const controls = /[\u0000-\u001f\u007f]/

function readName(value: unknown): string {
  if (value === undefined || value === null) throw corsNameRequired({ max: corsLimits.nameLengthMax })
  if (typeof value !== 'string') {
    throw corsRuleInvalid({ problem: `name is ${shown(value)}; it must be a text.` })
  }
  const name = value.trim()
  if (name === '') throw corsNameRequired({ max: corsLimits.nameLengthMax })
  if (name.length > corsLimits.nameLengthMax) {
    throw corsRuleInvalid({
      problem: `name has ${name.length} characters; shorten it to ${corsLimits.nameLengthMax}.`,
    })
  }
  if (controls.test(name)) {
    throw corsRuleInvalid({ problem: 'name has control characters; write it without them.' })
  }
  return name
}

function readOrigins(value: unknown): string[] {
  const origins = readList(value, 'origins', corsLimits.originsMax).map((text) => {
    const pattern = readOriginPattern(text)
    if (pattern !== undefined) return pattern
    throw corsRuleInvalid({
      problem: `origins has ${shown(text)}; write scheme, host and port as in "https://app.example.com" or "http://localhost:5173" without a path or slash at the end, "*.example.com" for the hosts below one, or "*", of at most ${corsLimits.originLengthMax} characters.`,
    })
  })
  if (origins.length === 0) throw corsOriginsRequired()
  return [...new Set(origins)]
}

function readMethods(value: unknown): readonly string[] {
  const methods = readList(value, 'methods', corsLimits.headersMax).map((text) => {
    const method = text.toUpperCase()
    if (methodsAllowed.includes(method)) return method
    throw corsMethodInvalid({ method: shown(text), methods: methodsAllowed.join(', ') })
  })
  return methods.length === 0 ? defaultMethods : [...new Set(methods)]
}

function readHeaders(value: unknown, place: string): string[] {
  const names = readList(value, place, corsLimits.headersMax)
  const wrong = names.find((name) => !isHeaderName(name))
  if (wrong !== undefined) {
    throw corsRuleInvalid({
      problem: `${place} has ${shown(wrong)}; the name of a header has 1 to ${corsLimits.headerNameLengthMax} letters, digits or hyphens.`,
    })
  }
  return [...new Set(names)]
}

function readMaxAge(value: unknown): number {
  if (value === undefined || value === null) return defaultMaxAge
  const max = corsLimits.maxAgeSecondsMax
  if (typeof value !== 'number' || !(value >= 0 && value <= max)) {
    throw corsMaxAgeInvalid({ value: shown(value), max })
  }
  return Math.floor(value)
}

function readFlag(value: unknown, place: string, missing: boolean): boolean {
  if (value === undefined || value === null) return missing
  if (typeof value === 'boolean') return value
  throw corsRuleInvalid({ problem: `${place} is ${shown(value)}; it must be true or false.` })
}

/** Items are trimmed; empty ones are left out. */
function readList(value: unknown, place: string, max: number): string[] {
  if (value === undefined || value === null) return []
  const items = typeof value === 'string' ? value.split(/[\s,]+/) : value
  if (!Array.isArray(items)) {
    throw corsRuleInvalid({
      problem: `${place} is ${shown(value)}; it must be an array of texts, or a text with commas or spaces between.`,
    })
  }
  const wrong = items.findIndex((item) => typeof item !== 'string')
  if (wrong !== -1) {
    throw corsRuleInvalid({ problem: `${place} has ${shown(items[wrong])}; it takes only texts.` })
  }
  const texts = items.map((item: string) => item.trim()).filter((item) => item !== '')
  if (texts.length > max) {
    throw corsRuleInvalid({ problem: `${place} has ${texts.length} items; it takes at most ${max}.` })
  }
  return texts
}

const shownLengthMax = 80

function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text
}
