import { stageLimits } from '../base/limits/gateway.js'
import { durationRule, isAddressRange, type Rule, regularExpressionRule, textRule } from './value-rules.js'

const dayMs = 24 * 3_600_000

const windowSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const

const windowRule: Rule = {
  words: 'a number of seconds, or a number and s, m, h or d, from "1s" to "31d", e.g. "1m"',
  holds: (value) => {
    const parts = /^(\d{1,9})([smhd]?)$/.exec(String(value))
    const unit = (parts?.[2] || 's') as keyof typeof windowSeconds
    const seconds = Number(parts?.[1] ?? 0) * windowSeconds[unit]
    return seconds >= 1 && seconds <= 31 * windowSeconds.d
  },
}

const keyRule = textRule(
  '"ip", "user", "tenant", "header:<Name>", "cookie:<name>" or "lua:<plugin>/<name>"',
  /^(?:ip|user|tenant|header:[\w!#$%&'*+.^`|~-]+|cookie:[\w!#$%&'*+.^`|~-]+|lua:[a-z][a-z0-9_-]*\/[^\s/]+)$/,
)

const headerName = textRule('the name of a header', /^[\w!#$%&'*+.^`|~-]+$/)
const methodName = textRule('a method in capitals, e.g. "GET"', /^[A-Z][A-Z-]*$/)
const anyMethodName = textRule('a method, e.g. "GET"', /^[A-Za-z][A-Za-z-]*$/)

/** Characters that make an entry for paths a regular expression. */
const expressionMark = /[$^()[\]{}|\\+?]|\.[*+]/

const pathRule: Rule = {
  words:
    'a path such as "/health", a glob such as "/api/public/**", or a regular expression such as "/api/v\\d+/.*"',
  holds: (value) => {
    const entry = String(value)
    if (expressionMark.test(entry)) return regularExpressionRule.holds(entry)
    const isLoose = (segment: string) => segment.includes('**') && segment !== '**'
    return entry.startsWith('/') && !entry.split('/').some(isLoose)
  },
}

const targetRule: Rule = {
  words: 'an http or https URL without user, query and fragment, e.g. "http://127.0.0.1:3000"',
  holds: (value) => {
    const text = String(value)
    if (!/^https?:\/\/[^/]/i.test(text) || /[?#\s]|^[^/]*\/\/[^/]*@/.test(text)) return false
    return URL.canParse(text)
  },
}

const originRule: Rule = {
  words:
    '"*", an origin such as "https://app.example.com" without a path, or "*.example.com" for all hosts below a name; several separated by commas or spaces, or as a list',
  holds: (value) => {
    const origins = listOrigins(value as string | readonly string[])
    return origins.length > 0 && origins.every((origin) => originPattern.test(origin))
  },
}

const originPattern = /^(?:\*|(?:[a-z][a-z0-9+.-]*:\/\/|\*\.)(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?)$/i

const servedHostPattern = /^(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i

const hostPattern = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i

/** Gives the origins of `cors.origin`, which is a list of them or a text with commas or spaces between them. */
export function listOrigins(origin: string | readonly string[]): readonly string[] {
  const parts = typeof origin === 'string' ? [origin] : origin
  return parts.flatMap((part) => part.split(/[\s,]+/)).filter((part) => part !== '')
}

/** Stages of the host that an operator may move. */
const movableStages: readonly string[] = ['metrics', 'proxy', 'shell', 'cors', 'rate-limit', 'cache']

function isStageName(name: string): boolean {
  return movableStages.includes(name) || /^plugin:[a-z][a-z0-9_]*\/[a-z][a-z0-9_-]*$/.test(name)
}

/** Rules of the gateway that JSON Schema cannot say, by key; `[]` stands for every member of a list. */
export const gatewayRules: Readonly<Record<string, Rule>> = {
  'gateway.hosts[]': textRule(
    'a name such as "app.example.com", "*.example.com" for all names below it, or an address such as "127.0.0.1" or "[::1]", without a port',
    servedHostPattern,
  ),
  'gateway.rateLimit.window': windowRule,
  'gateway.rateLimit.keyBy': keyRule,
  'gateway.rateLimit.excludePaths[]': pathRule,
  'gateway.rateLimit.rules[].paths[]': pathRule,
  'gateway.rateLimit.rules[].methods[]': anyMethodName,
  'gateway.rateLimit.rules[].window': windowRule,
  'gateway.rateLimit.rules[].keyBy': keyRule,
  'gateway.cors.origin': originRule,
  'gateway.cors.methods[]': methodName,
  'gateway.cors.allowedHeaders[]': headerName,
  'gateway.cors.exposedHeaders[]': headerName,
  'gateway.cache.excludePaths[]': pathRule,
  'gateway.cache.varyBy[]': headerName,
  'gateway.priorities': {
    words: `an object of which each member is an integer from -1000 to 1000, with names of stages: ${movableStages.join(', ')}, or "plugin:<plugin>/<stage>"`,
    holds: (value) => Object.keys(value as object).every(isStageName),
  },
  'gateway.stage.timeout': durationRule(1, stageLimits.timeoutMsMax, 'from 1ms to 5s, e.g. "250ms"'),
  'gateway.stage.reset': durationRule(100, dayMs, 'from 100ms to 24h, e.g. "30s"'),
  'gateway.proxy.timeout': durationRule(100, 3_600_000, 'from 100ms to 1h, e.g. "30s"'),
  'gateway.proxy.allowTargets[]': {
    words: 'a host name, an address or a CIDR range, e.g. "10.0.0.0/8"',
    holds: (value) => isAddressRange(value) || hostPattern.test(String(value)),
  },
  'gateway.proxy.rules[].pattern': regularExpressionRule,
  'gateway.proxy.rules[].target': targetRule,
  'gateway.proxy.rules[].headers{}': textRule('a text on one line', /^[^\r\n\0]*$/),
  'gateway.proxy.rules[].publicRoutes': {
    words: 'a list of globs, or an object with lists of globs by method, e.g. {"GET": ["/assets/**"]}',
    holds: () => true,
  },
}
