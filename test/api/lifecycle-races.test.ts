import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { plugin, startHost } from '../helpers/create-host.js'
import { until } from '../helpers/until.js'

const answering = (answer: string) =>
  `http.handle("GET", "/ok", function() return { body = "${answer}" } end, { public = true })`

const acts = ['reload', 'enable', 'disable', 'edit', 'break', 'hang', 'remove'] as const

it('ends any race of orders and edits in one state, and answers 200, 404 or 503 meanwhile', async (test) => {
  const server = await startHost(test, {
    plugins: {
      'racer/init.lua': plugin('racer', answering('0')),
      'calm/init.lua': plugin('calm', answering('calm')),
    },
    hotReload: { debounceMs: 80, cooldownMs: 0 },
    config: { plugin_timeout: 1, plugin_max_instructions: 10_000_000, plugin_max_failures: 1000 },
  })
  let edits = 0
  const perform = async (act: (typeof acts)[number]): Promise<void> => {
    if (act === 'edit' || act === 'break' || act === 'hang') {
      edits += 1
      const hanging = act === 'hang' ? 'function on_init() while true do end end' : ''
      const source = act === 'break' ? 'x = = 1' : plugin('racer', `${answering(String(edits))}\n${hanging}`)
      await server.write({ 'racer/init.lua': source })
    } else if (act === 'remove') {
      await server.remove('racer')
    } else {
      const { status } = await server.send('POST', `/api/v1/admin/plugins/racer/${act}`, {
        headers: server.credentials,
      })
      assert.ok([200, 409, 500].includes(status), `${act} answers ${status}`)
    }
  }
  const statuses = new Set<number>()
  let isOver = false
  const clients = Array.from({ length: 2 }, async () => {
    while (!isOver) {
      statuses.add((await server.call('GET', '/racer/ok')).status)
      assert.equal((await server.call('GET', '/calm/ok')).status, 200)
    }
  })
  const sequences = fc.array(fc.array(fc.constantFrom(...acts), { minLength: 1, maxLength: 4 }), {
    minLength: 2,
    maxLength: 4,
  })
  try {
    await fc.assert(
      fc.asyncProperty(sequences, async (rounds) => {
        for (const round of rounds) await Promise.all(round.map(perform))
        edits += 1
        await server.write({ 'racer/init.lua': plugin('racer', answering(String(edits))) })
        await server.admin('POST', '/racer/enable')
        await until(
          'the last edit serves',
          async () => (await server.call('GET', '/racer/ok')).text === String(edits),
        )
        const { state, failed_reason: reason } = await server.admin('GET', '/racer')
        assert.deepEqual([state, reason], ['running', undefined])
      }),
      { numRuns: 8, endOnFailure: true },
    )
  } finally {
    isOver = true
  }
  await Promise.all(clients)
  for (const status of statuses)
    assert.ok([200, 404, 503].includes(status), `a request was answered ${status}`)
})
