import assert from 'node:assert/strict'
import { it } from 'node:test'
import Fastify from 'fastify'
import { createMetricsOperations, metricsPrefixes } from '../../../src/admin/metrics-operations.js'
import { createMetricsRoute, type MetricsAccess } from '../../../src/admin/metrics-routes.js'
import { SnapshotStreams } from '../../../src/gateway/monitor/snapshots.js'
import { openStream } from '../../helpers/event-stream.js'
import { adminCredential, authenticateByRole, silentLog } from '../../helpers/gateway-server.js'
import { createHttpClient } from '../../helpers/http-client.js'
import { until } from '../../helpers/until.js'

const admin = { headers: adminCredential }

it('the metrics are there as JSON for admins, and as text for whoever may read /metrics', async (test) => {
  let pool: object | undefined
  const stats = () => ({ pool: pool ?? {}, workers: {} })
  const streams = new SnapshotStreams({ snapshot: stats, log: silentLog() })
  const shared = {
    contentType: 'text/plain; version=0.0.4',
    text: async () => 'up 1\n',
    isPermitted: (request: Parameters<typeof authenticateByRole>[0]) =>
      authenticateByRole(request)?.role === 'admin',
  }
  for (const access of ['admin', 'local'] satisfies MetricsAccess[]) {
    pool = undefined
    const app = Fastify()
    await app.register(createMetricsRoute({ ...shared, access }))
    for (const prefix of metricsPrefixes) {
      const operations = {
        authenticate: authenticateByRole,
        log: silentLog(),
        pool: () => pool,
        stats,
        streams,
      }
      const isDocumented = prefix === metricsPrefixes[0]
      await app.register(createMetricsOperations({ ...shared, ...operations, access, isDocumented }), {
        prefix,
      })
    }
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    const client = createHttpClient(url)
    test.after(async () => {
      client.close()
      await app.close()
    })
    for (const prefix of metricsPrefixes) {
      pool = undefined
      const early = await client.send('GET', `${prefix}/`, admin)
      assert.deepEqual([early.status, early.json().error], [503, 'Pool not initialized'])
      assert.deepEqual((await client.send('GET', `${prefix}/stats`, admin)).json(), { pool: {}, workers: {} })
      pool = { totalRequests: 1 }
      for (const path of ['', '/']) {
        assert.deepEqual((await client.send('GET', prefix + path, admin)).json(), pool)
      }
      for (const path of ['/', '/stats', '/sse', '/none']) {
        assert.equal((await client.send('GET', prefix + path)).status, 401, path)
      }
      assert.equal((await client.send('GET', `${prefix}/none`, admin)).status, 404)
      for (const headers of [{}, adminCredential, { 'x-forwarded-for': '192.0.2.1' }]) {
        const text = await client.send('GET', `${prefix}/prometheus`, { headers })
        const known = await client.send('GET', '/metrics', { headers })
        assert.deepEqual(
          [text.status, text.headers['content-type']],
          [known.status, known.headers['content-type']],
        )
        if (text.status === 200) assert.equal(text.text, known.text)
      }
      const stream = await openStream(`${url}${prefix}/sse`, adminCredential)
      assert.deepEqual(JSON.parse((await stream.next('message'))?.data ?? ''), { pool, workers: {} })
      stream.close()
      await until('nobody is told', () => streams.size === 0)
    }
  }
})
