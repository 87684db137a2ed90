import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import Fastify from 'fastify'
import { dispatchLimits } from '../../../src/base/limits/plugins.js'
import { drainRest } from '../../../src/plugins/dispatch-body.js'

test('what is left of an injected request, which has no connection, ends nobody', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.addHook('onRequest', async ({ raw }, reply) => {
    // An injected request is never told to be complete.
    assert.notEqual(raw.complete, true)
    drainRest(raw)
    await reply.code(401).send('no')
  })
  app.post('/', async () => 'never')
  const { statusCode } = await app.inject({ method: 'POST', url: '/', payload: 'x'.repeat(1000) })
  assert.equal(statusCode, 401)
  // What its timer throws fails this test.
  await pause(dispatchLimits.lingerMs + 50)
})
