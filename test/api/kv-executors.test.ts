import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, startHost } from '../helpers/create-host.js'

const calls = 240
const clients = 24

// Between reading and committing, the handler does something long enough for others to come in between.
const bank = plugin(
  'bank',
  `http.handle("POST", "/transfer", function(req)
  local from, to, amount = req.json.from, req.json.to, req.json.amount
  local runs = 0
  local result, err = kv.transaction(function(tx)
    runs = runs + 1
    local source, target = assert(tx:get({ "account", from })), assert(tx:get({ "account", to }))
    local spin = 0
    for n = 1, 5000 do spin = spin + n end
    tx:set({ "account", from }, source.value - amount)
    tx:set({ "account", to }, target.value + amount)
    tx:sum({ "transfers" }, 1)
  end, { max_retries = 100 })
  if not result then return { status = 503, json = { error = err } } end
  if not result.ok then return { status = 409 } end
  return { json = { runs = runs } }
end, { public = true })

http.handle("POST", "/claim", function(req)
  local result = assert(kv.atomic()
    :check({ "prize", req.json.n }, nil)
    :set({ "prize", req.json.n }, req.json.who)
    :commit())
  return { json = { won = result.ok } }
end, { public = true })
`,
)

/** Keeps `clients` calls under way until all have been made. */
async function storm<T>(call: (n: number) => Promise<T>): Promise<readonly T[]> {
  const answers: T[] = []
  let next = 0
  const lane = async () => {
    while (next < calls) answers.push(await call(next++))
  }
  await Promise.all(Array.from({ length: clients }, lane))
  return answers
}

it('commits of several executors neither lose an update nor let two win', async (t) => {
  const server = await startHost(t, {
    plugins: { 'bank/init.lua': bank },
    config: { plugin_executors: 3, plugin_max_vms: 8, plugin_hook_reserve_vms: 0 },
  })
  const kv = server.host.kv.namespace('plugin:bank')
  const accounts = 4
  for (let at = 0; at < accounts; at += 1) await kv.set(['account', at], 1000)

  const transfers = await storm((n) =>
    server.call('POST', '/bank/transfer', {
      json: { from: n % accounts, to: (n + 1) % accounts, amount: n % 7 },
    }),
  )
  const done = transfers.filter(({ status }) => status === 200)
  const runs = done.reduce((sum, { text }) => sum + (JSON.parse(text) as { runs: number }).runs, 0)
  t.diagnostic(`${done.length} transfers took ${runs} runs`)
  assert.ok(done.length > calls / 2, `${done.length} of ${calls} were done`)
  // A call without an answer may have been done: an executor is given up only where calls wait too long.
  const unknown = transfers.filter(({ status }) => status !== 200 && status !== 409).length
  const counted = Number((await kv.get(['transfers'])).value)
  assert.ok(counted >= done.length && counted <= done.length + unknown, `${counted} counted`)
  let total = 0
  for await (const { value } of kv.list({ prefix: ['account'] })) total += Number(value)
  assert.equal(total, accounts * 1000)

  const prizes = calls / 6
  const claims = await storm(async (n) => {
    const answer = await server.call('POST', '/bank/claim', { json: { n: n % prizes, who: n } })
    return { n: n % prizes, won: answer.status === 200 && (JSON.parse(answer.text) as { won: boolean }).won }
  })
  for (let prize = 0; prize < prizes; prize += 1) {
    assert.ok(claims.filter(({ n, won }) => n === prize && won).length <= 1, `prize ${prize} has one winner`)
  }
  assert.equal(await kv.count(['prize']), prizes)
})
