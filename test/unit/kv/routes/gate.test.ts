import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { createTokenBuckets } from '../../../../src/base/token-buckets.js'
import { type KvServer, type KvServerOptions, startKvServer } from '../../../helpers/kv-server.js'

async function start(test: TestContext, options?: KvServerOptions): Promise<KvServer> {
  const server = await startKvServer(options)
  test.after(() => server.close())
  return server
}

const as = (role: string) => ({ headers: { authorization: `Bearer ${role}` } })

/** One operation for each permission. */
const operations = [
  ['GET', '/keys', 'kv:read'],
  ['DELETE', '/keys/a', 'kv:write'],
  ['GET', '/queue/poll', 'kv:queue'],
  ['GET', '/watch/poll?keys=a', 'kv:watch'],
] as const

it('only roles that have the permission of an operation may use it', async (test) => {
  const server = await start(test)
  for (const [method, path, permission] of operations) {
    assert.equal((await server.send(method, path, as('admin'))).status, 200)
    for (const role of ['editor', 'constructor', '__proto__', 'toString', 'ADMIN']) {
      const answer = await server.send(method, path, as(role))
      assert.equal(answer.status, 403, `${method} ${path} as ${role}: ${answer.text}`)
      assert.deepEqual(answer.json(), {
        error: `"test" does not have the permission "${permission}" that this needs. An admin can give a role that has it.`,
        code: 'FORBIDDEN',
      })
    }
  }
})

it('requests are limited for each client, those without a credential too', async (test) => {
  let nowMs = 0
  const clock = () => nowMs
  const rate = createTokenBuckets({ perSecond: 2, burst: 4, clock })
  const clientOf = ({ headers }: FastifyRequest) => String(headers['x-client'])
  const server = await start(test, { options: { rate, clientOf } })
  const from = (client: string) => ({ headers: { ...as('admin').headers, 'x-client': client } })
  assert.equal((await server.send('GET', '/keys', { headers: { 'x-client': 'a' } })).status, 401)
  assert.equal((await server.send('GET', '/nothing', from('a'))).status, 404)
  assert.equal((await server.send('GET', '/keys', from('a'))).status, 200)
  assert.equal((await server.send('GET', '/keys', from('a'))).status, 200)
  const refused = await server.send('PUT', '/keys/a', { ...from('a'), json: 1 })
  assert.deepEqual(
    [refused.status, refused.json().code, refused.headers['retry-after']],
    [429, 'RATE_LIMITED', '1'],
  )
  assert.equal((await server.send('GET', '/keys', from('b'))).status, 200)
  nowMs += 500
  assert.deepEqual((await server.send('GET', '/keys', from('a'))).json(), [])
})
