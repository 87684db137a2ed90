import { forgedTokens } from '../../helpers/forged-tokens.js'
import { type GuardedWorld, vault } from '../../helpers/guarded-world.js'
import { type Bypass, bearer, single } from './row.js'

/** Where each is sent that is no credential: to a handler, to one of another issuer, and to the host itself. */
const places = [`${vault}/known`, `${vault}/partner/x`, '/api/v1/admin/plugins'] as const

/** Tokens that are forged, stale, or for somebody else. */
export async function tokenRows({ issuer, partner, evil }: GuardedWorld): Promise<readonly Bypass[]> {
  const forged = await forgedTokens(issuer, partner, evil)
  return Object.entries(forged).flatMap(([what, token]) =>
    places.map((place) => ({
      name: `token at ${place}: ${what}`,
      text: single(place, bearer(token)),
      statuses: [400, 401, 431],
    })),
  )
}

/** Good tokens, sent in ways in which nobody takes them. */
export async function carriageRows({ issuer, adminToken }: GuardedWorld): Promise<readonly Bypass[]> {
  const good = await issuer.sign({ roles: ['admin'] })
  const rows = [
    { place: `${vault}/known`, token: good },
    { place: '/api/v1/admin/plugins', token: adminToken },
    { place: `${vault}/operator/x`, token: adminToken },
  ]
  return rows.flatMap(({ place, token }) => {
    const basic = Buffer.from(`admin:${token}`).toString('base64')
    const carried: Readonly<Record<string, readonly string[]>> = {
      'without a scheme': [`Authorization: ${token}`],
      'as Basic': [`Authorization: Basic ${token}`],
      'as the password of Basic': [`Authorization: Basic ${basic}`],
      'as Basic in capitals': [`Authorization: BASIC ${basic}`],
      'as Digest': [`Authorization: Digest ${token}`],
      'as Token': [`Authorization: Token ${token}`],
      'as JWT': [`Authorization: JWT ${token}`],
      'as Negotiate': [`Authorization: Negotiate ${token}`],
      'with a scheme that begins so': [`Authorization: Bearers ${token}`],
      'with a scheme that ends so': [`Authorization: XBearer ${token}`],
      'with a colon': [`Authorization: Bearer: ${token}`],
      'with an equals sign': [`Authorization: Bearer=${token}`],
      'with a tab': [`Authorization: Bearer\t${token}`],
      'without a space': [`Authorization: Bearer${token}`],
      'in quotes': [`Authorization: Bearer "${token}"`],
      'with a comma': [`Authorization: Bearer ${token},`],
      'with another behind it': [`Authorization: Bearer ${token} ${token}`],
      'with another behind a comma': [`Authorization: Bearer x, Bearer ${token}`],
      'with parameters': [`Authorization: Bearer ${token}; a=b`],
      'named by a parameter': [`Authorization: Bearer token=${token}`],
      'with a no-break space': [`Authorization: Bearer\xa0${token}`],
      'with a mark of the byte order': [`Authorization: \xef\xbb\xbfBearer ${token}`],
      'with the scheme twice': [`Authorization: Bearer Bearer ${token}`],
      'folded into a second line': ['Authorization: Bearer', ` ${token}`],
      'folded in front': ['Authorization:', ` Bearer ${token}`],
      'with a vertical tab': [`Authorization: Bearer \x0b${token}`],
      'with NUL at its end': [`Authorization: Bearer ${token}\0`],
      'with NUL in front': [`Authorization: Bearer \0${token}`],
      'with CR in it': [`Authorization: Bearer ${token.slice(0, 9)}\r${token.slice(9)}`],
      'with a space in it': [`Authorization: Bearer ${token.slice(0, 9)} ${token.slice(9)}`],
      'cut by one character': bearer(token.slice(0, -1)),
      'with one character more': bearer(`${token}x`),
      'with one character in front': bearer(`x${token}`),
      'in capitals': bearer(token.toUpperCase() === token ? token.toLowerCase() : token.toUpperCase()),
      backwards: bearer([...token].reverse().join('')),
      encoded: bearer(Buffer.from(token).toString('base64url')),
      'as hexadecimal': bearer(Buffer.from(token).toString('hex')),
      'with percent signs': bearer(`%${token.charCodeAt(0).toString(16)}${token.slice(1)}`),
      twice: bearer(`${token}${token}`),
      empty: ['Authorization: Bearer '],
      'only a scheme': ['Authorization: Bearer'],
      'no value': ['Authorization:'],
      spaces: ['Authorization: Bearer      '],
      'the word undefined': bearer('undefined'),
      'the word null': bearer('null'),
      'a star': bearer('*'),
      'many characters': bearer('x'.repeat(9000)),
      'in two headers, the first wrong': [...bearer('wrong'), ...bearer(token)],
      'in two headers, the last wrong': [...bearer(token), ...bearer('wrong')],
      'in two headers, both right': [...bearer(token), ...bearer(token)],
      'in two headers of other spelling': [...bearer(token), `AUTHORIZATION: Bearer ${token}`],
      'in two headers, one empty': ['Authorization:', ...bearer(token)],
      'in a header with an underscore': [`Authorization_: Bearer ${token}`],
      'in a header that Connection takes out': [
        `Authorization: Bearer ${token}`,
        'Connection: Authorization',
      ],
      'in a header with a space': [`Authorization : Bearer ${token}`],
      'in a header with a dot': [`Author.ization: Bearer ${token}`],
      'in Proxy-Authorization': [`Proxy-Authorization: Bearer ${token}`],
      'in X-Authorization': [`X-Authorization: Bearer ${token}`],
      'in X-Forwarded-Authorization': [`X-Forwarded-Authorization: Bearer ${token}`],
      'in X-Auth-Token': [`X-Auth-Token: ${token}`],
      'in X-Admin-Token': [`X-Admin-Token: ${token}`],
      'in X-Access-Token': [`X-Access-Token: ${token}`],
      'in X-API-Key': [`X-API-Key: ${token}`],
      'in X-Session-Id': [`X-Session-Id: ${token}`],
      'in a cookie called authorization': [`Cookie: authorization=Bearer ${token}`],
      'in a cookie called token': [`Cookie: token=${token}; access_token=${token}; admin_token=${token}`],
      'in the cookie of sessions': [`Cookie: modulacms_session=${token}`],
      'in a protocol of WebSockets': [`Sec-WebSocket-Protocol: bearer, ${token}`],
    }
    const queries = [
      'access_token',
      'token',
      'authorization',
      'api_key',
      'jwt',
      'Authorization',
      'session',
    ].map((name) => ({
      name: `${place}, in the query as ${name}`,
      text: single(`${place}?${name}=${token}`),
    }))
    const body = {
      name: `${place}, in the body`,
      text: single(
        place,
        ['Content-Type: application/x-www-form-urlencoded'],
        'POST',
        `access_token=${token}`,
      ),
    }
    const headers = Object.entries(carried).map(([how, sent]) => ({
      name: `${place}, a good token ${how}`,
      text: single(place, sent),
      statuses: [400, 401, 431],
    }))
    return [...headers, ...queries, body]
  })
}

/** Credentials that are good for other paths. */
export async function otherRows({ issuer, partner, adminToken }: GuardedWorld): Promise<readonly Bypass[]> {
  const user = await issuer.sign({
    roles: ['reader', 'Admin', 'ADMIN', 'administrator', 'admin ', 'owner2', '*'],
  })
  const row = (place: string, what: string, token: string, method = 'GET'): Bypass => ({
    name: `${method} ${place} with ${what}`,
    text: single(place, bearer(token), method),
    statuses: [401, 403],
  })
  return [
    row(`${vault}/known`, 'the admin token', adminToken),
    row(`${vault}/partner/x`, 'the admin token', adminToken),
    row(`${vault}/partner/x`, 'a token of another issuer', await issuer.sign({ roles: ['admin'] })),
    row(`${vault}/operator/x`, 'a token of an admin', await issuer.sign({ roles: ['admin'] })),
    row('/site/admin/x', 'the admin token', adminToken),
    ...[
      `${vault}/admin/x`,
      `${vault}/admin/a/b`,
      '/site/admin/x',
      '/api/v1/admin/plugins',
      '/gateway/api/pipeline',
    ].map((place) => row(place, 'roles that look like one', user)),
    row('/api/v1/admin/plugins/victim/disable', 'roles that look like one', user, 'POST'),
    row(`${vault}/written`, 'roles that look like one', user, 'POST'),
    row(`${vault}/operator/x`, `the secret of ${partner.issuer}`, partner.secret),
  ]
}
