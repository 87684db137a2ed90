import { parseDuration } from '../base/durations.js'
import { findAuthConflicts } from './auth-conflicts.js'
import { listOrigins } from './gateway-rules.js'
import type { Given } from './layers.js'
import { type ConfigProblem, showValue } from './problems.js'

/**
 * Finds values that are allowed each by itself and not together.
 *
 * @param wrong Keys that have a problem of their own; what depends on them is not looked at.
 */
export function findConflicts(
  values: ReadonlyMap<string, Given>,
  wrong: ReadonlySet<string>,
): readonly ConfigProblem[] {
  return [
    ...openCredentials(values, wrong),
    ...unpayableRules(values, wrong),
    ...earlyEnds(values, wrong),
    ...findAuthConflicts(values, wrong),
  ]
}

/** Browsers refuse answers with cookies that every origin may read. */
function openCredentials(
  values: ReadonlyMap<string, Given>,
  wrong: ReadonlySet<string>,
): readonly ConfigProblem[] {
  const key = 'gateway.cors.credentials'
  const credentials = values.get(key)
  const origin = values.get('gateway.cors.origin')
  if (!credentials?.value || !origin || wrong.has('gateway.cors.origin')) return []
  if (!listOrigins(origin.value as string | readonly string[]).includes('*')) return []
  const rule = `cannot be true while gateway.cors.origin is "*" (${origin.origin}), which browsers refuse; name the origins, e.g. "https://app.example.com"`
  return [{ key, value: showValue(key, credentials.value), rule, origin: credentials.origin }]
}

/** A request that costs more than its bucket holds would be refused for ever. */
function unpayableRules(
  values: ReadonlyMap<string, Given>,
  wrong: ReadonlySet<string>,
): readonly ConfigProblem[] {
  const rules = values.get('gateway.rateLimit.rules')
  const requests = values.get('gateway.rateLimit.requests')
  if (!rules || wrong.has('gateway.rateLimit.requests')) return []
  return (rules.value as readonly { readonly cost?: number; readonly requests?: number }[]).flatMap(
    (rule, index) => {
      const held = rule.requests ?? Number(requests?.value)
      if (rule.cost === undefined || rule.cost <= held) return []
      const key = `gateway.rateLimit.rules[${index}].cost`
      const words = `is more than the ${held} that a bucket of this rule holds; raise its requests or lower its cost`
      return [{ key, value: String(rule.cost), rule: words, origin: rules.origin }]
    },
  )
}

/** A request cannot be late with its head and in time as a whole. */
function earlyEnds(values: ReadonlyMap<string, Given>, wrong: ReadonlySet<string>): readonly ConfigProblem[] {
  const key = 'server.requestTimeout'
  const whole = values.get(key)
  const head = values.get('server.headersTimeout')
  if (!whole || !head || wrong.has(key) || wrong.has('server.headersTimeout')) return []
  if (parseDuration(String(whole.value)) >= parseDuration(String(head.value))) return []
  const rule = `must be at least as long as server.headersTimeout, which is "${head.value}"; raise it, or lower that`
  const { origin } = whole.origin === 'default' ? head : whole
  return [{ key, value: showValue(key, whole.value), rule, origin }]
}
