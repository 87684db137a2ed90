import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startHost } from '../helpers/create-host.js'

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly responses?: Readonly<Record<string, unknown>>
}

interface Document {
  readonly tags: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

it('describes every operation of a running server, each under a tag that is described', async (t) => {
  const server = await startHost(t, { plugins: {} })
  const { tags, paths } = (await server.send('GET', '/api/v1/openapi.json')).json<Document>()
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  )
  const described = tags.filter(({ description }) => description).map(({ name }) => name)
  for (const { name, operation } of operations) {
    assert.ok(operation.summary, `${name} has no summary`)
    assert.ok(operation.tags?.length, `${name} has no tag`)
    for (const tag of operation.tags) assert.ok(described.includes(tag), `${name}: "${tag}" is not described`)
    const statuses = Object.keys(operation.responses ?? {})
    assert.ok(
      statuses.some((status) => /^[23]/.test(status)),
      `${name} does not say what it answers: ${statuses}`,
    )
  }
  const tagNames = tags.map(({ name }) => name)
  assert.deepEqual(tagNames, [...new Set(tagNames)], 'each tag is there once')
  const ids = operations.map(({ operation }) => operation.operationId).filter(Boolean)
  assert.equal(new Set(ids).size, ids.length, 'each operation has an id of its own')
  const names = operations.map(({ name }) => name)
  for (const name of [
    'GET /gateway/api/stats',
    'GET /gateway/api/sse',
    'GET /gateway/api/pipeline',
    'GET /gateway/api/logs',
    'DELETE /gateway/api/rate-limit/buckets/{key}',
    'POST /gateway/api/shell/excludes',
    'PUT /gateway/api/cors/rules/{id}',
    'POST /gateway/api/cache/invalidate',
    'PATCH /redirects/api/rules/{id}/toggle',
  ]) {
    assert.ok(names.includes(name), `${name} is missing`)
  }
  assert.ok(!names.some((name) => name.includes(' /api/gateway') || name.includes(' /api/proxy')))
})
