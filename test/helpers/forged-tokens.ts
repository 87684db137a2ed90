import { createHmac, createPublicKey } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { TokenIssuer } from './token-issuer.js'

export const encodePart = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Signs a token with a secret, whatever it says of itself. */
export function signWithSecret(
  header: object,
  payload: object,
  secret: string | Buffer,
  hash = 'sha256',
): string {
  const text = `${encodePart(header)}.${encodePart(payload)}`
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`
}

/** Who shares a secret with the host. */
export interface Partner {
  readonly issuer: string
  readonly secret: string
}

/** Spellings of the algorithm that signs nothing, and of none at all. */
const unsigned = [
  'none',
  'None',
  'NONE',
  'nOnE',
  'none ',
  ' none',
  'none\u0000',
  'nоne',
  '',
  null,
  0,
  true,
  ['none'],
  {},
]

/**
 * Makes tokens that nobody may take, by what is wrong with them.
 *
 * @param evil Publishes keys, and is not known to the host.
 */
export async function forgedTokens(
  issuer: TokenIssuer,
  partner: Partner,
  evil: TokenIssuer,
): Promise<Readonly<Record<string, string>>> {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer.issuer, aud: 'app', sub: 'eve', iat: now, exp: now + 300, roles: ['admin'] }
  const ofPartner = { ...claims, iss: partner.issuer }
  const good = await issuer.sign({ roles: ['admin'] })
  const [head = '', body = '', signature = ''] = good.split('.')
  const keys = (await (await fetch(issuer.jwksUri)).json()) as { keys: [JWK & { kid: string }] }
  const [jwk] = keys.keys
  const { kid } = jwk
  const publicKey = createPublicKey({ key: jwk as never, format: 'jwk' })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const own = await generateKeyPair('RS256', { extractable: true })
  const ownJwk = await exportJWK(own.publicKey)
  const signOwn = (header: object, payload: object = claims) =>
    new SignJWT({ ...payload }).setProtectedHeader({ alg: 'RS256', ...header }).sign(own.privateKey)
  const flipped = `${signature.slice(0, 10)}${signature[10] === 'A' ? 'B' : 'A'}${signature.slice(11)}`
  const withSecret = (header: object, secret: string | Buffer, payload: object = claims) =>
    signWithSecret({ alg: 'HS256', ...header }, payload, secret)
  const forged: Record<string, string> = {
    'no algorithm in its header': `${encodePart({ typ: 'JWT' })}.${body}.${signature}`,
    'an algorithm in small letters': `${encodePart({ alg: 'rs256', kid })}.${body}.${signature}`,
    'two algorithms in its header': `${encodePart('{"alg":"RS256","alg":"none"}')}.${body}.`,
    'no signature': `${head}.${body}.`,
    'a signature of another token': `${head}.${encodePart(claims)}.${signature}`,
    'a changed signature': `${head}.${body}.${flipped}`,
    'half a signature': `${head}.${body}.${signature.slice(0, 40)}`,
    'a changed header': `${encodePart({ alg: 'RS256', kid, x: 1 })}.${body}.${signature}`,
    'the public key as a secret': withSecret({ kid }, pem),
    'the public key as a secret, without its last line break': withSecret({ kid }, pem.trim()),
    'the bytes of the public key as a secret': withSecret({ kid }, der),
    'the modulus as a secret': withSecret({ kid }, jwk.n as string),
    'the bytes of the modulus as a secret': withSecret({ kid }, Buffer.from(jwk.n as string, 'base64url')),
    'the key set as a secret': withSecret({ kid }, JSON.stringify(jwk)),
    'the key id as a secret': withSecret({ kid }, kid),
    'an empty secret': withSecret({ kid }, ''),
    'the secret of the partner': withSecret({}, partner.secret),
    'a key that it brings': await signOwn({ jwk: ownJwk }),
    'a secret that it brings': withSecret({ jwk: { kty: 'oct', k: encodePart('x') } }, 'x'),
    'a known key id, signed by another': await signOwn({ kid }),
    'no key id, signed by another': await signOwn({}),
    'an address of keys that it brings': await evil.sign({ ...claims }, { kid, jku: evil.jwksUri }),
    'an address of certificates that it brings': await evil.sign({ ...claims }, { kid, x5u: evil.jwksUri }),
    'certificates that it brings': await signOwn({ kid, x5c: [encodePart('x')], x5t: 'x' }),
    'keys of another issuer, under this one’s name': await evil.sign({ ...claims }),
    'an unencoded payload': withSecret({ b64: false, crit: ['b64'] }, partner.secret, ofPartner),
    'an unknown critical member': withSecret({ crit: ['x'], x: 1 }, partner.secret, ofPartner),
    'a critical list that is empty': withSecret({ crit: [] }, partner.secret, ofPartner),
    'the partner’s name, with keys': await signOwn({}, ofPartner),
    'the partner’s name, signed for the other issuer': await issuer.sign({ ...ofPartner }),
    'the secret of the partner in capitals': withSecret({}, partner.secret.toUpperCase(), ofPartner),
    'the secret of the partner, cut': withSecret({}, partner.secret.slice(0, -1), ofPartner),
    'a hash that the header does not name': signWithSecret({ alg: 'HS512' }, ofPartner, partner.secret),
    'four parts': `${good}.x`,
    'five parts, as one that is encrypted has': `${head}.${body}.${signature}.${body}.${signature}`,
    'two parts': `${head}.${body}`,
    'empty parts': '..',
    'a header that is no JSON': `${encodePart('x')}.${body}.${signature}`,
    'a header that is a list': `${encodePart([1])}.${body}.${signature}`,
    'a header that is null': `${encodePart(null)}.${body}.${signature}`,
    'a payload that is no JSON': `${head}.${encodePart('x')}.${signature}`,
    'a payload that is a list': withSecret({}, partner.secret, [ofPartner]),
    padding: `${head}.${body}.${signature}==`,
    'a token in the token': await issuer.sign({ iss: good, sub: good, aud: good }),
    'a header of many bytes': `${encodePart({ alg: 'RS256', kid, x: 'x'.repeat(5000) })}.${body}.${signature}`,
    'a payload of many bytes': await issuer.sign({ x: 'x'.repeat(13_000) }),
  }
  for (const alg of unsigned) {
    const header = encodePart({ alg, kid })
    forged[`the algorithm ${JSON.stringify(alg)}`] = `${header}.${body}.`
    forged[`the algorithm ${JSON.stringify(alg)}, and the signature`] = `${header}.${body}.${signature}`
  }
  const kids = [
    '',
    '../../../../dev/null',
    '/dev/null',
    `${kid}' OR '1'='1`,
    `${kid}\u0000`,
    ` ${kid}`,
    '*',
    '__proto__',
    'constructor',
  ]
  for (const each of kids) {
    forged[`the key id ${JSON.stringify(each)}`] = withSecret({ kid: each }, '')
    forged[`the key id ${JSON.stringify(each)}, signed by another`] = await signOwn({ kid: each })
  }
  for (const each of [1, null, [kid], { [kid]: 1 }])
    forged[`a key id that is ${JSON.stringify(each)}`] = await signOwn({ kid: each }).catch(() => '..')
  const claimed: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    expired: { exp: now - 120 },
    'expired long ago': { exp: 0 },
    'a negative expiry': { exp: -1 },
    'no expiry': { exp: undefined },
    'an expiry that is a text': { exp: `${now + 300}` },
    'an expiry that is null': { exp: null },
    'an expiry that is a list': { exp: [now + 300] },
    'not yet valid': { nbf: now + 600 },
    'a beginning that is a text': { nbf: '0' },
    'another audience': { aud: 'other' },
    'no audience': { aud: undefined },
    'an audience in capitals': { aud: 'APP' },
    'an audience that begins so': { aud: 'application' },
    'an audience with a space': { aud: 'app ' },
    'an audience that is a list of others': { aud: ['other', 'app2'] },
    'an audience that is an object': { aud: { app: true } },
    'another issuer': { iss: evil.issuer },
    'no issuer': { iss: undefined },
    'an issuer with a slash': { iss: `${issuer.issuer}/` },
    'an issuer in capitals': { iss: issuer.issuer.toUpperCase() },
    'two issuers': { iss: [issuer.issuer] },
    'no subject': { sub: undefined },
    'an empty subject': { sub: '' },
    'a subject that is a number': { sub: 1 },
    'a subject that is a list': { sub: ['ann'] },
    'a subject that is true': { sub: true },
    'a name that is a number': { name: 1 },
    'a subject that is an object': { sub: { toString: 'admin' } },
    'a subject that is too long': { sub: 'x'.repeat(300) },
    'roles that are an object': { roles: { admin: true } },
    'too many roles': { roles: Array.from({ length: 200 }, (_, at) => `r${at}`) },
    'a tenant that is a list': { tenant: ['acme', 'other'] },
    'a tenant that is an object': { tenant: { id: 'acme' } },
  }
  for (const [what, each] of Object.entries(claimed)) forged[what] = await issuer.sign({ ...each } as never)
  return forged
}
