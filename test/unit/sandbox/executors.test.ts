import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CallOutcome } from '../../../src/sandbox/generation.js'
import { call, createSandboxFixture, outcomeOf, useSandboxFixture } from '../../helpers/sandbox-fixture.js'

/** Handlers that most tests need. `stuck` is a native loop that no instruction hook reaches. */
const handlers = `
  probe.on('echo', function(body) return body end)
  probe.on('count', function(body) return probe.count(tonumber(body)) end)
  probe.on('spin', function() while true do end end)
  probe.on('burn', function(body) probe.count(tonumber(body)) for _ = 1, 4e6 do end end)
  probe.on('wait', function(body) probe.wait(tonumber(body)) return 'waited' end)
  probe.on('stuck', function() local t = setmetatable({}, {}) getmetatable(t).__call = t t() end)
  probe.on('alone', function()
    local most = probe.enter(2040)
    for _ = 1, 2e5 do end
    return most
  end)
  probe.on('alone_waiting', function()
    local most = probe.enter(2040)
    probe.wait(2)
    return most
  end)`

const codes = (outcomes: readonly CallOutcome[]): unknown[] =>
  outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code))

const many = <T>(count: number, make: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => make(at)))

/** Calls again while the answer is that there is no VM: right after a stop all may be busy. */
async function persist(attempt: () => Promise<CallOutcome>): Promise<CallOutcome> {
  for (let tries = 0; ; tries += 1) {
    const outcome = await attempt()
    if (outcome.ok || outcome.code !== 'POOL_EXHAUSTED' || tries === 20) return outcome
  }
}

describe('plugins that share the executors', () => {
  const shared = useSandboxFixture()

  it('keep being served while a neighbour spins', async () => {
    const { sandbox, load } = shared()
    const bad = await load('spinner', handlers, {
      vms: 2,
      timeoutMs: 300,
      instructionsMax: Number.MAX_SAFE_INTEGER,
    })
    const good = await load('neighbour', handlers)
    let spinning = 2
    const spins = many(2, () => call(bad, 'spin').finally(() => (spinning -= 1)))
    let served = 0
    const failures: unknown[] = []
    while (spinning > 0) {
      const outcome = await call(good, 'echo', 'x')
      if (outcome.ok) served += 1
      else failures.push(outcome)
    }
    for (const code of codes(await spins)) assert.match(String(code), /^(TIMEOUT|EVICTED)$/)
    assert.deepEqual(failures, [])
    assert.ok(served > 0, `served ${served}`)
    assert.equal(sandbox.isQuarantined('spinner'), false)
    assert.deepEqual(outcomeOf(await persist(() => call(bad, 'echo', 'again'))), ['again'])
  })

  it('have each call run exactly once when an executor hands its queue over', async () => {
    const { counters, load } = shared()
    const slow = await load('slow', handlers, { vms: 2 })
    const quick = await load('quick', handlers, { vms: 4 })
    const rounds = await many(4, async (round) => {
      const burns = many(2, (at) => call(slow, 'burn', String(1000 + round * 2 + at)))
      const counts = await many(100, async (at) => {
        const outcome = await call(quick, 'count', String(round * 100 + at))
        return { cell: round * 100 + at, outcome }
      })
      return { burns: await burns, counts }
    })
    let done = 0
    for (const { burns, counts } of rounds) {
      for (const { cell, outcome } of counts) {
        const expected = outcome.ok ? 1 : 0
        if (!outcome.ok) assert.equal(outcome.code, 'POOL_EXHAUSTED')
        assert.equal(counters[cell], expected, `call ${cell}`)
        done += expected
      }
      for (const code of codes(burns)) assert.match(String(code), /^(ok|POOL_EXHAUSTED|EVICTED)$/)
    }
    assert.ok(done > 0, `done ${done}`)
    for (let cell = 1000; cell < 1008; cell += 1) assert.ok(Number(counters[cell]) <= 1)
  })

  it('lose only their own slots, and get them back', async () => {
    const { load } = shared()
    const bad = await load('loser', handlers, {
      vms: 1,
      timeoutMs: 300,
      instructionsMax: Number.MAX_SAFE_INTEGER,
    })
    const good = await load('witness', handlers)
    const spin = call(bad, 'spin')
    await call(bad, 'echo', 'queued behind the spin')
    assert.deepEqual(codes(await many(3, () => call(bad, 'echo'))), Array(3).fill('POOL_EXHAUSTED'))
    assert.equal(bad.status().vmsAvailable, 0)
    assert.deepEqual(outcomeOf(await call(good, 'echo', 'x')), ['x'])
    assert.equal(outcomeOf(await spin), 'TIMEOUT')
    assert.equal(bad.status().vmsAvailable, 1)
    assert.deepEqual(outcomeOf(await persist(() => call(bad, 'echo', 'back'))), ['back'])
  })

  it('never run two calls at once in one VM', async () => {
    const { load } = shared()
    const one = await load('one', handlers, { vms: 1 })
    for (const handler of ['alone', 'alone_waiting']) {
      const outcomes = await many(30, () => call(one, handler))
      const results = outcomes.filter((outcome) => outcome.ok).map(outcomeOf)
      assert.ok(results.length > 5, `${handler}: ${results.length}`)
      assert.deepEqual(results, Array(results.length).fill([1]))
      assert.deepEqual(
        [...new Set(codes(outcomes))].filter((code) => code !== 'ok' && code !== 'POOL_EXHAUSTED'),
        [],
      )
    }
  })

  it('serve a thousand calls that arrive at once', async () => {
    const { load, counters } = shared()
    const plugin = await load('busy', handlers, { vms: 1 })
    // Behind those that other tests count in.
    const offset = 1010
    const outcomes = await many(1000, (at) => call(plugin, 'count', String(offset + at)))
    for (const [at, outcome] of outcomes.entries()) assert.equal(counters[offset + at], outcome.ok ? 1 : 0)
    assert.deepEqual(outcomeOf(await call(plugin, 'echo', 'x')), ['x'])
  })
})

describe('a hard stop', () => {
  const slots = { vms: 2, timeoutMs: 300 }

  it('blames the plugin that was stuck, confines it, and loses nothing of the others', async (test) => {
    const fixture = await createSandboxFixture(test)
    const { sandbox, load, counters } = fixture
    const bad = await load('bad', handlers, slots)
    const good = await load('good', handlers)
    const stuck = call(bad, 'stuck')
    const others = await many(100, (at) => call(good, 'count', String(at)))
    const outcome = await stuck
    assert.ok(!outcome.ok)
    assert.equal(outcome.code, 'EXECUTOR_LOST')
    assert.equal(outcome.blamed, true)
    assert.equal(fixture.noticed('hardStopped', 'bad'), 1)
    assert.equal(fixture.noticed('hardStopped'), 1)
    for (const [at, other] of others.entries()) {
      if (!other.ok) assert.equal(other.blamed, false)
      assert.ok(Number(counters[at]) <= 1)
    }
    assert.deepEqual(codes(others), Array(100).fill('ok'))
    assert.equal(sandbox.isQuarantined('bad'), true)
    assert.equal(sandbox.isQuarantined('good'), false)
    assert.deepEqual(outcomeOf(await persist(() => call(bad, 'echo', 'confined'))), ['confined'])
  })

  it('in quarantine hurts nobody else, and ends with it', async (test) => {
    const fixture = await createSandboxFixture(test)
    const { sandbox, load } = fixture
    const bad = await load('bad', handlers, slots)
    const good = await load('good', handlers)
    sandbox.setQuarantine('bad', true)
    assert.deepEqual(outcomeOf(await persist(() => call(bad, 'echo', 'x'))), ['x'])
    let isStuck = true
    const stuck = call(bad, 'stuck').finally(() => (isStuck = false))
    const seen: unknown[] = []
    while (isStuck) seen.push(...codes(await many(5, () => call(good, 'wait', '1'))))
    const outcome = await stuck
    assert.ok(!outcome.ok && outcome.blamed)
    // On a busy machine a call may be put off; none may fail.
    assert.deepEqual(
      [...new Set(seen)].filter((code) => code !== 'ok' && code !== 'POOL_EXHAUSTED'),
      [],
    )
    assert.ok(seen.includes('ok'))
    assert.equal(fixture.noticed('executorLost'), 1)
    assert.deepEqual(outcomeOf(await persist(() => call(bad, 'echo', 'y'))), ['y'])
    sandbox.setQuarantine('bad', false)
    assert.equal(sandbox.isQuarantined('bad'), false)
    assert.deepEqual(outcomeOf(await persist(() => call(bad, 'echo', 'z'))), ['z'])
    const next = await load('bad', handlers, slots)
    assert.deepEqual(outcomeOf(await call(next, 'echo', 'next')), ['next'])
  })

  it('comes earlier while a lock is held', async (test) => {
    const { load } = await createSandboxFixture(test, { executors: 1 })
    const init = `${handlers}
      probe.on('hold', function()
        probe.hold(50)
        local t = setmetatable({}, {}) getmetatable(t).__call = t t()
      end)
      probe.on('held', function() probe.hold(1) probe.release() probe.wait(400) return 'fine' end)`
    const plugin = await load('holder', init, { vms: 1, timeoutMs: 5000 })
    assert.deepEqual(outcomeOf(await call(plugin, 'held')), ['fine'])
    const started = performance.now()
    const outcome = await call(plugin, 'hold')
    assert.ok(!outcome.ok && outcome.blamed)
    assert.ok(performance.now() - started < 3000)
  })

  it('stops what the instruction hook would have stopped, were it not there', async (test) => {
    const { load } = await createSandboxFixture(test, { softLimits: false })
    const bad = await load('bad', handlers, { vms: 1, timeoutMs: 100 })
    const good = await load('good', handlers)
    const outcome = await call(bad, 'spin')
    assert.ok(!outcome.ok && outcome.blamed)
    assert.deepEqual(outcomeOf(await call(good, 'echo', 'x')), ['x'])
  })
})

describe('the memory of the host', () => {
  it('does not run out, whatever a plugin has it encode, decode or copy', async (test) => {
    const { load, noticed } = await createSandboxFixture(test, { executors: 1 })
    const attacks: Readonly<Record<string, string>> = {
      escapes: 'probe.encode(("<"):rep(16777216))',
      controls: 'local s = ("\\1"):rep(4000000) probe.encode({ s, s, s, s })',
      lists: 'probe.decode("[" .. ("[],"):rep(5000000) .. "0]")',
      objects: 'probe.decode("[" .. ("{},"):rep(5000000) .. "0]")',
      numbers: 'probe.decode("[" .. ("1,"):rep(8000000) .. "1234567890123456789]")',
      arguments:
        'local s = ("x"):rep(16777216) local t = {} for i = 1, 200 do t[i] = s end probe.many(table.unpack(t))',
      tables: 'local t = {} for i = 1, 250000 do t[i] = {} end probe.take(t) error("passed")',
      long: 'probe.take(("x"):rep(16777216) .. "x")',
    }
    const source = Object.entries(attacks).map(
      ([name, code]) => `probe.on('${name}', function() ${code} end)`,
    )
    const plugin = await load('hog', `${handlers}\n${source.join('\n')}`, { timeoutMs: 20_000 })
    for (const name of Object.keys(attacks)) {
      const outcome = await persist(() => call(plugin, name))
      assert.ok(!outcome.ok, name)
      assert.equal(outcome.code, 'ERROR', `${name}: ${outcome.message}`)
      assert.match(outcome.message, /too large|more than 250000 values|passed/, name)
    }
    assert.equal(noticed('hardStopped'), 0)
    assert.deepEqual(outcomeOf(await persist(() => call(plugin, 'echo', 'x'))), ['x'])
  })
})

describe('an executor that is lost', () => {
  it('is replaced, and only calls that it had started fail', async (test) => {
    const fixture = await createSandboxFixture(test)
    const { load, counters, sandbox } = fixture
    const init = `${handlers}
      probe.on('crash', function() probe.crash() probe.wait(10000) end)
      probe.on('exit', function() probe.exit() end)`
    const plugin = await load('breaker', init, { vms: 4 })
    for (const [round, handler] of ['crash', 'exit', 'crash'].entries()) {
      const lost = call(plugin, handler)
      const others = await many(20, (at) => call(plugin, 'count', String(round * 20 + at)))
      const outcome = await lost
      assert.ok(!outcome.ok)
      assert.equal(outcome.code, 'EXECUTOR_LOST')
      assert.equal(outcome.blamed, false)
      for (const [at, other] of others.entries()) {
        if (other.ok) assert.equal(counters[round * 20 + at], 1)
        else assert.match(other.code, /^(EXECUTOR_LOST|POOL_EXHAUSTED)$/)
      }
      assert.deepEqual(outcomeOf(await persist(() => call(plugin, 'echo', 'x'))), ['x'])
    }
    assert.equal(fixture.noticed('executorLost'), 3)
    assert.equal(fixture.noticed('hardStopped'), 0)
    assert.equal(sandbox.isQuarantined('breaker'), false)
  })

  it('makes a sandbox that cannot start threads say so, without spinning', async (test) => {
    const fixture = await createSandboxFixture(test, {
      entry: new URL('data:text/javascript,throw new Error("broken entry")'),
    })
    await assert.rejects(fixture.sandbox.ready(), /executor threads cannot start: broken entry/)
    const before = fixture.noticed('executorLost')
    await new Promise((resolve) => setTimeout(resolve, 400))
    assert.ok(fixture.noticed('executorLost') - before <= 3)
  })
})
