import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, startHost } from '../helpers/create-host.js'
import { runHooks } from '../helpers/embedded-hooks.js'
import { until } from '../helpers/until.js'

describe('the breaker of a hook', () => {
  const body = `
    hooks.on("before_create", "*", function(data)
      if data.ok then return end
      if data.no then return { deny = "no" } end
      error("broken")
    end)
  `

  it('switches a hook for every table off after errors in a row, and an admin switches it on', async (t) => {
    const host = await startHost(t, {
      plugins: { 'a/init.lua': plugin('a', body) },
      hooks: true,
      config: { plugin_hook_max_consecutive_aborts: 3 },
    })
    const create = (table: string, row: object) => runHooks(host, 'before_create', table, row)
    for (const table of ['a', 'b']) await assert.rejects(create(table, {}))
    await create('c', { ok: true })
    // A refusal on purpose is a success of the hook.
    for (let count = 0; count < 5; count += 1)
      await assert.rejects(create('d', { no: true }), /refused this: no/)
    for (const table of ['a', 'b', 'c']) await assert.rejects(create(table, {}))
    assert.deepEqual(await create('d', { x: 1 }), { x: 1 })
    const hook = { plugin: 'a', event: 'before_create', table: '*' }
    const listing = { breakers: [{ ...hook, state: 'open', failures: 3 }] }
    assert.deepEqual(await host.admin('GET', '/hooks/breakers'), listing)
    assert.equal(host.host.plugins.get('a')?.circuit_breaker_state, 'closed')
    await host.admin('POST', '/hooks/breakers/reset', { json: { ...hook, table: 'd' }, status: 404 })
    await host.admin('POST', '/hooks/breakers/reset', { json: hook })
    await assert.rejects(create('d', {}), { code: 'HOOK_VETOED' })
    for (let count = 0; count < 2; count += 1) await assert.rejects(create('d', {}))
    assert.deepEqual(await create('d', {}), {})
    await host.host.plugins.reload('a', 'test')
    await assert.rejects(create('d', {}), { code: 'HOOK_VETOED' })
  })

  it('does not count a hook that found no VM', async (t) => {
    const slow = `
      hooks.on("before_create", "slow", function()
        local n = 0
        while n < 1e9 do n = n + 1 end
      end)
      hooks.on("before_create", "quick", function() return { set = { ran = true } } end)
    `
    const host = await startHost(t, {
      plugins: { 'a/init.lua': plugin('a', slow) },
      hooks: true,
      config: { plugin_max_vms: 1, plugin_hook_timeout_ms: 1500, plugin_hook_max_consecutive_aborts: 2 },
    })
    const held = assert.rejects(host.host.hooks.run('before_create', 'slow', {}), { code: 'HOOK_VETOED' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    const starved = await Promise.allSettled(
      Array.from({ length: 3 }, () => host.host.hooks.run('before_create', 'quick', {})),
    )
    for (const each of starved) {
      assert.equal(each.status, 'rejected')
      assert.deepEqual([each.reason.code, each.reason.status], ['HOOK_UNAVAILABLE', 503])
      assert.equal(each.reason.retryAfterSeconds, 1)
    }
    await held
    const row = await until('a VM is there again', () =>
      host.host.hooks.run('before_create', 'quick', {}).catch(() => undefined),
    )
    assert.deepEqual(row, { ran: true })
  })
})
