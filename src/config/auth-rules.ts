import { policyLimits } from '../base/limits/policies.js'
import { durationRule, type Rule, textRule } from './value-rules.js'

/** How texts about settings describe permissions. */
export const permissionNameWords = 'permissions as "plugins:read"'

const glob = /^\/$|^(?:\/(?:\*\*?|[^/*?#\\;%]+))+$/
const permission = /^(?:\*|(?:\*|[a-z]+):(?:\*|[a-z]+))$/
const tenantSource = /^(?:header:[\w-]{1,64}|query:[\w-]{1,64}|segment:[1-9]\d?)$/
const cookieName = /^(?!__)[A-Za-z0-9_-]{1,64}$/
/** Not one that means something else here, or that proxies write. */
const sessionHeader = /^x-(?!api-key$|csrf-token$|identity$|real-ip$|request-id$|forwarded)[a-z0-9-]{1,62}$/
const dayMs = 86_400_000
const authenticatorName = /^[a-z][a-z0-9_-]*$/

/** What is in them is checked where policies are known. */
const policyList: Rule = {
  words: `a list of at most ${policyLimits.policiesMax} policies`,
  holds: () => true,
}
const policyDocument: Rule = {
  words: 'a policy, as an object with id, effect, subjects, resources and actions',
  holds: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** Rules of values below `auth` that JSON Schema cannot say, by key. */
export const authRules: Readonly<Record<string, Rule>> = {
  'auth.http.authenticators[]': textRule('a name, e.g. "jwt", or "*" alone', /^(?:\*|[a-z][a-z0-9_-]*)$/),
  'auth.http.authorizers[]': textRule('a name, e.g. "tenant_scope"', authenticatorName),
  'auth.http.loginPath': textRule(
    'empty or a path of this host, e.g. "/login"',
    /^(?:\/(?![/\\])[^\\\s]*)?$/,
  ),
  'auth.http.rules[].paths[]': textRule(
    'a path whose segments are "*", "**" or have no star, without "//" and a slash at its end',
    glob,
  ),
  'auth.http.rules[].authenticators[]': textRule(
    'a name, e.g. "jwt", while an empty list makes the paths public',
    authenticatorName,
  ),
  'auth.http.rules[].authorizers[]': textRule('a name, e.g. "admin_only"', authenticatorName),
  'auth.http.rules[].permissions[]': textRule('a permission, e.g. "plugins:read"', permission),
  'auth.http.rules[].tenant': textRule('"header:<name>", "query:<name>" or "segment:<n>"', tenantSource),
  'auth.policies.policies': policyList,
  'auth.policies.policies[]': policyDocument,
  'auth.policies.seed.policies': policyList,
  'auth.policies.seed.policies[]': policyDocument,
  'auth.session.ttl': durationRule(60_000, 365 * dayMs, 'from 1m to 365d, e.g. "24h"'),
  'auth.session.maxAge': durationRule(60_000, 365 * dayMs, 'from 1m to 365d, e.g. "30d"'),
  'auth.session.cookie': textRule(
    'the name of a cookie of 1 to 64 letters, digits, "_" and "-" that does not begin with "__"',
    cookieName,
  ),
  'auth.session.header': textRule(
    'the name of a header in small letters that begins with "x-" and has no other meaning, e.g. "x-session-id"',
    sessionHeader,
  ),
  'auth.login.window': durationRule(1000, dayMs, 'from 1s to 24h, e.g. "15m"'),
  'auth.roles{}[]': textRule('a permission or a pattern of some, e.g. "plugins:*"', permission),
}
