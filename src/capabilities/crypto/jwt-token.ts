import { cryptoLimits } from '../../base/limits/crypto.js'
import { parseJson } from '../../sandbox/json-parser.js'
import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { decodeStrictly } from './encoding-functions.js'
import type { JwtAlgorithm } from './jwt-keys.js'

/** What a token must be like, before its signature is looked at. */
export interface TokenRules {
  readonly algorithms: readonly JwtAlgorithm[]
  /** Undefined takes `JWT` and none. */
  readonly typ: string | undefined
  /** True when the caller says which audience it is: a token for somebody is not for a caller that does not. */
  readonly namesAudience: boolean
  /** True takes a token that never ends. */
  readonly allowsNoExpiry: boolean
  readonly clockSkewSeconds: number
}

/** The claims of a token that is well formed, of whose signature nothing is known; or what is wrong with it. */
type Reading = { readonly claims: LuaValue } | { readonly reason: string }

/** Levels that claims may be nested. */
const depthMax = 16

/**
 * Takes a token apart and checks what is to be checked whoever signed it. Keys and addresses of keys in its header are
 * never looked at.
 *
 * @param nowSeconds The time.
 */
export function readToken(text: string, rules: TokenRules, nowSeconds: number): Reading {
  if (text.length > cryptoLimits.tokenBytesMax) {
    return { reason: `the token is longer than ${cryptoLimits.tokenBytesMax} bytes` }
  }
  const parts = text.split('.', 4)
  const [header, claims, signature] = parts.map((part) => decodeStrictly('base64url', part))
  if (parts.length !== 3 || header === undefined || claims === undefined || signature === undefined) {
    return { reason: 'the token is malformed: it must have three parts in base64url' }
  }
  const headerFields = readObject(header)
  if (headerFields === undefined) return { reason: 'the header of the token is no JSON object' }
  const claimFields = readObject(claims)
  if (claimFields === undefined) return { reason: 'the claims of the token are no JSON object' }
  const reason = headerFault(headerFields, rules) ?? claimsFault(claimFields, rules, nowSeconds)
  return reason === undefined ? { claims: claimFields as LuaValue } : { reason }
}

type Fields = Readonly<Record<string, LuaValue>>

function readObject(bytes: Buffer): Fields | undefined {
  try {
    const value = parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof LuaRaise)
      return undefined
    throw error
  }
}

function headerFault(header: Fields, { algorithms, typ }: TokenRules): string | undefined {
  if (!algorithms.some((algorithm) => algorithm === header.alg)) {
    return `the algorithm of the token is not allowed: ${algorithms.join(', ')} is expected`
  }
  // Whatever is critical there is unknown here; an unencoded payload is no token at all.
  if ('crit' in header) return 'the token has critical header parameters, none of which is supported'
  if ('b64' in header) return 'the token has the header parameter "b64", which is not supported'
  if (typ === undefined ? isPlainType(header.typ) : sameType(header.typ, typ)) return undefined
  return `the type of the token is not ${typ ?? 'JWT'}`
}

function isPlainType(given: LuaValue): boolean {
  return given === undefined || sameType(given, 'JWT')
}

/** Types compare without case, and `application/` may be left out (RFC 7515, section 4.1.9). */
function sameType(given: LuaValue, expected: string): boolean {
  return typeof given === 'string' && mediaType(given) === mediaType(expected)
}

function mediaType(type: string): string {
  const lower = type.toLowerCase()
  return lower.includes('/') ? lower : `application/${lower}`
}

function isDeep(value: unknown, levelsLeft: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levelsLeft === 0 || Object.values(value).some((each) => isDeep(each, levelsLeft - 1))
}

function claimsFault(claims: Fields, rules: TokenRules, nowSeconds: number): string | undefined {
  if (isDeep(claims, depthMax)) return `the claims of the token are nested deeper than ${depthMax} levels`
  for (const name of ['exp', 'nbf', 'iat'] as const) {
    const value = claims[name]
    const isTime = typeof value === 'number' && value >= 0 && value <= cryptoLimits.timestampMax
    if (value !== undefined && !isTime) return `the claim "${name}" is no time`
  }
  for (const name of ['iss', 'sub', 'jti'] as const) {
    const value = claims[name]
    if (value !== undefined && typeof value !== 'string') return `the claim "${name}" is no text`
  }
  if (claims.exp === undefined && !rules.allowsNoExpiry) {
    return 'the token never expires: it has no claim "exp"'
  }
  if (typeof claims.iat === 'number' && claims.iat > nowSeconds + rules.clockSkewSeconds) {
    return 'the token is from the future: see its claim "iat"'
  }
  if (claims.aud !== undefined && !rules.namesAudience) {
    return 'the token is for an audience: give the option "audience"'
  }
  return undefined
}
