import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose'

type Said = Readonly<Record<string, unknown>>

/** What a forger makes tokens with. */
export interface Forge {
  /** Claims of a token that counts, for the sign-in that was begun with this nonce. */
  claims(nonce: string): Said
  /** Signs as the provider does, with another header if one is given. */
  sign(claims: Said, header?: Said): Promise<string>
  /** Signs with a key that the provider does not have. */
  signAsOther(claims: Said, header?: Said): Promise<string>
  /** Writes a token without a signature. */
  unsigned(claims: Said): string
  /** Signs with a text in the place of a key. */
  signWithText(claims: Said, text: string): string
  /** The public key of the provider, as PEM. */
  readonly publicKey: string
  /** The public key that tokens of `signAsOther` are verified with. */
  readonly otherKey: JWK
  readonly issuer: string
}

/** A provider whose token endpoint answers with whatever the test says. */
export interface ForgingProvider extends Forge {
  /** Makes what the token endpoint answers next with. */
  answer: (nonce: string) => Promise<Said>
  /** Members of its document that are others than they should be. */
  document: Said
  /** Requests by path since the start. */
  readonly requests: ReadonlyMap<string, number>
  /** The nonce of the sign-in whose code is redeemed next. */
  nonce: string
}

/** Starts one; it goes with the test. */
export async function startForgingProvider(test: Pick<TestContext, 'after'>): Promise<ForgingProvider> {
  const requests = new Map<string, number>()
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
  const other = await generateKeyPair('RS256', { extractable: true })
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'own', alg: 'RS256', use: 'sig' }]
  const server = createServer(async ({ url = '' }, response) => {
    const path = url.split('?', 1)[0] ?? ''
    requests.set(path, (requests.get(path) ?? 0) + 1)
    const body =
      path === '/token' ? await forging.answer(forging.nonce) : path === '/keys' ? { keys } : document()
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const document = (): Said => ({
    issuer,
    jwks_uri: `${issuer}/keys`,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    authorization_response_iss_parameter_supported: true,
    id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
    ...forging.document,
  })
  const sign =
    (key: CryptoKey) =>
    (claims: Said, header: Said = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'own', ...header }).sign(key, {
        crit: Object.fromEntries(((header.crit ?? []) as string[]).map((name) => [name, true])),
      })
  const forging: ForgingProvider = {
    issuer,
    requests,
    nonce: '',
    document: {},
    publicKey: await exportSPKI(publicKey),
    otherKey: await exportJWK(other.publicKey),
    claims(nonce) {
      const now = Math.floor(Date.now() / 1000)
      return { iss: issuer, aud: 'app', sub: 'ann', iat: now, exp: now + 300, nonce }
    },
    sign: sign(privateKey),
    signAsOther: sign(other.privateKey),
    unsigned: (claims) => `${part({ alg: 'none' })}.${part(claims)}.`,
    signWithText(claims, text) {
      const signed = `${part({ alg: 'HS256', kid: 'own' })}.${part(claims)}`
      return `${signed}.${createHmac('sha256', text).update(signed).digest('base64url')}`
    },
    async answer(nonce) {
      return tokens(await forging.sign(forging.claims(nonce)))
    },
  }
  return forging
}

/** Gives what a token endpoint answers with. */
export function tokens(idToken: string | undefined): Said {
  return { access_token: 'opaque', token_type: 'Bearer', expires_in: 60, id_token: idToken }
}

function part(value: Said): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
