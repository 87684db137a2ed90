import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import Fastify from 'fastify'
import { checkResponseHeader } from '../../../src/capabilities/http/header-rules.js'
import { contentPrefix, createContentRoutes } from '../../../src/content/content-routes.js'
import type { HookedRead } from '../../../src/content/hook-runner.js'
import { usualCredentials } from '../../../src/identity/credentials.js'
import { userWithRole } from '../../helpers/area-user.js'
import { type ContentFixture, createContentFixture } from '../../helpers/content-fixture.js'
import { createHttpClient, type HttpClient } from '../../helpers/http-client.js'

/** Serves the routes of a fixture on a free port. */
async function serve(test: TestContext): Promise<ContentFixture & { client: HttpClient; logged: string[] }> {
  const fixture = await createContentFixture(test)
  const logged: string[] = []
  const app = Fastify()
  await app.register(
    createContentRoutes({
      content: fixture.content,
      hooks: fixture.hooks,
      authenticate: () => userWithRole('viewer', 'vera'),
      stripCredentials: usualCredentials.strip,
      clientIp: () => '192.0.2.7',
      takeToken: () => true,
      isHeaderAllowed: (name, value) => checkResponseHeader(name, value) === 'ok',
      log: { error: (fields) => void logged.push(String(fields.code)) },
    }),
    { prefix: contentPrefix },
  )
  const client = createHttpClient(await app.listen({ host: '127.0.0.1', port: 0 }))
  test.after(async () => {
    client.close()
    await app.close()
  })
  return { ...fixture, client, logged }
}

const path = `${contentPrefix}/by-slug/one`

it('read hooks see the request without credentials, and add headers that they may', async (test) => {
  const { client, entry, hooks } = await serve(test)
  await entry('one', { status: 'published' })
  let seen: HookedRead | undefined
  hooks.onRead = (read) => {
    seen = read
    return { answer: undefined, state: { from: 'before' } }
  }
  hooks.onAfterRead = (_read, state) => ({
    'x-state': String(state.from),
    'Set-Cookie': 'a=b',
    'transfer-encoding': 'chunked',
    'x-bad': 'a\r\nx-injected: 1',
  })
  const headers = { authorization: 'Bearer secret', 'X-Test': ['a', 'b'], cookie: 'modulacms_session=s; c=d' }
  const answer = await client.send('GET', `${path}?a=1&a=2&__proto__=x`, { headers })
  assert.equal(answer.status, 200)
  assert.equal(answer.json<{ slug: string }>().slug, 'one')
  assert.equal(answer.headers['x-state'], 'before')
  assert.equal(answer.headers['set-cookie'], undefined)
  assert.equal(answer.headers['x-bad'], undefined)
  assert.equal(answer.headers['x-injected'], undefined)
  assert.equal(seen?.clientIp, '192.0.2.7')
  assert.equal(seen?.slug, 'one')
  assert.equal(seen?.headers.authorization, undefined)
  assert.equal(seen?.headers.cookie, 'c=d')
  assert.equal(seen?.headers['x-test'], 'a, b')
  assert.equal(seen?.query.a, '1')
  assert.equal(Object.getPrototypeOf(seen?.query), null)
})

it('a read hook can answer in the place of the entry', async (test) => {
  const { client, entry, hooks } = await serve(test)
  await entry('one', { status: 'published' })
  hooks.onRead = () => ({
    answer: { status: 402, headers: { 'x-price': '3', 'content-length': '1' }, json: { pay: ['first'] } },
    state: {},
  })
  const answer = await client.send('GET', path)
  assert.equal(answer.status, 402)
  assert.equal(answer.headers['x-price'], '3')
  assert.deepEqual(answer.json(), { pay: ['first'] })
  hooks.onRead = () => ({ answer: { status: 200, headers: {}, json: { own: 1 } }, state: {} })
  assert.deepEqual((await client.send('GET', path)).json(), { own: 1 })
  hooks.onRead = () => ({ answer: { status: 204, headers: {}, json: undefined }, state: {} })
  assert.equal((await client.send('GET', path)).status, 204)
})

it('no hook runs for what is not published or has a name that cannot be', async (test) => {
  const { client, entry, hooks } = await serve(test)
  await entry('one')
  let runs = 0
  hooks.onRead = () => {
    runs += 1
    return { answer: undefined, state: {} }
  }
  for (const slug of ['one', 'two', 'x'.repeat(500), '%00', "a'--"]) {
    const answer = await client.send('GET', `${contentPrefix}/by-slug/${slug}`)
    assert.ok([400, 404, 414].includes(answer.status), `${slug.slice(0, 20)} ${answer.status}`)
  }
  assert.equal(runs, 0)
})

it('what fails unexpectedly is logged and not shown', async (test) => {
  const { client, entry, hooks, logged } = await serve(test)
  await entry('one', { status: 'published' })
  hooks.onRead = () => {
    throw new Error('secret at /srv/plugins/x/init.lua:3')
  }
  const answer = await client.send('GET', path)
  assert.equal(answer.status, 500)
  assert.doesNotMatch(answer.text, /secret|init\.lua/)
  assert.deepEqual(logged, ['INTERNAL_ERROR'])
})

it('a user who is no admin reads deliveries and nothing else', async (test) => {
  const { client, entry } = await serve(test)
  await entry('one', { status: 'published' })
  const headers = { authorization: 'Bearer viewer' }
  assert.equal((await client.send('GET', path, { headers })).status, 200)
  const list = await client.send('GET', `${contentPrefix}/content_data`, { headers })
  assert.equal(list.status, 403)
  assert.match(list.text, /\\"vera\\" does not have the permission/)
})
