import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type AdminServer, createAdminServer } from '../../helpers/admin-server.js'

interface OperationObject {
  readonly operationId?: string
  readonly summary?: string
  readonly tags?: string[]
  readonly security?: unknown[]
  readonly responses: Record<string, unknown>
}

interface SecurityScheme {
  readonly type: string
  readonly in?: string
  readonly name?: string
  readonly scheme?: string
}

interface Document {
  readonly openapi: string
  readonly info: { readonly version: string }
  readonly paths: Record<string, Record<string, OperationObject>>
  readonly components: { readonly securitySchemes: Record<string, SecurityScheme> }
}

const anyOfThem = [{ bearer: [] }, { apiKey: [] }, { sessionHeader: [] }, { sessionCookie: [] }]

let server: AdminServer
let document: Document

before(async () => {
  server = await createAdminServer()
  document = (await server.app.inject({ url: '/api/v1/openapi.json' })).json()
})

after(async () => {
  await server.app.close()
})

test('the OpenAPI document lists exactly the operations of the admin API', () => {
  assert.equal(document.openapi, '3.1.0')
  assert.equal(document.info.version, '1.2.3')
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(operations.sort(), [
    'DELETE /api/v1/admin/plugins/hooks/deliveries/{id}',
    'GET /api/v1/admin/metrics',
    'GET /api/v1/admin/pipelines',
    'GET /api/v1/admin/pipelines/dry-run',
    'GET /api/v1/admin/plugins',
    'GET /api/v1/admin/plugins/auth-parts',
    'GET /api/v1/admin/plugins/cleanup',
    'GET /api/v1/admin/plugins/core',
    'GET /api/v1/admin/plugins/gateway-access',
    'GET /api/v1/admin/plugins/hooks',
    'GET /api/v1/admin/plugins/hooks/breakers',
    'GET /api/v1/admin/plugins/hooks/deliveries',
    'GET /api/v1/admin/plugins/kv',
    'GET /api/v1/admin/plugins/requests',
    'GET /api/v1/admin/plugins/routes',
    'GET /api/v1/admin/plugins/stages',
    'GET /api/v1/admin/plugins/{name}',
    'GET /api/v1/admin/plugins/{name}/capabilities',
    'GET /api/v1/admin/plugins/{name}/diff',
    'GET /api/v1/admin/plugins/{name}/migrations',
    'POST /api/v1/admin/plugins/auth-parts/approve',
    'POST /api/v1/admin/plugins/auth-parts/revoke',
    'POST /api/v1/admin/plugins/cleanup',
    'POST /api/v1/admin/plugins/core/approve',
    'POST /api/v1/admin/plugins/core/revoke',
    'POST /api/v1/admin/plugins/gateway-access/approve',
    'POST /api/v1/admin/plugins/gateway-access/revoke',
    'POST /api/v1/admin/plugins/hooks/approve',
    'POST /api/v1/admin/plugins/hooks/breakers/reset',
    'POST /api/v1/admin/plugins/hooks/deliveries/{id}/retry',
    'POST /api/v1/admin/plugins/hooks/revoke',
    'POST /api/v1/admin/plugins/kv/approve',
    'POST /api/v1/admin/plugins/kv/revoke',
    'POST /api/v1/admin/plugins/requests/approve',
    'POST /api/v1/admin/plugins/requests/revoke',
    'POST /api/v1/admin/plugins/routes/approve',
    'POST /api/v1/admin/plugins/routes/revoke',
    'POST /api/v1/admin/plugins/stages/approve',
    'POST /api/v1/admin/plugins/stages/revoke',
    'POST /api/v1/admin/plugins/{name}/breaker/reset',
    'POST /api/v1/admin/plugins/{name}/disable',
    'POST /api/v1/admin/plugins/{name}/enable',
    'POST /api/v1/admin/plugins/{name}/migrations/adopt',
    'POST /api/v1/admin/plugins/{name}/migrations/down',
    'POST /api/v1/admin/plugins/{name}/migrations/up',
    'POST /api/v1/admin/plugins/{name}/reload',
    'POST /api/v1/admin/plugins/{name}/sync-capabilities',
  ])
})

test('every operation says what it is, what it needs and how it fails', () => {
  const seen = new Set<string>()
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    assert.ok(operation.operationId && !seen.has(operation.operationId))
    seen.add(operation.operationId)
    assert.ok(operation.summary)
    assert.equal(operation.tags?.length, 1)
    assert.deepEqual(operation.security, anyOfThem)
    for (const status of ['200', '401', '403', '500']) assert.ok(operation.responses[status], status)
  }
})

test('each way to send a credential is described, by the names that the configuration gives', () => {
  const { securitySchemes } = document.components
  assert.deepEqual(
    anyOfThem.flatMap((alternative) => Object.keys(alternative)).sort(),
    Object.keys(securitySchemes).sort(),
  )
  const described = Object.entries(securitySchemes).map(([name, { type, ...rest }]) => [
    name,
    type,
    rest.in,
    rest.name ?? rest.scheme,
  ])
  assert.deepEqual(described, [
    ['bearer', 'http', undefined, 'bearer'],
    ['apiKey', 'apiKey', 'header', 'X-API-Key'],
    ['sessionHeader', 'apiKey', 'header', 'x-session-id'],
    ['sessionCookie', 'apiKey', 'cookie', 'modulacms_session'],
  ])
})
