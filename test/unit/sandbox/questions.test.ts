import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineError } from '../../../src/base/errors.js'
import { executorLimits } from '../../../src/base/limits/sandbox.js'
import { call, createSandboxFixture, outcomeOf } from '../../helpers/sandbox-fixture.js'
import { until } from '../../helpers/until.js'

const refused = defineError('TEST_REFUSED', 403, 'no entry for {who}')

const handlers = `
  probe.on('ask', function(body) return probe.ask('topic', body) end)
  probe.on('ask_safely', function(body) return pcall(probe.ask, 'topic', body) end)
  probe.on('ask_twice', function(body) return probe.ask('topic', body) .. probe.ask('topic', body) end)
  probe.on('echo', function(body) return body end)`

describe('a question to the host', () => {
  it('names who asks and suspends the call until it is answered', async (test) => {
    const { load, asks } = await createSandboxFixture(test)
    const generation = await load('curious', handlers)
    const outcome = call(generation, 'ask_twice', 'x')
    await until('the question', () => asks.length === 1)
    const { plugin, version, generation: id, topic, phase, requestId, payload } = asks[0]?.ask ?? {}
    assert.deepEqual(
      { plugin, version, id, topic, phase, requestId, payload },
      {
        plugin: 'curious',
        version: '1',
        id: generation.id,
        topic: 'topic',
        phase: 'request',
        requestId: 'r1',
        payload: 'x',
      },
    )
    assert.deepEqual(outcomeOf(await call(generation, 'echo', 'meanwhile')), ['meanwhile'])
    asks[0]?.answer('a')
    await until('the question', () => asks.length === 2)
    asks[1]?.answer('b')
    assert.deepEqual(outcomeOf(await outcome), ['ab'])
  })

  it('shows the refusals of the host to the plugin, and no other errors', async (test) => {
    const { load, asks } = await createSandboxFixture(test)
    const generation = await load('curious', handlers)
    const first = call(generation, 'ask_safely')
    await until('the question', () => asks.length === 1)
    asks[0]?.refuse(refused({ who: 'strangers' }))
    const [ok, message] = outcomeOf(await first) as [boolean, string]
    assert.equal(ok, false)
    assert.match(message, /no entry for strangers/)
    const second = call(generation, 'ask_safely')
    await until('the question', () => asks.length === 2)
    asks[1]?.refuse(new Error('/etc/passwd is missing'))
    const [, hidden] = outcomeOf(await second) as [boolean, string]
    assert.doesNotMatch(hidden, /passwd/)
  })

  it('that is answered too late ends in a timeout, and the late answer in nothing', async (test) => {
    const { load, asks } = await createSandboxFixture(test)
    const generation = await load('curious', handlers, { timeoutMs: 100 })
    const outcome = call(generation, 'ask')
    await until('the question', () => asks.length === 1)
    assert.equal(outcomeOf(await outcome), 'TIMEOUT')
    asks[0]?.answer('late')
    assert.deepEqual(outcomeOf(await call(generation, 'echo', 'still here')), ['still here'])
  })
})

describe('suspended calls', () => {
  it('hold the VMs of their plugin, in all executors together, and none of a neighbour', async (test) => {
    const { load, asks } = await createSandboxFixture(test)
    const waiting = await load('waiting', handlers, { vms: 4, reservedVms: 1 })
    const neighbour = await load('neighbour', handlers)
    const held = Array.from({ length: 3 }, () => call(waiting, 'ask'))
    await until('the question', () => asks.length === 3)
    assert.equal(outcomeOf(await call(waiting, 'echo')), 'POOL_EXHAUSTED')
    assert.deepEqual(outcomeOf(await call(waiting, 'echo', 'hook', { reserved: true })), ['hook'])
    assert.deepEqual(outcomeOf(await call(neighbour, 'echo', 'fine')), ['fine'])
    for (const { answer } of asks) answer('done')
    for (const outcome of held) assert.deepEqual(outcomeOf(await outcome), ['done'])
    assert.deepEqual(outcomeOf(await call(waiting, 'echo', 'again')), ['again'])
  })

  it('let others wait for longer than usual while the host is at work for which they may wait', async (test) => {
    const { sandbox, load, asks } = await createSandboxFixture(test)
    const generation = await load('waiting', handlers, { vms: 1, reservedVms: 0 })
    const first = call(generation, 'ask')
    await until('the question', () => asks.length === 1)
    assert.equal(outcomeOf(await call(generation, 'echo')), 'POOL_EXHAUSTED')
    const second = await sandbox.whileHeld(async () => {
      const waiting = call(generation, 'echo', 'next')
      await sleep(3 * executorLimits.checkoutWaitMs)
      asks[0]?.answer('first')
      return waiting
    })
    assert.deepEqual(outcomeOf(second), ['next'])
    assert.deepEqual(outcomeOf(await first), ['first'])
    await sleep(executorLimits.afterHoldMs)
    const third = call(generation, 'ask')
    await until('the question', () => asks.length === 2)
    assert.equal(outcomeOf(await call(generation, 'echo')), 'POOL_EXHAUSTED', 'no longer than that')
    asks[1]?.answer('third')
    await third
  })

  it('make room for a call that waits for one of their VMs', async (test) => {
    const { load, asks } = await createSandboxFixture(test)
    const generation = await load('waiting', handlers, { vms: 1, reservedVms: 0 })
    const first = call(generation, 'ask')
    await until('the question', () => asks.length === 1)
    const second = call(generation, 'echo', 'next')
    setTimeout(() => asks[0]?.answer('first'), executorLimits.checkoutWaitMs / 4)
    assert.deepEqual(outcomeOf(await first), ['first'])
    assert.deepEqual(outcomeOf(await second), ['next'])
  })
})
