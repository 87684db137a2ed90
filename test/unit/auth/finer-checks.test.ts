import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import { allowed } from '../../../src/auth/authorizer.js'
import { FinerChecks } from '../../../src/auth/finer-checks.js'
import { type NotedAccess, noteAccess } from '../../../src/auth/request-access.js'
import { noteIdentity } from '../../../src/auth/request-identity.js'
import { createIdentity } from '../../../src/identity/identity.js'

const asked = { id: '', method: 'GET', path: '/x', query: '', headers: {}, rawHeaders: [], ip: '127.0.0.1' }
const question = { action: 'view', resourceType: 'report', resourceId: '7', attributes: {} }
const outside = { code: 'AUTH_CHECK_OUTSIDE' }

/** A request of somebody that has come in by a rule which allows everything to `ann`. */
function requestOf(sub: string): IncomingMessage {
  const request = {} as IncomingMessage
  noteIdentity(request, createIdentity({ kind: 'user', sub, authenticator: 'test' }))
  const authorizers = [
    {
      name: 'ann_only',
      authorize: ({ identity }: { identity: { sub: string } }) =>
        identity.sub === 'ann' ? allowed : { allows: false as const, reason: `${identity.sub} is not ann` },
    },
  ]
  noteAccess(request, {
    rule: { paths: [], authenticators: [], authorizers, strangers: 'refuse' },
    asked,
  } as unknown as NotedAccess)
  return request
}

describe('FinerChecks', () => {
  const call = { plugin: 'reports', generation: 1, requestId: 'r1' }

  it('answers a call about its own request, until it ends', async () => {
    const checks = new FinerChecks({ error: () => {} })
    const end = checks.open(call, requestOf('ann'))
    const endOther = checks.open({ ...call, requestId: 'r2' }, requestOf('eve'))
    assert.deepEqual(await checks.check(call, question), { allows: true })
    assert.deepEqual(await checks.check({ ...call, requestId: 'r2' }, question), {
      allows: false,
      reason: 'eve is not ann',
    })
    end()
    await assert.rejects(checks.check(call, question), outside)
    end()
    endOther()
  })

  it('answers nobody else: no other plugin, no other generation, no request that it has not seen', async () => {
    const checks = new FinerChecks({ error: () => {} })
    checks.open(call, requestOf('ann'))
    for (const other of [{ plugin: 'other' }, { generation: 2 }, { requestId: 'r9' }, { requestId: '' }]) {
      await assert.rejects(checks.check({ ...call, ...other }, question), outside)
    }
    checks.open({ ...call, requestId: 'r3' }, {} as IncomingMessage)
    await assert.rejects(checks.check({ ...call, requestId: 'r3' }, question), outside)
  })

  it('answers none of two calls with one request id, as a client may choose it', async () => {
    const checks = new FinerChecks({ error: () => {} })
    checks.open(call, requestOf('ann'))
    for (const other of [call, { ...call, plugin: 'other' }, { ...call, generation: 2 }]) {
      const end = checks.open(other, requestOf('eve'))
      await assert.rejects(checks.check(call, question), outside)
      await assert.rejects(checks.check(other, question), outside)
      end()
      assert.deepEqual(await checks.check(call, question), { allows: true })
    }
  })
})
