import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it, type TestContext } from 'node:test'
import {
  createGatewayPlace,
  type GatewayProcess,
  adminHeaders as headers,
} from '../helpers/gateway-process.js'
import { until } from '../helpers/until.js'

const shellDir = 'shell'

/** Two processes that serve one folder. */
async function startBoth(t: TestContext): Promise<readonly [GatewayProcess, GatewayProcess]> {
  const folder = await createGatewayPlace(t, { shellDir })
  await folder.place.write({ [`${shellDir}/index.html`]: '<html><head></head>the shell</html>' })
  return [await folder.serve(), await folder.serve()]
}

async function startTarget(t: TestContext): Promise<string> {
  const target = createServer((_, response) => response.end('the target')).listen(0, '127.0.0.1')
  await new Promise((resolve) => target.once('listening', resolve))
  t.after(() => {
    target.closeAllConnections()
    target.close()
  })
  return `http://127.0.0.1:${(target.address() as AddressInfo).port}`
}

it('takes in what another process has changed', async (t) => {
  const [one, other] = await startBoth(t)
  const target = await startTarget(t)
  await t.test(
    'serves by rules of the proxy that another process has added, changed and deleted',
    async () => {
      assert.equal((await other.send('GET', '/svc')).status, 404)
      const added = await one.send('POST', '/redirects/api/rules', {
        headers,
        json: { pattern: '^/svc$', target },
      })
      const { id } = added.json<{ id: string }>()
      const rule = `/redirects/api/rules/${id}`
      const statusOf = async (path: string) => (await other.send('GET', path)).status
      await until('the other process sends it on', async () => (await statusOf('/svc')) === 200)
      assert.equal((await other.send('GET', rule, { headers })).status, 200)
      await one.send('PUT', rule, { headers, json: { pattern: '^/new$' } })
      await until('the other process knows the pattern', async () => (await statusOf('/new')) === 200)
      assert.equal(await statusOf('/svc'), 404)
      // Nothing of what the first process has changed is undone by the other.
      assert.equal((await other.send('PUT', rule, { headers, json: { name: 'new' } })).status, 200)
      const { name, pattern } = (await other.send('GET', rule, { headers })).json<{
        name: string
        pattern: string
      }>()
      assert.deepEqual([name, pattern], ['new', '^/new$'])
      await other.send('DELETE', rule, { headers })
      // A change does not wait for the next look.
      assert.equal((await one.send('PATCH', `${rule}/toggle`, { headers })).status, 404)
      await until('the first process knows it', async () => (await one.send('GET', '/new')).status === 404)
    },
  )

  await t.test('lets origins read answers as another process was told, and no others', async () => {
    const origin = 'https://app.example.com'
    const allowed = async (from: GatewayProcess) =>
      (await from.send('GET', '/health', { headers: { origin } })).headers['access-control-allow-origin']
    const added = await one.send('POST', '/gateway/api/cors/rules', {
      headers,
      json: { name: 'app', origins: [origin] },
    })
    assert.equal(added.status < 300, true, added.text)
    await until('the other process lets it in', async () => (await allowed(other)) === origin)
    const { id } = added.json<{ id: string }>()
    assert.equal((await other.send('DELETE', `/gateway/api/cors/rules/${id}`, { headers })).status, 200)
    await until('the first process lets it in no more', async () => (await allowed(one)) === undefined)
  })

  await t.test('shows the shell where another process was told to, and nowhere else', async () => {
    const isShell = async (from: GatewayProcess) =>
      (await from.send('GET', '/reports', { headers: { 'sec-fetch-dest': 'document' } })).text.includes(
        'the shell',
      )
    assert.deepEqual([await isShell(one), await isShell(other)], [true, true])
    await one.send('POST', '/gateway/api/shell/excludes', { headers, json: { basename: 'reports' } })
    await until('the other process shows it no more', async () => !(await isShell(other)))
    const removed = await other.send('DELETE', '/gateway/api/shell/excludes/reports', { headers })
    assert.deepEqual(removed.json(), { removed: true, basename: 'reports' })
    await until('the first process shows it again', () => isShell(one))
  })
})

it('keeps what was confirmed when a process is killed in the middle of changes', async (t) => {
  const folder = await createGatewayPlace(t, { rateLimit: { requests: 1000 } })
  const first = await folder.serve()
  const confirmed: string[] = []
  const adding = (async () => {
    for (let at = 0; ; at += 1) {
      const json = { pattern: `^/r${at}$`, target: 'http://127.0.0.1:1' }
      const answer = await first.send('POST', '/redirects/api/rules', { headers, json })
      confirmed.push(answer.json<{ pattern: string }>().pattern)
    }
  })()
  await until('some are there', () => confirmed.length > 20)
  first.process.kill('SIGKILL')
  await assert.rejects(adding)
  await first.ended
  const second = await folder.serve()
  const rules = await second.send('GET', '/redirects/api/rules', { headers })
  const patterns = rules.json<{ pattern: string }[]>().map(({ pattern }) => pattern)
  assert.deepEqual(patterns.slice(0, confirmed.length), confirmed)
  assert.ok(patterns.length <= confirmed.length + 1, 'nothing is there that was not asked for')
  await second.read('/metrics/history')
  assert.equal((await second.send('GET', '/health')).json<{ status: string }>().status, 'healthy')
})
