import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'
import { until } from '../helpers/until.js'

const writer = fileURLToPath(new URL('../helpers/hook-process.js', import.meta.url))

/** Notes what it is given after some work, so that a kill meets hooks that are under way. */
const body = `
  function on_init() db.define_table("seen", { columns = { { name = "n", type = "integer" } } }) end
  hooks.on("after_create", "articles", function(data)
    local x = 0
    for i = 1, 100000 do x = x + i end
    local _, err = db.insert("seen", { n = data.n })
    if err then error(err) end
  end)
  http.handle("GET", "/seen", function(req)
    local out = json.array({})
    local offset = tonumber(req.query.offset)
    for _, row in ipairs(db.query("seen", { order_by = "created_at", limit = 1000, offset = offset })) do
      out[#out + 1] = row.n
    end
    return { json = out }
  end, { public = true })
`

async function seenBy(host: TestHost): Promise<ReadonlySet<number>> {
  const seen = new Set<number>()
  for (let offset = 0; ; offset += 1000) {
    const answer = await host.call('GET', `/a/seen?offset=${offset}`)
    if (answer.status !== 200) continue
    const page = answer.json<number[]>()
    for (const n of page) seen.add(n)
    if (page.length < 1000) return seen
  }
}

/** Lets a process write until it has told of some rows, and kills it in the middle. */
async function writeUntilKilled(folder: string, first: number, rows: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, [writer, folder, String(first)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (out.split('\n').length > rows) child.kill('SIGKILL')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const [code, signal] = await once(child, 'close')
  assert.deepEqual([code, signal], [null, 'SIGKILL'], err)
  return out.split('\n').slice(0, -1).map(Number)
}

test('a process that is killed at any moment owes no after-hook when it is back', async (t) => {
  const host = await startHost(t, {
    plugins: { 'a/init.lua': plugin('a', body) },
    config: { plugin_timeout: 1 },
    hooks: true,
  })
  const folder = fileURLToPath(new URL('..', `file://${host.dataDirectory}/`))
  await host.close()
  const promised: number[] = []
  for (const rows of [1, 300, 100]) {
    promised.push(
      ...(await writeUntilKilled(folder, promised.length === 0 ? 0 : 1000 * promised.length, rows)),
    )
  }
  assert.ok(promised.length >= 401, `${promised.length} rows`)
  await host.restart()
  const owed = await host.admin<{ deliveries: unknown[] }>('GET', '/hooks/deliveries')
  t.diagnostic(`${promised.length} rows were written, ${owed.deliveries.length} deliveries were left`)
  await until('nothing is owed', async () => {
    const { deliveries } = await host.admin<{ deliveries: unknown[] }>('GET', '/hooks/deliveries')
    return deliveries.length === 0
  })
  const seen = await seenBy(host)
  const lost = promised.filter((n) => !seen.has(n))
  assert.deepEqual(lost, [])
})
