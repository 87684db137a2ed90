import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { cryptoLimits } from '../../base/limits/crypto.js'
import type { LuaObject, LuaValue } from '../../sandbox/lua-value.js'
import { decodeStrictly } from './encoding-functions.js'
import { bytesOf, isFields, misuse } from './values.js'

/** The algorithms of tokens, each with the one kind of key that fits it. */
const keyKinds = {
  HS256: { kind: 'secret', bytesMin: 32 },
  HS384: { kind: 'secret', bytesMin: 48 },
  HS512: { kind: 'secret', bytesMin: 64 },
  RS256: { kind: 'rsa' },
  ES256: { kind: 'ec' },
  EdDSA: { kind: 'ed25519' },
} as const

export type JwtAlgorithm = keyof typeof keyKinds

export type KeyUse = 'sign' | 'verify'

/** Names of the algorithms, in the order of the reference. */
export const jwtAlgorithms = Object.keys(keyKinds) as readonly JwtAlgorithm[]

/** True for algorithms whose two sides share one key. */
export function isShared(algorithm: JwtAlgorithm): boolean {
  return keyKinds[algorithm].kind === 'secret'
}

/** True when both algorithms use one kind of key. */
export function shareKeyKind(a: JwtAlgorithm, b: JwtAlgorithm): boolean {
  return keyKinds[a].kind === keyKinds[b].kind
}

const pemBegin = '-----BEGIN '

/** What may stand behind `-----BEGIN `: encrypted keys would cost as much time as their author likes. */
const pemLabels: Readonly<Record<KeyUse, readonly string[]>> = {
  verify: ['PUBLIC KEY', 'RSA PUBLIC KEY'],
  sign: ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'],
}

/**
 * Reads a key: a shared secret as bytes, another key as PEM text, any as a JWK (a table or its JSON text).
 *
 * @param name Of the Lua function, for messages.
 * @param algorithms One or more that take one kind of key.
 * @throws LuaRaise for a key that does not fit them, is of the wrong half, or is too small or too large.
 */
export function readJwtKey(
  name: string,
  key: LuaValue,
  algorithms: readonly JwtAlgorithm[],
  use: KeyUse,
): KeyObject {
  const jwk = jwkOf(name, key)
  if (jwk !== undefined) checkJwk(name, jwk, algorithms, use)
  if (algorithms.every(isShared)) return readSecret(name, jwk ?? key, algorithms)
  const object = jwk === undefined ? fromPem(name, key, use) : fromJwk(name, jwk, use)
  for (const algorithm of algorithms) checkFits(name, object, algorithm)
  return object.type === 'private' && object.asymmetricKeyType === 'rsa' ? plainRsaKey(name, object) : object
}

function jwkOf(name: string, key: LuaValue): LuaObject | undefined {
  if (isFields(key)) return key
  if (typeof key !== 'string' && !(key instanceof Uint8Array)) {
    throw misuse(name, 'the key must be a string or a JWK table')
  }
  if (key.length > cryptoLimits.keyBytesMax) {
    throw misuse(name, `the key has more than ${cryptoLimits.keyBytesMax} bytes`)
  }
  if (typeof key !== 'string' || !key.trimStart().startsWith('{')) return undefined
  try {
    const parsed: unknown = JSON.parse(key)
    const isJwk = typeof parsed === 'object' && parsed !== null && 'kty' in parsed
    return isJwk ? Object.assign(Object.create(null), parsed) : undefined
  } catch {
    return undefined
  }
}

/** What a JWK says of its own use binds. */
function checkJwk(name: string, jwk: LuaObject, algorithms: readonly JwtAlgorithm[], use: KeyUse): void {
  const { use: given, alg, key_ops: operations } = jwk
  if (given !== undefined && given !== 'sig')
    throw misuse(name, 'the JWK is not for signatures: its "use" is not "sig"')
  if (alg !== undefined && algorithms.some((each) => each !== alg)) {
    throw misuse(name, `the JWK is for another algorithm than ${algorithms.join(', ')}`)
  }
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes(use))) {
    throw misuse(name, `the "key_ops" of the JWK do not have "${use}"`)
  }
}

function readSecret(name: string, key: LuaObject | LuaValue, algorithms: readonly JwtAlgorithm[]): KeyObject {
  const bytes = isFields(key) ? bytesOfJwk(name, key) : bytesOf(key)
  if (isKeyMaterial(bytes)) {
    throw misuse(
      name,
      `the key of ${algorithms.join(', ')} must be a shared secret, not a public or private key`,
    )
  }
  for (const algorithm of algorithms) {
    const of = keyKinds[algorithm]
    const bytesMin = of.kind === 'secret' ? of.bytesMin : 0
    if (bytes.length < bytesMin) {
      throw misuse(name, `the key of ${algorithm} needs ${bytesMin} bytes or more; it has ${bytes.length}`)
    }
  }
  return createSecretKey(bytes)
}

function bytesOfJwk(name: string, { kty, k }: LuaObject): Buffer {
  const bytes = kty === 'oct' && typeof k === 'string' ? decodeStrictly('base64url', k) : undefined
  if (bytes === undefined)
    throw misuse(name, 'a JWK of a shared secret has "kty" = "oct" and "k" in base64url')
  if (bytes.length > cryptoLimits.keyBytesMax) {
    throw misuse(name, `the key has more than ${cryptoLimits.keyBytesMax} bytes`)
  }
  return bytes
}

/**
 * True for what is one half of a key pair in any of its usual forms. Whoever takes it for a shared secret lets everyone
 * sign who has read the public half.
 */
function isKeyMaterial(bytes: Buffer): boolean {
  const text = bytes.toString('latin1').trim()
  if (text.includes(pemBegin) || /^(?:ssh-|ecdsa-)/.test(text)) return true
  if (isDerKey(bytes)) return true
  // The inside of a PEM text, with or without its line breaks.
  return text.startsWith('M') && isDerKey(Buffer.from(text.replaceAll(/\s/g, ''), 'base64'))
}

function isDerKey(key: Buffer): boolean {
  if (key[0] !== 0x30) return false
  const readers = [
    () => createPublicKey({ key, format: 'der', type: 'spki' }),
    () => createPublicKey({ key, format: 'der', type: 'pkcs1' }),
    () => createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
  ]
  return readers.some((read) => succeeds(read))
}

function succeeds(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}

function fromPem(name: string, key: LuaValue, use: KeyUse): KeyObject {
  const half = use === 'verify' ? 'public' : 'private'
  const text = bytesOf(key).toString('latin1').trim()
  const label = text.startsWith(pemBegin)
    ? text.slice(pemBegin.length, text.indexOf('-----', pemBegin.length))
    : ''
  if (!pemLabels[use].includes(label) || text.indexOf(pemBegin, 1) !== -1 || text.includes('ENCRYPTED')) {
    const labels = pemLabels[use].map((each) => `"${pemBegin}${each}-----"`).join(' or ')
    throw misuse(name, `the key must be the ${half} key as one PEM text that begins with ${labels}, or a JWK`)
  }
  try {
    return use === 'verify' ? createPublicKey(text) : createPrivateKey(text)
  } catch {
    throw misuse(name, `the PEM text of the ${half} key cannot be read`)
  }
}

const jwkMembers = ['kty', 'n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi', 'crv', 'x', 'y'] as const

function fromJwk(name: string, jwk: LuaObject, use: KeyUse): KeyObject {
  if ((jwk.d === undefined) !== (use === 'verify')) {
    throw misuse(
      name,
      use === 'verify' ? 'the JWK is a private key; give the public one' : 'the JWK is no private key',
    )
  }
  const key: JsonWebKey = {}
  for (const member of jwkMembers) {
    const value = jwk[member]
    if (value === undefined) continue
    if (typeof value !== 'string' || value.length > cryptoLimits.keyBytesMax) {
      throw misuse(name, `the member "${member}" of the JWK must be a text`)
    }
    key[member] = value
  }
  try {
    return use === 'verify'
      ? createPublicKey({ key, format: 'jwk' })
      : createPrivateKey({ key, format: 'jwk' })
  } catch {
    throw misuse(name, 'the JWK cannot be read')
  }
}

function checkFits(name: string, key: KeyObject, algorithm: JwtAlgorithm): void {
  const { kind } = keyKinds[algorithm]
  if (key.asymmetricKeyType !== kind) {
    throw misuse(
      name,
      `${algorithm} needs a key of the kind ${kind}; this one is ${key.asymmetricKeyType ?? 'none'}`,
    )
  }
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {}
  if (kind === 'ec' && namedCurve !== 'prime256v1')
    throw misuse(name, `${algorithm} needs a key on the curve P-256`)
  if (kind !== 'rsa') return
  const { rsaBitsMin, rsaExponentBitsMax } = cryptoLimits
  const bitsMax = key.type === 'private' ? cryptoLimits.rsaSigningBitsMax : cryptoLimits.rsaBitsMax
  if (modulusLength < rsaBitsMin || modulusLength > bitsMax) {
    throw misuse(name, `an RSA key must have ${rsaBitsMin} to ${bitsMax} bits; this one has ${modulusLength}`)
  }
  if (publicExponent < 3n || publicExponent >= 1n << BigInt(rsaExponentBitsMax)) {
    throw misuse(name, `the public exponent of an RSA key must be from 3 to 2^${rsaExponentBitsMax} - 1`)
  }
}

/**
 * Makes a private RSA key anew of its two primes, which must not be longer than they are in a key of its size: the time
 * of a signature grows with them, and nothing else says how long they are.
 */
function plainRsaKey(name: string, key: KeyObject): KeyObject {
  const jwk = key.export({ format: 'jwk' })
  const lengthOf = (text: string | undefined): number => Buffer.from(text ?? '', 'base64url').length
  const whole = lengthOf(jwk.n)
  const halves = [jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi].map(lengthOf)
  if (lengthOf(jwk.d) > whole || halves.some((bytes) => bytes > whole / 2 + 8)) {
    throw misuse(name, 'the parts of the RSA key are longer than its size allows')
  }
  return createPrivateKey({ key: jwk, format: 'jwk' })
}
