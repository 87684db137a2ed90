import { cryptoLimits } from '../../base/limits/crypto.js'
import type { LuaValue } from '../../sandbox/lua-value.js'
import { type JwtAlgorithm, jwtAlgorithms, shareKeyKind } from './jwt-keys.js'
import { misuse, readFields, readSeconds, readText, readTexts } from './values.js'

/** Options of `crypto.jwt_sign`, read. */
export interface SignOptions {
  readonly algorithm: JwtAlgorithm
  readonly expiresInSeconds: number | undefined
  readonly keyId: string | undefined
  readonly typ: string
}

/** Options of `crypto.jwt_verify`, read. */
export interface VerifyOptions {
  /** All of them use one kind of key. */
  readonly algorithms: readonly JwtAlgorithm[]
  readonly issuers: readonly string[] | undefined
  readonly audiences: readonly string[] | undefined
  readonly subject: string | undefined
  readonly typ: string | undefined
  readonly clockSkewSeconds: number
  readonly maxAgeSeconds: number | undefined
  readonly required: readonly string[]
  readonly allowsNoExpiry: boolean
}

/** A token may be asked to live a hundred years. */
const secondsMax = 100 * 365 * 24 * 3600

/**
 * Reads the options of `crypto.jwt_sign`.
 *
 * @throws LuaRaise when there is no algorithm, and for a misspelt option or a wrong type.
 */
export function readSignOptions(name: string, options: LuaValue): SignOptions {
  const fields = readFields(name, options, ['algorithm', 'expires_in', 'key_id', 'typ'])
  if (fields.algorithm === undefined) throw misuse(name, `the option algorithm is required: ${known()}`)
  return {
    algorithm: readAlgorithm(name, fields.algorithm),
    expiresInSeconds: readSeconds(name, 'expires_in', fields.expires_in, secondsMax),
    keyId: readText(name, 'key_id', fields.key_id),
    typ: readText(name, 'typ', fields.typ) ?? 'JWT',
  }
}

const verifyFields = [
  'algorithms',
  'issuer',
  'audience',
  'subject',
  'typ',
  'clock_skew',
  'max_age',
  'required',
  'allow_no_expiry',
]

/**
 * Reads the options of `crypto.jwt_verify`.
 *
 * @throws LuaRaise when there are no algorithms or they use keys of several kinds, for a misspelt option or a wrong type.
 */
export function readVerifyOptions(name: string, options: LuaValue): VerifyOptions {
  const fields = readFields(name, options, verifyFields)
  const { allow_no_expiry: allowsNoExpiry = false } = fields
  if (typeof allowsNoExpiry !== 'boolean') throw misuse(name, 'allow_no_expiry must be a boolean')
  const skew = readSeconds(name, 'clock_skew', fields.clock_skew, cryptoLimits.clockSkewSecondsMax)
  return {
    algorithms: readAlgorithms(name, fields.algorithms),
    issuers: readTexts(name, 'issuer', fields.issuer),
    audiences: readTexts(name, 'audience', fields.audience),
    subject: readText(name, 'subject', fields.subject),
    typ: readText(name, 'typ', fields.typ),
    clockSkewSeconds: skew ?? cryptoLimits.clockSkewSeconds,
    maxAgeSeconds: readSeconds(name, 'max_age', fields.max_age, secondsMax),
    required: readTexts(name, 'required', fields.required) ?? [],
    allowsNoExpiry,
  }
}

function known(): string {
  return `use ${jwtAlgorithms.join(', ')}`
}

function readAlgorithm(name: string, value: LuaValue): JwtAlgorithm {
  const algorithm = jwtAlgorithms.find((each) => each === value)
  if (algorithm !== undefined) return algorithm
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 32)) : 'that'
  throw misuse(name, `there is no algorithm ${shown}: ${known()}`)
}

function readAlgorithms(name: string, value: LuaValue): readonly JwtAlgorithm[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > jwtAlgorithms.length) {
    throw misuse(name, `the option algorithms is required: a list such as { "RS256" }; ${known()}`)
  }
  const algorithms = value.map((each) => readAlgorithm(name, each))
  const [first] = algorithms
  // One list for shared secrets and key pairs is how a public key becomes a secret that everybody knows.
  const other = algorithms.find((each) => first !== undefined && !shareKeyKind(first, each))
  if (other !== undefined)
    throw misuse(name, `${first} and ${other} take different kinds of keys: name one of them`)
  return algorithms
}
