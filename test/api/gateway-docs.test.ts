import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it, type TestContext } from 'node:test'
import { startHost } from '../helpers/create-host.js'

/** The first example of a language in a page, behind a heading. */
async function exampleOf(page: string, language: string, heading: string): Promise<string> {
  const text = await readFile(new URL(`../../../docs/${page}`, import.meta.url), 'utf8')
  const from = `\n${text}`.indexOf(`\n${heading}\n`)
  assert.notEqual(from, -1, `${page} has no "${heading}"`)
  const example = new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``).exec(text.slice(from))?.[1]
  assert.ok(example, `${page} has no ${language} behind "${heading}"`)
  return example
}

/** A server that says what came to it. */
async function startUpstream(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/broken' ? 500 : 200
    response.end(`${request.url} legacy=${request.headers['x-legacy'] ?? 'no'}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

it('does what the pages about the gateway and its stages say', async (t) => {
  const target = await startUpstream(t)
  const example = (await exampleOf('gateway.md', 'json', '# The gateway')).replace(
    'http://127.0.0.1:3000',
    target,
  )
  const { gateway } = JSON.parse(example) as { gateway: Record<string, Record<string, unknown>> }
  const config = Object.fromEntries(
    Object.entries(gateway).flatMap(([part, keys]) =>
      Object.entries(keys).map(([key, value]) => [`gateway.${part}.${key}`, value]),
    ),
  )
  const lua = await exampleOf('writing-a-plugin.md', 'lua', '## Stages of the gateway')
  const server = await startHost(t, { plugins: { 'edge/init.lua': lua }, config, approve: false })
  const headers = { 'x-tenant-id': 'acme', origin: 'https://app.example.com' }
  const plain = await server.send('GET', '/svc/hello', { headers })
  assert.deepEqual([plain.status, plain.text], [200, '/hello legacy=no'])
  assert.equal(plain.headers['x-ratelimit-remaining'], '19')
  assert.equal(plain.headers['access-control-allow-origin'], 'https://app.example.com')

  await server.approveAll()
  const refused = await server.send('GET', '/svc/hello', { headers })
  assert.deepEqual([refused.status, refused.json()], [400, { error: 'send X-Api-Version' }])
  assert.equal(refused.headers['access-control-allow-origin'], 'https://app.example.com')
  const old = await server.send('GET', '/svc/hello', { headers: { ...headers, 'x-api-version': '1' } })
  assert.equal(old.text, '/hello legacy=yes')
  const broken = await server.send('GET', '/svc/broken', { headers: { ...headers, 'x-api-version': '2' } })
  assert.deepEqual([broken.status, broken.headers['retry-after']], [500, '5'])
  assert.equal(old.headers['retry-after'], undefined)
  assert.equal((await server.send('GET', '/other', { headers })).status, 404, 'other paths see no stage')
})

it('lets an undecodable path come to no part of the gateway', async (t) => {
  const server = await startHost(t, {
    plugins: {},
    config: { 'gateway.rateLimit.requests': 1, 'gateway.cors.origin': 'https://app.example.com' },
  })
  const refused = await server.send('GET', '/%zz', { headers: { origin: 'https://app.example.com' } })
  assert.equal(refused.status, 400)
  for (const name of ['x-ratelimit-limit', 'access-control-allow-origin', 'vary'])
    assert.equal(refused.headers[name], undefined, name)
  assert.equal((await server.send('GET', '/one')).status, 404, 'it took no token')
})
