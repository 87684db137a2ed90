import { encodePart } from '../../helpers/forged-tokens.js'
import { type GuardedWorld, vault } from '../../helpers/guarded-world.js'
import { type Bypass, bearer, single } from './row.js'

const identity = {
  kind: 'user',
  type: 'user',
  sub: 'root',
  id: 'root',
  roles: ['admin'],
  tenant: 'other',
  permissions: ['*'],
}
const claimedIdentities = [JSON.stringify(identity), encodePart(identity), 'root', 'admin']

/** Headers by which servers tell each other who sends a request, where it came from, and what it was. */
const spoofed: Readonly<Record<string, readonly string[]>> = {
  identity: claimedIdentities.flatMap((value) =>
    ['X-Identity', 'x-identity', 'X_Identity', 'X-IDENTITY', 'Identity', 'X-Auth-Identity'].map(
      (name) => `${name}: ${value}`,
    ),
  ),
  user: [
    'X-User',
    'X-Forwarded-User',
    'X-Remote-User',
    'Remote-User',
    'X-Auth-Request-User',
    'X-WEBAUTH-USER',
    'X-User-Id',
    'X-Username',
    'X-Authenticated-User',
    'X-Consumer-Username',
    'X-Forwarded-Email',
    'X-Forwarded-Preferred-Username',
  ].map((name) => `${name}: admin`),
  roles: [
    'X-Roles',
    'X-Role',
    'X-User-Roles',
    'X-Forwarded-Groups',
    'X-Groups',
    'X-Permissions',
    'X-Admin',
    'X-Is-Admin',
  ].map((name) => `${name}: admin`),
  tenant: ['X-Tenant', 'X-Tenant-Id', 'X-Org-Id'].map((name) => `${name}: other`),
  target: [
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Original-URI',
    'X-Forwarded-Uri',
    'X-Forwarded-Path',
    'X-Override-URL',
    'X-Accel-Redirect',
    'X-Sendfile',
    'Content-Location',
    'Destination',
    'X-Proxy-Url',
    'X-HTTP-DestinationURL',
  ].map((name) => `${name}: /health`),
  prefix: [
    'X-Forwarded-Prefix: /health/..',
    'X-Script-Name: /health',
    'X-Base-Url: /health',
    'X-Envoy-Original-Path: /health',
  ],
  address: [
    'X-Forwarded-For',
    'X-Real-IP',
    'X-Client-IP',
    'True-Client-IP',
    'CF-Connecting-IP',
    'X-Originating-IP',
    'X-Remote-Addr',
    'X-Cluster-Client-IP',
    'X-Custom-IP-Authorization',
    'X-ProxyUser-Ip',
  ].map((name) => `${name}: 127.0.0.1`),
  forwarded: ['Forwarded: for=127.0.0.1;by=127.0.0.1;proto=https;host=localhost', 'Via: 1.1 localhost'],
  host: [
    'X-Forwarded-Host: localhost',
    'X-Host: localhost',
    'X-Forwarded-Server: localhost',
    'X-Backend-Host: localhost',
  ],
  protocol: [
    'X-Forwarded-Proto: https',
    'X-Forwarded-Scheme: https',
    'X-Forwarded-Ssl: on',
    'X-Forwarded-Port: 443',
    'Front-End-Https: on',
    'X-Url-Scheme: https',
  ],
  method: ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method'].flatMap((name) =>
    ['GET', 'OPTIONS', 'HEAD'].map((method) => `${name}: ${method}`),
  ),
  connection: [
    'Connection: Authorization',
    'Connection: close, Authorization',
    'Connection: X-Identity',
    'Connection: Cookie',
    'Connection: Host',
    'Keep-Alive: Authorization',
    'TE: Authorization',
    'Trailer: Authorization',
    'Proxy-Connection: Authorization',
  ],
  internal: [
    'X-Internal: true',
    'X-Internal-Request: 1',
    'X-Debug: 1',
    'X-Test-Identity: admin',
    'X-Modulacms-Identity: admin',
    'X-Middleware-Subrequest: src/middleware',
    'Purpose: prefetch',
    'X-Requested-With: XMLHttpRequest',
    'Sec-Fetch-Site: same-origin',
    'Origin: null',
    'Origin: http://host.example',
    'Referer: http://host.example/api/v1/admin/plugins',
  ],
  preflight: ['Access-Control-Request-Method: GET', 'Access-Control-Request-Headers: authorization'],
}

const places = [
  { path: `${vault}/known`, method: 'GET' },
  { path: `${vault}/admin/x`, method: 'GET' },
  { path: `${vault}/written`, method: 'POST' },
  { path: '/site/admin/x', method: 'GET' },
  { path: '/api/v1/admin/plugins', method: 'GET' },
  { path: '/api/v1/admin/plugins/victim/disable', method: 'POST' },
] as const

/** Claims of a client, each alone and all of a kind together, at each place that is guarded. */
export function headerRows(): readonly Bypass[] {
  return places.flatMap(({ path, method }) =>
    Object.entries(spoofed).flatMap(([kind, headers]) => [
      ...headers.map((header) => ({
        name: `${method} ${path} with ${header}`,
        text: single(path, [header], method),
      })),
      {
        name: `${method} ${path} with all headers of ${kind}`,
        text: single(path, headers, method),
        statuses: [400, 401, 404],
      },
    ]),
  )
}

/** The same claims beside a credential that is good for something else. */
export async function claimRows({ issuer }: GuardedWorld): Promise<readonly Bypass[]> {
  const weak = bearer(await issuer.sign({ sub: 'eve', tenant: 'acme', roles: ['reader'] }))
  return Object.entries(spoofed)
    .filter(([kind]) => kind !== 'connection')
    .flatMap(([kind, headers]) =>
      [
        `${vault}/admin/x`,
        `${vault}/tenants/other/data`,
        '/site/tenants/other/data',
        '/api/v1/admin/plugins',
      ].map((path) => ({
        name: `${path} as somebody of another tenant, with all headers of ${kind}`,
        text: single(path, [...weak, ...headers]),
        statuses: [400, 403],
      })),
    )
}

/** Public paths and paths that are public for some methods, sent with headers and methods that name another. */
export function methodRows(): readonly Bypass[] {
  const guarded = `${vault}/written`
  const verbs = [
    'post',
    'Post',
    'POST\t',
    'POSTX',
    'FOO',
    'TRACE',
    'TRACK',
    'PROPFIND',
    'LOCK',
    'COPY',
    'MOVE',
    'MKCOL',
    'SEARCH',
    'PURGE',
    'LINK',
    'M-SEARCH',
    'SOURCE',
    'BIND',
    'ACL',
  ]
  const row = (name: string, text: string, statuses = [400, 401, 403, 404, 405, 501]): Bypass => ({
    name,
    text,
    statuses,
  })
  return [
    ...verbs.map((verb) => row(`${JSON.stringify(verb)} ${guarded}`, single(guarded, [], verb))),
    ...verbs.map((verb) => row(`${JSON.stringify(verb)} ${vault}/known`, single(`${vault}/known`, [], verb))),
    ...verbs.map((verb) => row(`${JSON.stringify(verb)} /site/admin/x`, single('/site/admin/x', [], verb))),
    ...['PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((verb) =>
      row(`${verb} ${vault}/open`, single(`${vault}/open`, [], verb)),
    ),
    ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((verb) =>
      row(`${verb} /site/public/x`, single('/site/public/x', [], verb)),
    ),
    ...['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE'].map((verb) =>
      row(`${verb} ${vault}/admin/x`, single(`${vault}/admin/x`, [], verb)),
    ),
    ...['HEAD', 'OPTIONS'].flatMap((verb) =>
      ['/site/admin/x', '/api/v1/admin/plugins', `${vault}/known`].map((path) =>
        row(`${verb} ${path}`, single(path, [], verb)),
      ),
    ),
    row(`POST ${vault}/open, which is public for GET`, single(`${vault}/open`, [], 'POST')),
    row(`POST ${vault}/open, called GET`, single(`${vault}/open`, ['X-HTTP-Method-Override: GET'], 'POST')),
    row(`POST ${vault}/open, called GET in the query`, single(`${vault}/open?_method=GET`, [], 'POST')),
    row(
      `POST ${guarded}, called GET in the body`,
      single(guarded, ['Content-Type: application/x-www-form-urlencoded'], 'POST', '_method=GET'),
    ),
    row(
      `OPTIONS ${vault}/known, as a preflight`,
      single(`${vault}/known`, ['Origin: http://a.example', 'Access-Control-Request-Method: GET'], 'OPTIONS'),
    ),
    // These are answered, by what is public, and reach nothing else.
    ...['POST', 'DELETE'].map((method) =>
      row(`GET ${guarded}, called ${method}`, single(guarded, [`X-HTTP-Method-Override: ${method}`]), [200]),
    ),
  ]
}
