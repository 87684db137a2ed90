import { durationRule, type Rule, regularExpressionRule, textRule } from './value-rules.js'

const dayMs = 24 * 3_600_000

const windowSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const

const windowRule: Rule = {
  words: 'a number of seconds, or a number and s, m, h or d, from "1s" to "365d", e.g. "1m"',
  holds: (value) => {
    const parts = /^(\d{1,9})([smhd]?)$/.exec(String(value))
    const unit = (parts?.[2] || 's') as keyof typeof windowSeconds
    const seconds = Number(parts?.[1] ?? 0) * windowSeconds[unit]
    return seconds >= 1 && seconds <= 365 * windowSeconds.d
  },
}

const keyRule = textRule(
  '"ip", "user", "tenant", "header:<Name>", "cookie:<name>" or "lua:<plugin>/<name>"',
  /^(?:ip|user|tenant|header:[\w!#$%&'*+.^`|~-]+|cookie:[\w!#$%&'*+.^`|~-]+|lua:[a-z][a-z0-9_-]*\/[^\s/]+)$/,
)

const headerName = textRule('the name of a header', /^[\w!#$%&'*+.^`|~-]+$/)
const methodName = textRule('a method in capitals, e.g. "GET"', /^[A-Z][A-Z-]*$/)

const urlRule: Rule = {
  words: 'a URL with http, https, ws or wss and without ? and #, e.g. "http://127.0.0.1:3000"',
  holds: (value) => {
    const text = String(value)
    if (!/^(?:https?|wss?):\/\/[^/]/i.test(text) || /[?#\s]/.test(text)) return false
    return URL.canParse(text)
  },
}

const originRule: Rule = {
  words:
    '"*", an origin such as "https://app.example.com" without a path, several of them separated by commas or spaces, or a list',
  holds: (value) => {
    const origins = listOrigins(value as string | readonly string[])
    return (
      origins.length > 0 &&
      origins.every((origin) => /^(?:\*|null|[a-z][a-z0-9+.-]*:\/\/[^\s/,]+)$/i.test(origin))
    )
  },
}

/** Gives the origins of `cors.origin`, which is a list of them or a text with commas or spaces between them. */
export function listOrigins(origin: string | readonly string[]): readonly string[] {
  const parts = typeof origin === 'string' ? [origin] : origin
  return parts.flatMap((part) => part.split(/[\s,]+/)).filter((part) => part !== '')
}

/** Rules of the gateway that JSON Schema cannot say, by key; `[]` stands for every member of a list. */
export const gatewayRules: Readonly<Record<string, Rule>> = {
  'gateway.rateLimit.window': windowRule,
  'gateway.rateLimit.keyBy': keyRule,
  'gateway.rateLimit.excludePaths[]': regularExpressionRule,
  'gateway.rateLimit.rules[].paths[]': regularExpressionRule,
  'gateway.rateLimit.rules[].methods[]': methodName,
  'gateway.rateLimit.rules[].window': windowRule,
  'gateway.rateLimit.rules[].keyBy': keyRule,
  'gateway.cors.origin': originRule,
  'gateway.cors.methods[]': methodName,
  'gateway.cors.allowedHeaders[]': headerName,
  'gateway.cors.exposedHeaders[]': headerName,
  'gateway.cache.excludePaths[]': regularExpressionRule,
  'gateway.cache.varyBy[]': headerName,
  'gateway.stage.timeout': durationRule(1, 60_000, 'from 1ms to 60s, e.g. "250ms"'),
  'gateway.stage.reset': durationRule(100, dayMs, 'from 100ms to 24h, e.g. "30s"'),
  'gateway.proxy.timeout': durationRule(100, 3_600_000, 'from 100ms to 1h, e.g. "30s"'),
  'gateway.proxy.rules[].pattern': regularExpressionRule,
  'gateway.proxy.rules[].target': urlRule,
  'gateway.proxy.rules[].headers{}': textRule('a text on one line', /^[^\r\n\0]*$/),
  'gateway.proxy.rules[].publicRoutes': {
    words: 'a list of globs, or an object with lists of globs by method, e.g. {"GET": ["/assets/**"]}',
    holds: () => true,
  },
}
