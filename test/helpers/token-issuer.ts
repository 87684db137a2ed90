import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose'

/** Who issues tokens, with keys that it publishes at an address and can change. */
export interface TokenIssuer {
  readonly issuer: string
  readonly jwksUri: string
  /** How often the keys, or the document that says where they are, were fetched. */
  readonly fetches: () => number
  /** Makes a token that is good for the audience `app`, but for what is said here. */
  sign(claims?: Readonly<Record<string, unknown>>, header?: Partial<JWTHeaderParameters>): Promise<string>
  /** Publishes another key in the place of those that there are; tokens are signed with it from now on. */
  rotate(): Promise<void>
  /** Answers requests for the keys in another way; with the keys again when missing. */
  answer(listener?: RequestListener): void
}

/** Starts one; it goes with the test. */
export async function startTokenIssuer(test: Pick<TestContext, 'after'>): Promise<TokenIssuer> {
  let count = 0
  let fetches = 0
  let keys: readonly object[] = []
  let signer: { readonly key: CryptoKey; readonly kid: string } | undefined
  let answer: RequestListener | undefined
  const publish: RequestListener = ({ url }, response) => {
    const isDocument = url === '/.well-known/openid-configuration'
    const answer = isDocument ? { issuer, jwks_uri: `${issuer}/keys` } : { keys }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }
  const server = createServer((request, response) => {
    fetches += 1
    ;(answer ?? publish)(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  test.after(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const rotate = async (): Promise<void> => {
    count += 1
    const kid = `key-${count}`
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
    keys = [{ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }]
    signer = { key: privateKey, kid }
  }
  await rotate()
  return {
    issuer,
    jwksUri: `${issuer}/keys`,
    fetches: () => fetches,
    rotate,
    answer: (listener) => {
      answer = listener
    },
    async sign(claims = {}, header = {}) {
      if (signer === undefined) throw new Error('there is no key')
      const now = Math.floor(Date.now() / 1000)
      const all = { iss: issuer, aud: 'app', sub: 'ann', iat: now, exp: now + 300, ...claims }
      const given = Object.entries(all).filter(([, value]) => value !== undefined)
      return new SignJWT(Object.fromEntries(given))
        .setProtectedHeader({ alg: 'RS256', kid: signer.kid, ...header })
        .sign(signer.key)
    },
  }
}
