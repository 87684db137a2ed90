import { type GuardedWorld, vault } from '../../helpers/guarded-world.js'
import { type Bypass, bearer, kept, single } from './row.js'

/** What one request proves must say nothing of the next on its connection; and other ways to speak HTTP. */
export async function connectionRows({ issuer, adminToken }: GuardedWorld): Promise<readonly Bypass[]> {
  const known = `${vault}/known`
  const good = bearer(await issuer.sign({ roles: ['admin'] }))
  const weak = bearer(await issuer.sign())
  const operator = bearer(adminToken)
  const old = (target: string, headers: readonly string[] = [], method = 'GET') =>
    `${[`${method} ${target} HTTP/1.0`, ...headers].join('\r\n')}\r\n\r\n`
  const upgrade = (target: string, headers: readonly string[] = [], what = 'websocket') =>
    kept(target, [
      'Connection: Upgrade',
      `Upgrade: ${what}`,
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    ])
  const body = `GET ${known} HTTP/1.1\r\nHost: a\r\n${good.join('\r\n')}\r\n\r\n`
  return [
    {
      name: 'a request behind one with a token',
      text: kept(known, good) + single(known),
      all: [200, 401],
      runs: 1,
    },
    {
      name: 'requests behind one with a token, and one that is public',
      text: kept(known, good) + kept('/health') + kept(known) + single('/api/v1/admin/plugins'),
      all: [200, 200, 401, 401],
      runs: 1,
    },
    {
      name: 'a request behind one with the admin token',
      text: kept('/health', operator) + single('/api/v1/admin/plugins'),
      all: [200, 401],
    },
    {
      name: 'a change behind one with the admin token',
      text: kept('/health', operator) + single('/api/v1/admin/plugins/victim/disable', [], 'POST'),
      all: [200, 401],
    },
    {
      name: 'a request for admins behind one of an admin',
      text: kept(`${vault}/admin/x`, good) + single(`${vault}/admin/x`, weak),
      all: [200, 403],
      runs: 1,
    },
    {
      name: 'a request to a server behind, behind one with a token',
      text: kept('/site/x', good) + single('/site/admin/x'),
      all: [200, 401],
      runs: 1,
    },
    { name: 'a request behind one that is refused', text: kept(known) + single(known), all: [401, 401] },
    {
      name: 'a token that comes behind the request',
      text: single(known) + kept(known, good),
      statuses: [401],
    },
    {
      name: 'a request with a token as the body of another',
      text: `GET ${known} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      statuses: [401],
    },
    {
      name: 'a token among the trailers',
      text: `POST ${known} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\nConnection: close\r\n\r\n0\r\n${good[0]}\r\n\r\n`,
    },
    { name: 'HTTP/1.0', text: old(known) },
    { name: 'HTTP/1.0, of an admin’s path', text: old('/api/v1/admin/plugins') },
    { name: 'HTTP/1.0, to a server behind', text: old('/site/admin/x') },
    {
      name: 'HTTP/1.0, with a host and a whole target',
      text: old(`http://host.example${known}`, ['Host: a']),
    },
    {
      name: 'HTTP/1.0 that stays open, behind one with a token',
      text: old(known, ['Connection: keep-alive', ...good]) + old(known),
      all: [200, 401],
      runs: 1,
    },
    { name: 'HTTP/0.9', text: `GET ${known}\r\n\r\n`, statuses: [400, 505] },
    { name: 'a target that is only an asterisk', text: single('*') },
    { name: 'OPTIONS of an asterisk', text: single('*', [], 'OPTIONS') },
    { name: 'no target', text: `GET  HTTP/1.1\r\nHost: a\r\n\r\n` },
    { name: 'CONNECT', text: single(`host.example:80`, [], 'CONNECT') },
    { name: 'two hosts', text: kept(known, ['Host: localhost']) },
    {
      name: 'the host that the host itself is',
      text: single(known, []).replace('host.example', '127.0.0.1'),
    },
    ...['/site/admin/x', '/site/x', known, `${vault}/admin/x`, '/api/v1/admin/plugins'].flatMap((path) => [
      { name: `WebSocket at ${path}`, text: upgrade(path), statuses: [400, 401, 403, 404, 426, 501] },
      {
        name: `WebSocket at ${path}, with a token as a protocol`,
        text: upgrade(path, [`Sec-WebSocket-Protocol: ${good[0]?.slice(22)}`]),
        statuses: [400, 401, 403, 404, 426, 501],
      },
      {
        name: `an upgrade to HTTP/2 at ${path}`,
        text: upgrade(path, ['HTTP2-Settings: AAMAAABkAAQAAP__'], 'h2c'),
        statuses: [400, 401, 403, 404, 426, 501],
      },
    ]),
    {
      name: 'WebSocket of an admin’s path, by another',
      text: upgrade('/site/admin/x', weak),
      statuses: [403],
    },
    {
      name: 'WebSocket of another tenant',
      text: upgrade('/site/tenants/other/x', bearer(await issuer.sign({ tenant: 'acme' }))),
      statuses: [403],
    },
    {
      name: 'WebSocket by another method',
      text: upgrade('/site/admin/x').replace('GET', 'POST'),
      statuses: [400, 401, 403, 404, 426, 501],
    },
    { name: 'WebSocket with a way back', text: upgrade('/site/public/..%2fadmin/x'), statuses: [400, 401] },
  ]
}
