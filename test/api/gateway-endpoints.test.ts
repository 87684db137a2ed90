import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { type TestHost, useHost } from '../helpers/create-host.js'
import { DocumentedApi } from '../helpers/documented-api.js'
import { openStream } from '../helpers/event-stream.js'
import type { Answer } from '../helpers/http-client.js'

/** Every endpoint for admins under both prefixes: statuses, shapes, refusals, and that each answer is documented. */

const tag = 'Gateway'
const prefixes = ['/gateway/api', '/api/gateway'] as const
const documented = prefixes[0]

const folder = mkdtempSync(join(tmpdir(), 'modulacms-endpoints-'))
mkdirSync(join(folder, 'dist'))
writeFileSync(join(folder, 'dist', 'index.html'), '<title>shell</title>')
after(() => rmSync(folder, { recursive: true, force: true }))

interface Row {
  /** `METHOD /path`, with parameters as the document has them. */
  readonly operation: string
  /** What is really asked for; the path of the operation when missing. */
  readonly path?: string
  readonly json?: unknown
  readonly body?: string
  readonly type?: string
  readonly status: number
  /** What the answer is, or the names of its members. */
  readonly is?: unknown
  readonly members?: readonly string[]
  readonly code?: string
}

const ruleMembers =
  'id,name,origins,methods,allowedHeaders,exposedHeaders,credentials,maxAge,createdAt,source'.split(',')
const failure = (status: number, code: string, error?: string) =>
  error === undefined ? { status, code } : { status, is: { error, code } }
const origins = ['https://b.example']
const refused = 'GATEWAY_REQUEST_INVALID'

const rows: readonly Row[] = [
  { operation: 'GET /stats', status: 200, members: ['rateLimit', 'cors', 'cache', 'shell', 'logs'] },
  { operation: 'GET /config', status: 200, members: ['rateLimit', 'cors', 'cache', 'shell'] },
  { operation: 'GET /stats', path: '/stats?x=1', ...failure(400, refused) },

  {
    operation: 'GET /rate-limit/metrics',
    status: 200,
    members: ['totalRequests', 'blockedRequests', 'allowedRequests', 'activeBuckets', 'config'],
  },
  {
    operation: 'GET /rate-limit/buckets',
    status: 200,
    members: ['key', 'tokens', 'retryAfter', 'lastActivity'],
  },
  { operation: 'GET /rate-limit/buckets', path: '/rate-limit/buckets?limit=1000&sortBy=tokens', status: 200 },
  { operation: 'GET /rate-limit/buckets', path: '/rate-limit/buckets?sortBy=lastActivity', status: 200 },
  ...['limit=0', 'limit=1001', 'limit=x', 'sortBy=key', 'limit=1&limit=2'].map((query) => ({
    operation: 'GET /rate-limit/buckets',
    path: `/rate-limit/buckets?${query}`,
    ...failure(400, 'RATE_LIMIT_QUERY_INVALID'),
  })),
  {
    operation: 'DELETE /rate-limit/buckets/{key}',
    path: '/rate-limit/buckets/ip%3A192.0.2.1%2F%2525',
    status: 200,
    is: { deleted: false, key: 'ip:192.0.2.1/%25' },
  },
  { operation: 'POST /rate-limit/clear', status: 200, members: ['cleared'] },

  {
    operation: 'GET /logs',
    status: 200,
    members: ['id', 'timestamp', 'ip', 'method', 'path', 'status', 'duration', 'rateLimited'],
  },
  {
    operation: 'GET /logs',
    path: '/logs?limit=1&ip=127.0.0.1&rateLimited=false&statusRange=2&status=200&path=stats',
    status: 200,
  },
  ...['limit=-1', 'limit=x', 'statusRange=0', 'statusRange=4xx', 'rateLimited=yes', 'status=9', 'page=2'].map(
    (query) => ({ operation: 'GET /logs', path: `/logs?${query}`, ...failure(400, refused) }),
  ),
  {
    operation: 'GET /logs/stats',
    status: 200,
    members: ['total', 'rateLimited', 'byStatus', 'avgDuration'],
  },
  { operation: 'DELETE /logs', status: 200, is: { cleared: true } },

  { operation: 'GET /metrics/history', status: 200 },
  { operation: 'GET /metrics/history', path: '/metrics/history?limit=3600', status: 200 },
  ...['limit=3601', 'limit=-1', 'limit=all'].map((query) => ({
    operation: 'GET /metrics/history',
    path: `/metrics/history?${query}`,
    ...failure(400, refused),
  })),
  { operation: 'DELETE /metrics/history', status: 200, is: { cleared: true } },

  { operation: 'GET /shell/excludes', status: 200, members: ['basename', 'source'] },
  {
    operation: 'POST /shell/excludes',
    json: { basename: 'docs' },
    status: 200,
    is: { added: true, basename: 'docs', source: 'database' },
  },
  {
    operation: 'POST /shell/excludes',
    json: { basename: 'a.b' },
    ...failure(400, 'SHELL_BASENAME_INVALID', 'Invalid basename format'),
  },
  {
    operation: 'POST /shell/excludes',
    ...failure(400, 'SHELL_BASENAME_REQUIRED', 'basename is required'),
  },
  {
    operation: 'POST /shell/excludes',
    json: { basename: 'cpanel' },
    ...failure(400, 'SHELL_BASENAME_IN_ENVIRONMENT', 'Already excluded via environment'),
  },
  { operation: 'POST /shell/excludes', body: '{"basename":', ...failure(400, refused) },
  { operation: 'POST /shell/excludes', body: 'docs', type: 'text/plain', ...failure(415, refused) },
  {
    operation: 'POST /shell/excludes',
    json: { basename: 'x'.repeat(300_000) },
    ...failure(413, 'GATEWAY_BODY_TOO_LARGE'),
  },
  {
    operation: 'DELETE /shell/excludes/{basename}',
    path: '/shell/excludes/docs',
    status: 200,
    is: { removed: true, basename: 'docs' },
  },
  {
    operation: 'DELETE /shell/excludes/{basename}',
    path: '/shell/excludes/cpanel',
    ...failure(400, 'SHELL_BASENAME_NOT_REMOVABLE', 'Cannot remove environment-based exclude'),
  },

  { operation: 'GET /cors/rules', status: 200, members: ruleMembers },
  { operation: 'POST /cors/rules', json: { name: 'b', origins }, status: 201, members: ruleMembers },
  { operation: 'POST /cors/rules', json: { origins }, ...failure(400, 'CORS_NAME_REQUIRED') },
  {
    operation: 'PUT /cors/rules/{id}',
    path: '/cors/rules/nobody',
    json: { name: 'b', origins },
    ...failure(404, 'CORS_RULE_NOT_FOUND'),
  },
  {
    operation: 'PUT /cors/rules/{id}',
    path: '/cors/rules/config',
    json: { name: 'b', origins },
    ...failure(400, 'CORS_RULE_CONFIGURED'),
  },
  { operation: 'DELETE /cors/rules/{id}', path: '/cors/rules/nobody', status: 200, is: { removed: false } },

  { operation: 'POST /cache/invalidate', status: 200, is: { invalidated: 'all' } },
  { operation: 'POST /cache/invalidate', json: {}, status: 200, is: { invalidated: 'all' } },
  { operation: 'POST /cache/invalidate', json: { key: 'GET:/x' }, status: 200, is: { invalidated: 0 } },
  { operation: 'POST /cache/invalidate', json: { pattern: '/x/*' }, status: 200, is: { invalidated: 0 } },
  { operation: 'POST /cache/invalidate', json: { tag: 'x' }, status: 200, is: { invalidated: 0 } },
  ...[{ keys: 'x' }, { key: 'x', tag: 'y' }, { key: 5 }, { pattern: '' }, [], 'x'].map((json) => ({
    operation: 'POST /cache/invalidate',
    json,
    ...failure(400, 'CACHE_INVALIDATION_INVALID'),
  })),

  { operation: 'GET /pipeline', status: 200, members: ['name', 'priority', 'phases'] },
]

/** With everything off but what cannot be. */
const offRows: readonly Row[] = [
  ...(
    [
      ['GET /rate-limit/metrics'],
      ['GET /rate-limit/buckets'],
      ['DELETE /rate-limit/buckets/{key}', '/rate-limit/buckets/ip%3A1'],
      ['POST /rate-limit/clear'],
    ] as const
  ).map(([operation, path]) => ({
    operation,
    ...(path && { path }),
    ...failure(400, 'RATE_LIMIT_DISABLED', 'Rate limiting not enabled'),
  })),
  ...(
    [
      ['GET /shell/excludes'],
      ['POST /shell/excludes'],
      ['DELETE /shell/excludes/{basename}', '/shell/excludes/x'],
    ] as const
  ).map(([operation, path]) => ({
    operation,
    ...(path && { path }),
    json: operation.startsWith('POST') ? { basename: 'docs' } : undefined,
    ...failure(400, 'SHELL_NOT_CONFIGURED', 'Shell not configured'),
  })),
  ...[{}, { key: 'GET:/' }, { pattern: '*' }].map((json) => ({
    operation: 'POST /cache/invalidate',
    json,
    ...failure(400, 'CACHE_NOT_ENABLED', 'Cache not enabled'),
  })),
  { operation: 'GET /metrics/history', status: 200, is: [] },
  { operation: 'DELETE /metrics/history', status: 200, is: { cleared: true } },
  { operation: 'GET /logs', status: 200 },
  { operation: 'GET /cors/rules', status: 200, is: [] },
  {
    operation: 'GET /config',
    status: 200,
    is: { rateLimit: null, cors: [], cache: null, shell: null },
  },
  { operation: 'GET /stats', status: 200, members: ['rateLimit', 'cors', 'cache', 'shell', 'logs'] },
]

async function ask(server: TestHost, prefix: string, row: Row, credentials = server.credentials) {
  const [method = '', template = ''] = row.operation.split(' ')
  const answer = await server.send(method, prefix + (row.path ?? template), {
    headers: {
      ...credentials,
      ...(row.body !== undefined && { 'content-type': row.type ?? 'application/json' }),
    },
    ...(row.json !== undefined && { json: row.json }),
    ...(row.body !== undefined && { body: row.body }),
  })
  return { method, template, answer }
}

function checkRow(row: Row, answer: Answer): void {
  assert.equal(answer.status, row.status, answer.text)
  assert.equal(answer.headers['cache-control'], 'no-store')
  const json: unknown = answer.json()
  if (row.is !== undefined) assert.deepEqual(json, row.is)
  if (row.code !== undefined) assert.equal((json as { code: string }).code, row.code)
  if (row.members === undefined) return
  const object: unknown = Array.isArray(json) ? json[0] : json
  assert.ok(object, 'there is one to look at')
  const names = Object.keys(object)
  assert.deepEqual(
    row.members.filter((name) => !names.includes(name)),
    [],
    `${names}`,
  )
}

function nameOf({ operation, path, json, body }: Row): string {
  const sent = json === undefined ? (body ?? '') : JSON.stringify(json)
  return `${operation.split(' ')[0]} ${path ?? operation.split(' ')[1]} ${sent.slice(0, 40)}`.trim()
}

async function documentOf(server: TestHost): Promise<DocumentedApi> {
  return new DocumentedApi((await server.send('GET', '/api/v1/openapi.json')).json())
}

describe('endpoints of a gateway with all its parts', () => {
  const server = useHost({
    plugins: {},
    config: {
      // A bucket that is full again is none, so that it must not fill up before somebody looks.
      'gateway.rateLimit.requests': 2000,
      'gateway.rateLimit.window': '1h',
      'gateway.cors.origin': 'https://a.example',
      'gateway.cache.enabled': true,
      'gateway.shellDir': folder,
    },
  })
  let api: DocumentedApi | undefined

  for (const prefix of prefixes) {
    for (const row of rows) {
      it(`${prefix}: ${nameOf(row)} is ${row.status}`, async () => {
        api ??= await documentOf(server())
        // So that there is a bucket and a line of the log.
        await server().send('GET', '/nowhere')
        const { method, template, answer } = await ask(server(), prefix, row)
        checkRow(row, answer)
        api.check(method, documented + template, answer)
      })
    }

    it(`${prefix}: none answers without a valid token, unknown paths neither`, async () => {
      api ??= await documentOf(server())
      for (const credentials of [{}, { authorization: 'Bearer wrong' }, { cookie: 'token=x' }]) {
        for (const row of [...rows, { operation: 'GET /sse', status: 200 }]) {
          const { method, template, answer } = await ask(server(), prefix, row, credentials as never)
          assert.equal(answer.status, 401, row.operation)
          assert.deepEqual(Object.keys(answer.json()).sort(), ['code', 'error'])
          assert.equal(answer.headers['www-authenticate'], 'Bearer')
          api.check(method, documented + template, answer)
        }
        assert.equal(
          (await server().send('GET', `${prefix}/nothing`, { headers: credentials as never })).status,
          401,
        )
      }
    })

    it(`${prefix}: an admin is told of paths and methods that there are not`, async () => {
      for (const [method, path] of [
        ['GET', '/nothing'],
        ['POST', '/stats'],
        ['GET', ''],
      ] as const) {
        const answer = await server().send(method, prefix + path, { headers: server().credentials })
        assert.deepEqual([answer.status, answer.json().code], [404, 'NOT_FOUND'])
      }
    })
  }

  it('are all in the document, and the rules of the proxy with them', async () => {
    const called = new Set(rows.map(({ operation }) => operation.replace(' ', ` ${documented}`)))
    const own = (await documentOf(server()))
      .operations(tag)
      .filter((operation) => operation.includes(documented))
    assert.deepEqual(own, [...called, `GET ${documented}/sse`].sort())
  })

  it('of the proxy answer as the document says', async () => {
    api ??= await documentOf(server())
    const { credentials: headers } = server()
    const base = '/redirects/api/rules'
    const send = async (method: string, template: string, id: string, json?: unknown) => {
      const answer = await server().send(method, base + template.replace('{id}', id), {
        headers,
        ...(json !== undefined && { json }),
      })
      api?.check(method, base + template, answer)
      return answer
    }
    const added = await send('POST', '', '', { pattern: '^/x', target: 'http://127.0.0.1:9' })
    assert.equal(added.status, 201)
    const { id } = added.json<{ id: string }>()
    assert.equal((await send('POST', '', '', {})).status, 400)
    assert.equal((await send('GET', '', '')).json<unknown[]>().length, 1)
    assert.equal((await send('GET', '/{id}', id)).status, 200)
    assert.equal((await send('PUT', '/{id}', id, { name: 'x' })).status, 200)
    assert.equal((await send('PATCH', '/{id}/toggle', id)).json().enabled, false)
    assert.equal((await send('PUT', '/reorder', '', { ids: [id] })).status, 200)
    assert.deepEqual((await send('DELETE', '/{id}', id)).json(), { success: true })
    for (const method of ['GET', 'PUT', 'DELETE']) {
      assert.equal((await send(method, '/{id}', id, method === 'PUT' ? {} : undefined)).status, 404, method)
    }
    assert.equal((await send('PATCH', '/{id}/toggle', id)).status, 404)
    const stranger = await server().send('GET', base)
    assert.equal(stranger.status, 401)
    api.check('GET', base, stranger)
  })

  it('have all been held against the document', async () => {
    api ??= await documentOf(server())
    const stream = await openStream(`${server().url}/gateway/api/sse`, { ...server().credentials })
    assert.deepEqual(
      [stream.status, stream.headers['content-type']],
      [200, 'text/event-stream; charset=utf-8'],
    )
    stream.close()
    assert.deepEqual(api.unchecked(tag), [])
  })
})

describe('endpoints of a gateway with nothing turned on', () => {
  const server = useHost({ plugins: {} })
  let api: DocumentedApi | undefined
  for (const prefix of prefixes) {
    for (const row of offRows) {
      it(`${prefix}: ${nameOf(row)} is ${row.status}`, async () => {
        const { method, template, answer } = await ask(server(), prefix, row)
        checkRow(row, answer)
        api ??= await documentOf(server())
        api.check(method, documented + template, answer)
      })
    }
  }
})
