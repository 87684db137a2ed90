import type { TestContext } from 'node:test'
import { password, type SignedIn, withAccounts } from '../../helpers/account-host.js'
import { startHost } from '../../helpers/create-host.js'
import { type GuardedWorld, vault } from '../../helpers/guarded-world.js'
import { type Bypass, bearer, kept, single } from './row.js'

/** Users of the guarded world, with what they have and had. */
export interface AccountWorld {
  readonly ann: SignedIn
  /** Another session of the same user. */
  readonly again: SignedIn
  /** A user who may nothing in particular. */
  readonly mallory: SignedIn
  /** A session that was good, and has been signed out. */
  readonly ended: SignedIn
  /** A session that is good at another host. */
  readonly elsewhere: SignedIn
  readonly key: string
  readonly revokedKey: string
}

export async function createAccounts(test: TestContext, { server }: GuardedWorld): Promise<AccountWorld> {
  const accounts = withAccounts(server)
  const other = withAccounts(await startHost(test, { plugins: {} }))
  await accounts.addUser('ann', { roles: ['admin'] })
  await accounts.addUser('mallory')
  await other.addUser('ann', { roles: ['admin'] })
  const ended = await accounts.signIn('ann')
  await accounts.auth('POST', '/logout', undefined, ended.browser)
  const revoked = await accounts.asAdmin<{ key: string; id: string }>('POST', '/keys', { name: 'old' }, 201)
  await accounts.asAdmin('DELETE', `/keys/${revoked.id}`)
  return {
    ann: await accounts.signIn('ann'),
    again: await accounts.signIn('ann'),
    mallory: await accounts.signIn('mallory'),
    ended,
    elsewhere: await other.signIn('ann'),
    key: await accounts.addKey({}),
    revokedKey: revoked.key,
  }
}

export const tokenOf = ({ cookie }: SignedIn): string => cookie.slice(cookie.indexOf('=') + 1)
export const basic = (name: string, text: string): string =>
  `Authorization: Basic ${Buffer.from(`${name}:${text}`).toString('base64')}`

const path = `${vault}/session/x`
const shut = [400, 401, 403]

/** Sessions that are over, of others, made up, or sent where they do not count. */
export function sessionRows({ ann, again, mallory, ended, elsewhere }: AccountWorld): readonly Bypass[] {
  const good = tokenOf(ann)
  const name = 'modulacms_session'
  const flipped = `${good.slice(0, -2)}${good.at(-2) === 'A' ? 'B' : 'A'}${good.slice(-1)}`
  const bad: Readonly<Record<string, string>> = {
    'that was signed out': tokenOf(ended),
    'of another host': tokenOf(elsewhere),
    'made up': 'A'.repeat(43),
    'with one character changed': flipped,
    'cut by one character': good.slice(0, -1),
    'with one character more': `${good}A`,
    'in capitals': good.toUpperCase(),
    'in quotes': `"${good}"`,
    'with its first character encoded': `%${good.charCodeAt(0).toString(16)}${good.slice(1)}`,
    'with NUL': `${good}\0`,
    'with a space in it': `${good.slice(0, 9)} ${good.slice(9)}`,
    'with a comma': `${good},${good}`,
    'with padding': `${good}=`,
    'its CSRF token': ann.csrf,
    'the id of the session': ann.sessionId,
    'the id of the user': ann.id,
    'no value': '',
    'many characters': 'A'.repeat(5000),
  }
  const carried: Readonly<Record<string, readonly string[]>> = {
    'in a cookie of another case': [`Cookie: Modulacms_Session=${good}`],
    'in a cookie with the prefix of hosts, over a connection that is not secure': [
      `Cookie: __Host-${name}=${good}`,
    ],
    'in a cookie with another prefix': [`Cookie: __Secure-${name}=${good}`],
    'in a cookie of a list': [`Cookie: ${name}[]=${good}`],
    'in a cookie called session': [`Cookie: session=${good}; sid=${good}; SESSIONID=${good}`],
    'in a value of a cookie': [`Cookie: a="x; ${name}2=${good}"`],
    'as a cookie without its name': [`Cookie: ${good}`],
    'in Set-Cookie': [`Set-Cookie: ${name}=${good}`],
    'in Cookie2': [`Cookie2: ${name}=${good}`],
    'as a bearer token': bearer(good),
    'as an API key': [`X-API-Key: ${good}`],
    'as a password': [basic('ann', good)],
    'in a header of another name': [`X-Session: ${good}`, `Session-Id: ${good}`, `X_Session_Id: ${good}`],
    'in two cookies, with one of another': [`Cookie: ${name}=${good}; ${name}=${tokenOf(mallory)}`],
    'in two cookies, behind an empty one': [`Cookie: ${name}=; ${name}=${good}`],
    'in two cookies that are the same': [`Cookie: ${name}=${good}; ${name}=${good}`],
    'in two headers of cookies': [`Cookie: ${name}=${tokenOf(mallory)}`, `Cookie: ${name}=${good}`],
    'in two headers': [`X-Session-Id: ${good}`, `X-Session-Id: ${tokenOf(again)}`],
    'as a cookie beside a header that is none': [`Cookie: ${name}=${good}`, 'X-Session-Id: x'],
  }
  const query = ['session', name, 'x-session-id', 'sid', 'jsessionid'].map((key) =>
    single(`${path}?${key}=${good}`),
  )
  return [
    ...[path, '/site/session/x'].flatMap((place) =>
      Object.entries(bad).flatMap(([what, token]) => [
        {
          name: `${place}, a session ${what}, as a cookie`,
          text: single(place, [`Cookie: ${name}=${token}`]),
          statuses: shut,
        },
        {
          name: `${place}, a session ${what}, as a header`,
          text: single(place, [`X-Session-Id: ${token}`]),
          statuses: shut,
        },
      ]),
    ),
    ...Object.entries(carried).map(([how, headers]) => ({
      name: `a session ${how}`,
      text: single(path, headers),
      statuses: shut,
    })),
    ...query.map((text) => ({ name: `a session in the query: ${text.slice(0, 60)}`, text, statuses: shut })),
    { name: 'a session in the path', text: single(`${path};${name}=${good}`) },
    {
      name: 'a session at a path of admins, of somebody else',
      text: single(`${vault}/session-admin/x`, [`Cookie: ${mallory.cookie}`]),
      statuses: [403],
    },
    ...['/api/v1/admin/plugins/victim/disable', `${vault}/written`].map((place) => ({
      name: `${place}, which takes no session`,
      text: single(place, [`Cookie: ${ann.cookie}`, `X-CSRF-Token: ${ann.csrf}`], 'POST'),
      statuses: shut,
    })),
  ]
}

/** Changes that a page of another site makes a browser send, with the cookie of somebody who is signed in. */
export function forgeryRows({ ann, again, mallory, ended }: AccountWorld): readonly Bypass[] {
  const sent: Readonly<Record<string, readonly string[]>> = {
    'no CSRF token': [],
    'an empty one': ['X-CSRF-Token:'],
    'one of another session of the same user': [`X-CSRF-Token: ${again.csrf}`],
    'one of another user': [`X-CSRF-Token: ${mallory.csrf}`],
    'one of a session that was signed out': [`X-CSRF-Token: ${ended.csrf}`],
    'the token of the session': [`X-CSRF-Token: ${tokenOf(ann)}`],
    'a part of it': [`X-CSRF-Token: ${ann.csrf.slice(0, -1)}`],
    'more than it': [`X-CSRF-Token: ${ann.csrf}x`],
    'it in capitals': [`X-CSRF-Token: ${ann.csrf.toUpperCase()}`],
    'it twice': [`X-CSRF-Token: ${ann.csrf}`, `X-CSRF-Token: ${ann.csrf}`],
    'it behind another': [`X-CSRF-Token: x, ${ann.csrf}`],
    'it in a header of another name': [
      `X-XSRF-Token: ${ann.csrf}`,
      `CSRF-Token: ${ann.csrf}`,
      `X_CSRF_Token: ${ann.csrf}`,
    ],
    'it as a second cookie': [`Cookie: csrf=${ann.csrf}; csrf_token=${ann.csrf}; XSRF-TOKEN=${ann.csrf}`],
    'the word null': ['X-CSRF-Token: null'],
    'a page of another site': [`X-CSRF-Token: ${ann.csrf}`, 'Sec-Fetch-Site: cross-site'],
    'a page of a neighbour': [`X-CSRF-Token: ${ann.csrf}`, 'Sec-Fetch-Site: same-site'],
    'a page of an unknown kind': [`X-CSRF-Token: ${ann.csrf}`, 'Sec-Fetch-Site: x'],
    'an origin of another host': [`X-CSRF-Token: ${ann.csrf}`, 'Origin: https://evil.example'],
    'an origin that begins so': [`X-CSRF-Token: ${ann.csrf}`, 'Origin: http://host.example.evil.example'],
    'an origin that ends so': [`X-CSRF-Token: ${ann.csrf}`, 'Origin: http://evilhost.example'],
    'an origin of another port': [`X-CSRF-Token: ${ann.csrf}`, 'Origin: http://host.example:81'],
    'an origin of nobody': [`X-CSRF-Token: ${ann.csrf}`, 'Origin: null'],
    'two origins': [
      `X-CSRF-Token: ${ann.csrf}`,
      'Origin: http://host.example',
      'Origin: https://evil.example',
    ],
    'a form that calls it a GET': ['X-HTTP-Method-Override: GET', 'Content-Type: text/plain'],
  }
  const socket = (headers: readonly string[], method = 'GET') =>
    kept(
      '/site/session/x',
      [`Cookie: ${ann.cookie}`, 'Connection: Upgrade', 'Upgrade: websocket', ...headers],
      method,
    )
  const origins = ['https://evil.example', 'http://sub.host.example', 'http://host.example:81', 'null', '']
  return [
    ...Object.entries(sent).map(([what, headers]) => ({
      name: `a change with the cookie of a session, and ${what}`,
      text: single(path, [`Cookie: ${ann.cookie}`, ...headers], 'POST'),
      statuses: shut,
    })),
    ...origins.map((origin) => ({
      name: `a WebSocket with the cookie of a session, of a page of "${origin}"`,
      text: socket([`Origin: ${origin}`]),
      statuses: shut,
    })),
    {
      name: 'a change that calls itself a WebSocket, with the cookie of a session',
      text: socket(['Origin: http://host.example'], 'POST'),
      statuses: shut,
    },
    {
      name: 'a WebSocket of the own page, which is let in',
      text: socket(['Origin: http://host.example']),
      statuses: [101],
      runs: 1,
    },
  ]
}

/** API keys and passwords that are not good, or not sent as such. */
export function keyRows({ key, revokedKey, ann }: AccountWorld): readonly Bypass[] {
  const place = `${vault}/key/x`
  const [, id = '', secret = ''] = /^mk_(.{12})_(.*)$/.exec(key) ?? []
  const [, otherId = ''] = /^mk_(.{12})_/.exec(revokedKey) ?? []
  const flipped = `${key.slice(0, -2)}${key.at(-2) === 'A' ? 'B' : 'A'}${key.slice(-1)}`
  const bad = [
    revokedKey,
    flipped,
    key.slice(0, -1),
    `${key}x`,
    key.toUpperCase(),
    key.slice(3),
    `mk_${id}`,
    `mk_${id}_`,
    `mk_${otherId}_${secret}`,
    `mk__${secret}`,
    secret,
    id,
    `"${key}"`,
    `${key}\0`,
    `${key},${key}`,
    `mk_${key}`,
    '',
    'mk_',
    `mk_${'x'.repeat(9000)}`,
  ]
  const carried = [
    [`X-API-Key: ${key}`, `X-API-Key: ${key}x`],
    [`X-Api-Token: ${key}`, `Api-Key: ${key}`, `X_API_Key: ${key}`],
    [`Authorization: ApiKey ${key}`],
    [basic('api', key)],
    [basic(key, '')],
    [`Cookie: api_key=${key}; modulacms_session=${key}`],
    [`X-Session-Id: ${key}`],
  ]
  const guarded = `${vault}/password/x`
  const wrong = [
    basic('ann', 'wrong'),
    basic('ann', ''),
    basic('', password),
    basic('mallory2', password),
    basic('ann', `${password} `),
    basic('ann', password.toUpperCase()),
    basic('ann\0', password),
    basic('ann:', password),
    basic("ann' OR '1'='1", password),
    `Authorization: Basic ${Buffer.from('ann').toString('base64')}`,
    `Authorization: Basic ann:${password}`,
    'Authorization: Basic',
    'Authorization: Basic ====',
    `Authorization: Basic ${Buffer.from(`ann:${password}`).toString('hex')}`,
    `Authorization: Basic ${Buffer.from(`ann:${password}`).toString('base64')}, Basic x`,
    `Authorization: Basic\t${Buffer.from(`ann:${password}`).toString('base64')}`,
    `Authorization: Basic "${Buffer.from(`ann:${password}`).toString('base64')}"`,
    `Authorization: Basic ${'A'.repeat(9000)}`,
    `Proxy-Authorization: Basic ${Buffer.from(`ann:${password}`).toString('base64')}`,
    bearer(password)[0] ?? '',
    `Cookie: ${ann.cookie}`,
  ]
  const statuses = [400, 401, 429, 431]
  return [
    ...bad.flatMap((each) => [
      {
        name: `the key ${each.slice(0, 60)} in a header of its own`,
        text: single(place, [`X-API-Key: ${each}`]),
        statuses,
      },
      { name: `the key ${each.slice(0, 60)} as a bearer token`, text: single(place, bearer(each)), statuses },
    ]),
    ...carried.map((headers) => ({
      name: `a key as ${headers.join(' ').slice(0, 60)}`,
      text: single(place, headers),
      statuses,
    })),
    ...['api_key', 'key', 'x-api-key', 'token'].map((name) => ({
      name: `a key in the query as ${name}`,
      text: single(`${place}?${name}=${key}`),
      statuses,
    })),
    ...[`${vault}/known`, path, `${vault}/partner/x`].map((other) => ({
      name: `a key at ${other}`,
      text: single(other, [`X-API-Key: ${key}`]),
      statuses,
    })),
    ...wrong.map((header) => ({
      name: `a password as ${header.slice(0, 80)}`,
      text: single(guarded, [header]),
      statuses,
    })),
    {
      name: 'two passwords, one of which is right',
      text: single(guarded, [basic('ann', 'wrong'), basic('ann', password)]),
      statuses,
    },
  ]
}
