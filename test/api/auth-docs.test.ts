import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import { withAccounts } from '../helpers/account-host.js'
import { plugin, startHost } from '../helpers/create-host.js'
import { startTokenIssuer } from '../helpers/token-issuer.js'

interface Example {
  readonly auth: {
    readonly authenticators: { readonly jwt: object }
    readonly http: { readonly authenticators: readonly string[]; readonly rules: readonly object[] }
  }
}

async function example(): Promise<Example> {
  const text = await readFile(new URL('../../../docs/auth.md', import.meta.url), 'utf8')
  const rules = text.slice(text.indexOf('\n## Rules\n'))
  const json = /```json\n(.*?)\n```/s.exec(rules)?.[1] ?? assert.fail('the page has no example')
  return JSON.parse(json) as Example
}

it('answers as the table of the page on rules says', async (t) => {
  const { auth } = await example()
  const issuer = await startTokenIssuer(t)
  const server = await startHost(t, {
    plugins: {},
    config: {
      'auth.authenticators': {
        jwt: { ...auth.authenticators.jwt, issuer: issuer.issuer, jwksUri: issuer.jwksUri },
      },
      'auth.http.authenticators': auth.http.authenticators,
      'auth.http.rules': auth.http.rules,
    },
  })
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
  const somebody = bearer(await issuer.sign())
  const analyst = bearer(await issuer.sign({ roles: ['analyst'] }))
  const owner = bearer(await issuer.sign({ roles: ['owner'] }))
  // Nothing is there: who may pass gets a 404.
  const table = [
    ['GET', '/api/v1/public/news', {}, 404],
    ['GET', '/api/v1/public/news', somebody, 404],
    ['GET', '/api/v1/public/news/7', {}, 401],
    ['GET', '/api/v1/public/news/7', somebody, 404],
    ['GET', '/reports/2026', {}, 401],
    ['GET', '/reports/2026', somebody, 403],
    ['GET', '/reports/2026', analyst, 404],
    ['HEAD', '/reports/2026', analyst, 404],
    ['GET', '/reports', analyst, 404],
    ['DELETE', '/reports/2026', {}, 401],
    ['DELETE', '/reports/2026', analyst, 403],
    ['DELETE', '/reports/2026', owner, 404],
    ['GET', '/Reports/2026', owner, 400],
    ['GET', '/api//v1/public/news', owner, 400],
    ['GET', '/api//v1/public/news', {}, 400],
    ['GET', '/api/v1/admin/plugins', {}, 401],
    ['GET', '/api/v1/admin/plugins', analyst, 403],
    ['GET', '/api/v1/admin/plugins', owner, 200],
    ['GET', '/api/v1/admin/plugins', { headers: server.credentials }, 200],
    ['GET', '/health', {}, 200],
  ] as const
  for (const [method, path, sending, status] of table) {
    const answer = await server.send(method, path, sending)
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`)
  }
})

it('guards a plugin as the first page says', async (t) => {
  const text = await readFile(new URL('../../../README.md', import.meta.url), 'utf8')
  const guard = text.slice(text.indexOf('\n## Guard it\n'))
  const json = /```json\n(.*?)\n```/s.exec(guard)?.[1] ?? assert.fail('the page has no example')
  const { auth } = JSON.parse(json) as {
    readonly auth: { readonly http: { readonly rules: readonly object[] } }
  }
  const tasks = plugin(
    'task_tracker',
    'http.handle("GET", "/tasks", function() return { json = {} } end, { public = true })',
  )
  const server = await startHost(t, {
    plugins: { 'task_tracker/init.lua': tasks },
    config: { 'auth.http.rules': auth.http.rules },
  })
  const host = withAccounts(server)
  await host.addUser('ann')
  const key = await host.addKey({ name: 'packer', owner: 'ann' })
  const { browser } = await host.signIn('ann')
  const ask = async (headers: Readonly<Record<string, string>>) =>
    (await server.send('GET', '/api/v1/plugins/task_tracker/tasks', { headers })).status
  assert.equal(await ask({}), 401)
  assert.equal(await ask({ 'x-api-key': key }), 200)
  assert.equal(await ask(browser), 200)
  assert.equal(await ask({ 'x-api-key': `${key}x` }), 401)
})
