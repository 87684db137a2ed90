import type { KeyObject } from 'node:crypto'
import type { errors, JWTVerifyOptions } from 'jose'
import { cryptoLimits } from '../../base/limits/crypto.js'
import { Turns } from '../../base/turns.js'
import { jsonText } from '../../sandbox/json-text.js'
import { DecodedJson, failure, LuaRaise, type LuaValue, type Results } from '../../sandbox/lua-value.js'
import { phases } from '../../sandbox/phase.js'
import type { FunctionDefinition, ParamDoc } from '../define.js'
import { jwtAlgorithms, readJwtKey } from './jwt-keys.js'
import { readSignOptions, readVerifyOptions, type SignOptions, type VerifyOptions } from './jwt-options.js'
import { readToken } from './jwt-token.js'
import { isFields, misuse } from './values.js'

/** Nothing can wait at module scope. */
const tokenPhases = phases.filter((phase) => phase !== 'manifest' && phase !== 'module')

const common = { phases: tokenPhases, cost: cryptoLimits.tokenOperations, mode: 'async' } as const

const keyParam = (half: string, algorithms: string): ParamDoc => ({
  name: 'key',
  type: 'any',
  luaType: 'string|table',
  doc: [
    `The shared secret of HS algorithms as bytes; the ${half} key of ${algorithms} as PEM text; any of them as a JWK,`,
    `a table or its JSON text. At most ${cryptoLimits.keyBytesMax} bytes.`,
  ].join(' '),
})

const keyRules = [
  'A key fits one kind of algorithm: a secret of at least 32, 48 or 64 bytes HS256, HS384 or HS512, an RSA key of',
  `${cryptoLimits.rsaBitsMin} to ${cryptoLimits.rsaBitsMax} bits (${cryptoLimits.rsaSigningBitsMax} to sign) RS256, a key on P-256 ES256, an Ed25519 key EdDSA; with any other it raises. A`,
  'public key is never taken for a secret. Encrypted keys and certificates are not read.',
].join('\n')

/** Creates the functions that sign and verify tokens. Key pairs are used one at a time in each thread. */
export function createJwtFunctions(): readonly FunctionDefinition[] {
  const turns = new Turns()
  const inTurn = <T>(key: KeyObject, work: () => Promise<T>): Promise<T> =>
    key.type === 'secret' ? work() : turns.take(work)
  return [signFunction(inTurn), verifyFunction(inTurn)]
}

/** Most threads never see a token, and start sooner without the library. */
function loadJose(): Promise<typeof import('jose')> {
  return import('jose')
}

/** Runs what uses a key: that of key pairs takes its time in threads that the whole process shares. */
type InTurn = <T>(key: KeyObject, work: () => Promise<T>) => Promise<T>

function signFunction(inTurn: InTurn): FunctionDefinition {
  const name = 'crypto.jwt_sign'
  return {
    ...common,
    name: 'jwt_sign',
    doc: [
      'Makes a signed token (JWT, RFC 7519) of claims. `iat` is set where the claims do not have it.',
      '',
      keyRules,
      '',
      `Counts as ${cryptoLimits.tokenOperations} operations. Raises for a token of more than ${cryptoLimits.tokenBytesMax} bytes. Not allowed at`,
      'module scope and inside `db.transaction`.',
    ].join('\n'),
    params: [
      {
        name: 'claims',
        type: 'table',
        luaType: 'table<string, any>',
        doc: 'Claims, e.g. `sub`, `aud`, `iss`.',
      },
      keyParam('private', 'RS256, ES256 and EdDSA'),
      { name: 'options', type: 'any', luaType: 'crypto.SignOptions', doc: '`algorithm` is required.' },
    ],
    returns: [{ luaType: 'string', doc: 'The token.' }],
    example: [
      'local token = crypto.jwt_sign({ sub = user.id, iss = "shop", aud = "api" }, secrets.get("signing_key"), {',
      '  algorithm = "HS256", expires_in = 900,',
      '})',
    ].join('\n'),
    handler(_call, claims, key, options) {
      const read = readSignOptions(name, options)
      const payload = payloadOf(name, claims, read)
      const keyObject = readJwtKey(name, key, [read.algorithm], 'sign')
      return inTurn(keyObject, () => sign(name, payload, keyObject, read))
    },
  }
}

function payloadOf(name: string, claims: LuaValue, { expiresInSeconds }: SignOptions): Uint8Array {
  if (!isFields(claims)) throw misuse(name, 'the claims must be a table with named fields')
  const iat = Math.floor(Date.now() / 1000)
  if (expiresInSeconds !== undefined && claims.exp !== undefined) {
    throw misuse(name, 'the claim exp and the option expires_in are mutually exclusive: give one of them')
  }
  const exp = expiresInSeconds === undefined ? {} : { exp: iat + Math.floor(expiresInSeconds) }
  const all: LuaValue = Object.assign(Object.create(null), { iat }, claims, exp)
  try {
    return new TextEncoder().encode(jsonText(all))
  } catch (error) {
    if (error instanceof LuaRaise) throw misuse(name, `the claims: ${error.message}`)
    throw error
  }
}

async function sign(
  name: string,
  payload: Uint8Array,
  key: KeyObject,
  options: SignOptions,
): Promise<string> {
  const { algorithm, keyId, typ } = options
  const header = { alg: algorithm, typ, ...(keyId === undefined ? {} : { kid: keyId }) }
  // Base64 makes four characters of three bytes, and a signature adds its own.
  if (payload.length > cryptoLimits.tokenBytesMax) throw tooLong(name)
  const { CompactSign } = await loadJose()
  const token = await new CompactSign(payload).setProtectedHeader(header).sign(key)
  if (token.length > cryptoLimits.tokenBytesMax) throw tooLong(name)
  return token
}

function tooLong(name: string): LuaRaise {
  return misuse(name, `the token would be longer than ${cryptoLimits.tokenBytesMax} bytes: sign fewer claims`)
}

function verifyFunction(inTurn: InTurn): FunctionDefinition {
  const name = 'crypto.jwt_verify'
  return {
    ...common,
    name: 'jwt_verify',
    doc: [
      'Checks a token (JWT, RFC 7519) and gives its claims; nil and a reason for whatever is wrong with it.',
      '',
      `A token has to be signed with the key and one of \`algorithms\`, which are ${jwtAlgorithms.join(', ')}; never \`none\`.`,
      'It has to have an `exp` to come, an `nbf` and an `iat` not to come, the `iss` and the `aud` that the options name;',
      'one with an `aud` is refused when they name none, and one without `exp` unless they allow it. A header with `crit`',
      'or `b64`, or with a `typ` other than that of the options (without: `JWT`), is refused. `kid`, `jwk`, `jku`, `x5c`',
      'and `x5u` of the header are never looked at. Of two equal members the last counts.',
      '',
      keyRules,
      '',
      `Counts as ${cryptoLimits.tokenOperations} operations. Raises for keys and options that are wrong, never for a token. Not allowed at`,
      'module scope and inside `db.transaction`.',
    ].join('\n'),
    params: [
      { name: 'token', type: 'string', doc: `The token, at most ${cryptoLimits.tokenBytesMax} bytes.` },
      keyParam('public', 'RS256, ES256 and EdDSA'),
      { name: 'options', type: 'any', luaType: 'crypto.VerifyOptions', doc: '`algorithms` is required.' },
    ],
    returns: [
      { luaType: 'table<string, any>?', doc: 'The claims; nil when the token is not valid.' },
      { luaType: 'string?', doc: 'Why it is not.' },
    ],
    example: [
      'local claims, reason = crypto.jwt_verify(token, secrets.get("issuer_key"), {',
      '  algorithms = { "RS256" }, issuer = "https://id.example.com/", audience = "api",',
      '})',
      'if not claims then return { status = 401, json = { error = reason } } end',
    ].join('\n'),
    handler(_call, token, key, options) {
      const read = readVerifyOptions(name, options)
      const keyObject = readJwtKey(name, key, read.algorithms, 'verify')
      return verify(token, keyObject, read, inTurn)
    },
  }
}

async function verify(
  token: LuaValue,
  key: KeyObject,
  options: VerifyOptions,
  inTurn: InTurn,
): Promise<LuaValue | Results> {
  if (typeof token !== 'string') return failure('the token is malformed: it is no text')
  const namesAudience = options.audiences !== undefined
  const reading = readToken(token, { ...options, namesAudience }, Date.now() / 1000)
  if ('reason' in reading) return failure(reading.reason)
  const jose = await loadJose()
  try {
    await inTurn(key, () => jose.jwtVerify(token, key, verifyOptions(options)))
    return new DecodedJson(reading.claims)
  } catch (error) {
    if (error instanceof jose.errors.JOSEError) return failure(reasonOf(error, jose.errors))
    throw error
  }
}

function verifyOptions(options: VerifyOptions): JWTVerifyOptions {
  const { issuers, audiences, subject, typ, maxAgeSeconds } = options
  return {
    algorithms: [...options.algorithms],
    clockTolerance: options.clockSkewSeconds,
    requiredClaims: [...options.required],
    ...(issuers && { issuer: [...issuers] }),
    ...(audiences && { audience: [...audiences] }),
    ...(subject !== undefined && { subject }),
    ...(typ !== undefined && { typ }),
    ...(maxAgeSeconds !== undefined && { maxTokenAge: maxAgeSeconds }),
  }
}

/** A reason that does not depend on how the library words its own. */
function reasonOf(error: errors.JOSEError, kinds: typeof errors): string {
  if (error instanceof kinds.JWTExpired) {
    return error.claim === 'exp' ? 'the token has expired' : 'the token is older than max_age'
  }
  if (error instanceof kinds.JWSSignatureVerificationFailed) return 'the signature does not match'
  if (!(error instanceof kinds.JWTClaimValidationFailed)) return 'the token is malformed'
  const { claim, reason } = error
  if (reason === 'missing') return `the token has no claim "${claim}"`
  if (claim === 'nbf') return 'the token is not valid yet'
  return `the claim "${claim}" is not what is expected`
}
