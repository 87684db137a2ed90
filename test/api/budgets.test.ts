import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'
import { until } from '../helpers/until.js'

const hostile = (name: string) =>
  plugin(
    name,
    `
local public = { public = true }
local fail = false
http.use(function(req) if req.query.middleware then error("middleware") end end)
http.handle("GET", "/spin", function() while true do end end, public)
http.handle("GET", "/pcall", function() while true do pcall(function() while true do end end) end end, public)
http.handle("GET", "/raise", function() error("no") end, public)
http.handle("GET", "/own500", function() return { status = 500 } end, public)
http.handle("GET", "/ok", function() return { json = { ok = true } } end, public)
http.handle("GET", "/hoard", function() local t = {} while true do t[#t + 1] = ("x"):rep(100000) .. #t end end, public)
http.handle("POST", "/ok", function() return { json = { ok = true } } end, public)
`,
  )
const calm = plugin(
  'calm',
  'http.handle("GET", "/ok", function() return { json = { ok = true } } end, { public = true })',
)
const plugins = { 'hostile/init.lua': hostile('hostile'), 'calm/init.lua': calm }

async function assertCalm(server: TestHost): Promise<void> {
  assert.equal((await server.call('GET', '/calm/ok')).status, 200)
}

interface Details {
  readonly state: string
  readonly quarantined: boolean
  readonly circuit_breaker_state: string
  readonly circuit_breaker_errors: number
  readonly vms_total: number
  readonly vms_available: number
}

const detailsOf = (server: TestHost, name = 'hostile') => server.admin<Details>('GET', `/${name}`)

it('stops a handler at its time, in pcall too, answers 504, to others 503 POOL_EXHAUSTED with Retry-After while no VM is free, and goes on with a fresh VM', async (test) => {
  const server = await startHost(test, {
    plugins,
    config: { plugin_timeout: 1, plugin_max_instructions: 1_000_000_000_000, plugin_max_vms: 1 },
  })
  for (const path of ['/spin', '/pcall']) {
    const spinning = server.call('GET', `/hostile${path}`)
    const waited = await until('the VM is taken', async () => {
      const answer = await server.call('GET', '/hostile/ok')
      return answer.status === 503 && answer
    })
    assert.equal(waited.code, 'POOL_EXHAUSTED')
    assert.equal(waited.headers['retry-after'], '1')
    await assertCalm(server)
    const answer = await spinning
    assert.equal(answer.status, 504)
    assert.equal(answer.code, 'HANDLER_TIMEOUT')
    await assertCalm(server)
    await until('a new VM serves', async () => (await server.call('GET', '/hostile/ok')).status === 200)
  }
  assert.equal((await detailsOf(server)).quarantined, false, 'a soft stop is no reason for a quarantine')
})

describe('small budgets and a breaker that is open for a short while', () => {
  const shared = useHost({
    plugins: { 'calm/init.lua': calm },
    config: {
      plugin_max_instructions: 20_000_000,
      plugin_max_memory: 4 * 1024 * 1024,
      plugin_reset_interval: '500ms',
    },
  })

  it('stops a handler at its instructions and one at its memory; both count for the breaker', async (test) => {
    const server = shared()
    await install(test, server, { 'greedy/init.lua': hostile('greedy') })
    const spun = await server.call('GET', '/greedy/spin')
    assert.deepEqual([spun.status, spun.code], [504, 'HANDLER_TIMEOUT'])
    await until('the VM is rebuilt', async () => (await server.call('GET', '/calm/ok')).status === 200)
    assert.equal((await detailsOf(server, 'greedy')).circuit_breaker_errors, 1)
    const hoarded = await server.call('GET', '/greedy/hoard')
    assert.deepEqual([hoarded.status, hoarded.code], [500, 'HANDLER_ERROR'])
    assert.equal((await detailsOf(server, 'greedy')).circuit_breaker_errors, 2)
    for (let failure = 2; failure < 5; failure += 1) await server.call('GET', '/greedy/raise')
    assert.equal((await server.call('GET', '/greedy/ok')).code, 'CIRCUIT_BREAKER_OPEN')
    await assertCalm(server)
  })

  it('opens the breaker after five failures in a row, lets one probe through and closes after it', async (test) => {
    const server = shared()
    await install(test, server, { 'failing/init.lua': hostile('failing') })
    for (let failure = 0; failure < 4; failure += 1) await server.call('GET', '/failing/raise')
    assert.equal((await server.call('GET', '/failing/own500')).status, 500)
    assert.equal(
      (await detailsOf(server, 'failing')).circuit_breaker_errors,
      0,
      'a 500 of the handler itself is a success',
    )
    for (let failure = 0; failure < 5; failure += 1) {
      assert.equal((await server.call('GET', '/failing/ok?middleware=1')).code, 'HANDLER_ERROR')
    }
    const open = await server.call('GET', '/failing/ok')
    assert.deepEqual([open.status, open.code], [503, 'CIRCUIT_BREAKER_OPEN'])
    assert.equal((await detailsOf(server, 'failing')).circuit_breaker_state, 'open')
    await assertCalm(server)
    await until(
      'half-open',
      async () => (await detailsOf(server, 'failing')).circuit_breaker_state === 'half-open',
    )
    assert.equal((await server.call('GET', '/failing/raise')).code, 'HANDLER_ERROR')
    assert.equal(
      (await server.call('GET', '/failing/ok')).code,
      'CIRCUIT_BREAKER_OPEN',
      'a failed probe opens it',
    )
    await until(
      'half-open',
      async () => (await detailsOf(server, 'failing')).circuit_breaker_state === 'half-open',
    )
    assert.equal((await server.call('GET', '/failing/ok')).status, 200)
    assert.equal((await detailsOf(server, 'failing')).circuit_breaker_state, 'closed')
  })

  it('lets exactly one probe of many requests through a half-open breaker', async (test) => {
    const server = shared()
    await install(test, server, { 'probed/init.lua': hostile('probed') })
    for (let failure = 0; failure < 5; failure += 1) await server.call('GET', '/probed/raise')
    await until(
      'half-open',
      async () => (await detailsOf(server, 'probed')).circuit_breaker_state === 'half-open',
    )
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.call('GET', '/probed/spin')))
    const codes = answers.map(({ code }) => code)
    assert.equal(codes.filter((code) => code === 'HANDLER_TIMEOUT').length, 1)
    assert.equal(codes.filter((code) => code === 'CIRCUIT_BREAKER_OPEN').length, 19)
  })

  it('is reset by enable', async (test) => {
    const server = shared()
    await install(test, server, { 'enabled/init.lua': hostile('enabled') })
    for (let failure = 0; failure < 5; failure += 1) await server.call('GET', '/enabled/raise')
    assert.equal((await server.call('GET', '/enabled/ok')).code, 'CIRCUIT_BREAKER_OPEN')
    await server.admin('POST', '/enabled/enable')
    assert.equal((await server.call('GET', '/enabled/ok')).status, 200)
  })
})

/** Those that a hard stop takes along are answered with 503 EXECUTOR_LOST, or served on another thread. */
async function assertOthersAnswered(server: TestHost): Promise<void> {
  const stuck = server.call('GET', '/hostile/spin')
  const others = await Promise.all(Array.from({ length: 50 }, () => server.call('GET', '/calm/ok')))
  for (const answer of others) {
    assert.ok(
      answer.status === 200 || ['EXECUTOR_LOST', 'POOL_EXHAUSTED'].includes(answer.code ?? ''),
      answer.text,
    )
  }
  assert.equal((await stuck).status, 504)
  assert.equal((await server.send('GET', '/health')).status, 200)
  await until('calm serves', async () => (await server.call('GET', '/calm/ok')).status === 200)
}

it('terminates a thread that does not stop, quarantines its plugin over a restart until it is enabled, and answers those that it takes along', async (test) => {
  const server = await startHost(test, {
    plugins,
    softLimits: false,
    config: { plugin_timeout: 1, plugin_executors: 2 },
  })
  // Calls on the same thread as the one that is stuck: none of them may be lost without an answer.
  const [stuck, ...others] = await Promise.all([
    server.call('GET', '/hostile/spin'),
    ...Array.from({ length: 20 }, () => server.call('GET', '/calm/ok')),
  ])
  assert.deepEqual([stuck?.status, stuck?.code], [504, 'HANDLER_TIMEOUT'])
  for (const { status } of others) assert.equal(status, 200)
  assert.equal((await detailsOf(server)).quarantined, true)
  assert.ok(server.lines.some(({ plugin: name, msg }) => name === 'hostile' && /quarantined/.test(msg)))
  await until('the thread is back', async () => (await server.call('GET', '/hostile/ok')).status === 200)
  await assertCalm(server)

  await server.restart()
  assert.equal((await detailsOf(server)).quarantined, true, 'a restart does not lift it')
  assert.equal((await server.call('GET', '/hostile/ok')).status, 200, 'a quarantined plugin serves')
  const again = server.call('GET', '/hostile/spin')
  for (let request = 0; request < 20; request += 1) await assertCalm(server)
  assert.equal((await again).code, 'HANDLER_TIMEOUT')

  await server.admin('POST', '/hostile/enable')
  assert.equal((await detailsOf(server)).quarantined, false)
  await server.restart({ config: { plugin_timeout: 1, plugin_executors: 1 } })
  assert.equal((await detailsOf(server)).quarantined, false)
  await assertOthersAnswered(server)
})
