import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { createGatewayPlace, adminHeaders as headers } from '../helpers/gateway-process.js'
import { as, outcomeOf, policyConfig, policyDocument } from '../helpers/policy-server.js'
import { until } from '../helpers/until.js'

const root = '/authz/api'

async function put(host: TestHost, id: string, parts: Readonly<Record<string, unknown>>): Promise<void> {
  const json = policyDocument(id, parts)
  const { status, text } = await host.send('PUT', `${root}/policies/${id}`, {
    headers: host.credentials,
    json,
  })
  assert.equal(status, 200, text)
}

describe('the authorizer "policies"', () => {
  const notes = plugin(
    'notes',
    `http.handle("GET", "/list", function() return { json = {} } end)
http.handle("POST", "/list", function() return { json = {} } end)
http.handle("GET", "/docs/{id}", function() return { json = {} } end)`,
  )
  const server = useHost({ plugins: { 'notes/init.lua': notes }, config: policyConfig })
  const list = '/api/v1/plugins/notes/list'

  const outcome = async (method: string, path: string, sent: Record<string, string> = {}): Promise<string> =>
    outcomeOf(await server().send(method, path, { headers: sent }))

  it('denies where no policy applies, and lets pass whom one permits', async () => {
    const ann = as('ann', { roles: ['editor'] })
    assert.equal(await outcome('GET', list, ann), '403 AUTH_DENIED')
    assert.equal(await outcome('GET', list), '401 AUTH_REQUIRED', 'nobody is asked about strangers')
    await put(server(), 'editors', {
      subjects: [{ role: 'editor' }],
      resources: [{ app: 'notes' }],
      actions: [{ operation: 'view' }],
    })
    assert.equal(await outcome('GET', list, ann), '200')
    assert.equal(await outcome('POST', list, ann), '403 AUTH_DENIED')
    assert.equal(await outcome('GET', list, as('bob')), '403 AUTH_DENIED')
    await put(server(), 'no-ann', {
      effect: 'deny',
      description: 'Ann is on leave.',
      subjects: [{ id: 'ann', kind: 'user' }],
    })
    const { status, text } = await server().send('GET', list, { headers: ann })
    assert.equal(status, 403)
    assert.match(text, /Ann is on leave/)
    assert.doesNotMatch(text, /no-ann|editors/)
    assert.equal(await outcome('GET', list, as('cid', { roles: ['editor'] })), '200')
    for (const id of ['no-ann', 'editors'])
      await server().send('DELETE', `${root}/policies/${id}`, { headers: server().credentials })
    assert.equal(await outcome('GET', list, as('cid', { roles: ['editor'] })), '403 AUTH_DENIED', 'at once')
  })

  it('sees tenant, groups, claims, method, address and user agent as they are, not as a header says', async () => {
    await put(server(), 'everything', {
      subjects: [{ tenant: 'acme', group: 'staff', claim: { name: 'dept.name', value: 'press' } }],
      resources: [{ path: '/guarded/**' }],
      actions: [{ method: 'GET' }],
      conditions: [{ type: 'ip', allow: ['127.0.0.1'] }],
    })
    const who = { tenant: 'acme', groups: ['staff'], dept: { name: 'press' } }
    assert.equal(await outcome('GET', '/guarded/x', as('a', who)), '404', 'it may, and there is nothing')
    assert.equal(await outcome('HEAD', '/guarded/x', as('a', who)), '404')
    assert.equal(await outcome('POST', '/guarded/x', as('a', who)), '403 AUTH_DENIED')
    assert.equal(await outcome('GET', '/guarded/x', as('a', { ...who, tenant: 'other' })), '403 AUTH_DENIED')
    assert.equal(
      await outcome('GET', '/guarded/x', as('a', { ...who, dept: { name: 'x' } })),
      '403 AUTH_DENIED',
    )
    const forged = {
      'x-identity': Buffer.from(JSON.stringify({ sub: 'a', ...who })).toString('base64url'),
      'x-forwarded-for': '10.0.0.1',
    }
    assert.equal(await outcome('GET', '/guarded/x', { ...as('a'), ...forged }), '403 AUTH_DENIED')
    assert.equal(
      await outcome('GET', '/guarded/x', { ...as('a', who), ...forged }),
      '404',
      'nobody trusts the header',
    )
  })

  it('cannot be led past by other spellings of a path', async () => {
    await put(server(), 'wide', { subjects: [{ id: 'eve' }] })
    await put(server(), 'secret', { effect: 'deny', resources: [{ path: '/api/v1/plugins/notes/docs/**' }] })
    const base = '/api/v1/plugins/notes'
    assert.equal(await outcome('GET', `${base}/list`, as('eve')), '200')
    for (const path of [
      '/docs/1',
      '/docs/1/',
      '/docs//1',
      '//docs/1',
      '/docs%2f1',
      '/%64ocs/1',
      '/docs;a=b/1',
      '/./docs/1',
      '/x/../docs/1',
      '/%2e/docs/1',
      '/docs',
    ]) {
      const told = await outcome('GET', `${base}${path}`, as('eve'))
      assert.ok(told === '403 AUTH_DENIED' || told.startsWith('400'), `${path}: ${told}`)
    }
    for (const id of ['wide', 'secret'])
      await server().send('DELETE', `${root}/policies/${id}`, { headers: server().credentials })
  })

  it('is asked about strangers where a rule has it decide about public paths', async () => {
    assert.equal(await outcome('GET', '/open/x'), '403 AUTH_DENIED')
    await put(server(), 'strangers', { subjects: [{ kind: 'anonymous' }], resources: [{ path: '/open/**' }] })
    assert.equal(await outcome('GET', '/open/x'), '404')
    assert.equal(await outcome('GET', '/guarded/y', as('zed')), '403 AUTH_DENIED')
  })

  it('answers 500 where nobody can tell, and permits nothing', async () => {
    await put(server(), 'odd', {
      resources: [{ path: '/guarded/odd' }],
      conditions: [{ type: 'claim', name: 'level', operator: 'gt', value: 3 }],
    })
    assert.equal(await outcome('GET', '/guarded/odd', as('a', { level: 5 })), '404')
    const unclear = await server().send('GET', '/guarded/odd', { headers: as('a', { level: 'five' }) })
    assert.equal(outcomeOf(unclear), '500 AUTHORIZER_FAILED')
    assert.doesNotMatch(unclear.text, /level|odd/)
    assert.ok(
      server().lines.some(
        ({ msg, authorizer }) => msg === 'an authorizer failed' && authorizer === 'policies',
      ),
    )
  })

  it('leaves the operations of the host to their own permissions', async () => {
    await put(server(), 'nobody', { effect: 'deny' })
    assert.equal(await outcome('GET', `${root}/status`, server().credentials), '200')
    assert.equal(await outcome('DELETE', `${root}/policies/nobody`, server().credentials), '200')
  })
})

describe('policies of the configuration', () => {
  it('decide nothing where no rule names them', async (test) => {
    const server = await startHost(test, {
      plugins: {
        'p/init.lua': plugin('p', 'http.handle("GET", "/x", function() return {} end, { public = true })'),
      },
      config: { 'auth.policies.policies': [policyDocument('nobody', { effect: 'deny' })] },
    })
    assert.equal((await server.send('GET', '/api/v1/plugins/p/x')).status, 200)
    const status = await server.send('GET', `${root}/status`, { headers: server.credentials })
    assert.deepEqual(status.json(), {
      algorithm: 'deny-overrides',
      defaultEffect: 'deny',
      policies: 1,
      enabled: 1,
      unusable: 0,
      inUse: false,
    })
  })

  it('stop the start when they cannot be used, all that is wrong at once', async (test) => {
    const config = {
      'auth.policies.policies': [
        policyDocument('a', { effect: 'maybe' }),
        policyDocument('b'),
        policyDocument('b'),
      ],
      'auth.policies.seed.policies': [policyDocument('c', { subjects: [{}] })],
      'auth.policies.seed.file': '/nonexistent/policies.json',
    }
    await assert.rejects(startHost(test, { plugins: {}, config }), (error: Error) => {
      for (const part of [
        'auth.policies.policies[0].effect',
        'auth.policies.policies[2].id',
        'auth.policies.seed.policies[0].subjects[0]',
        'auth.policies.seed.file',
      ])
        assert.ok(error.message.includes(part), `${part} in ${error.message}`)
      return true
    })
    const many = Array.from({ length: 10_000 }, (_, at) => policyDocument(`p${at}`))
    await assert.rejects(
      startHost(test, { plugins: {}, config: { 'auth.policies.policies': many } }),
      /auth\.policies\.policies.*at most 2000/s,
    )
    for (const [key, value] of [
      ['auth.policies.algorithm', 'first-wins'],
      ['auth.policies.default', 'maybe'],
      ['auth.policies.policies', ['text']],
      ['auth.policies.seed.environments', [1]],
    ] as const)
      await assert.rejects(
        startHost(test, { plugins: {}, config: { [key]: value } }),
        new RegExp(key.replaceAll('.', '\\.')),
      )
  })

  it('follow the algorithm and the default that are configured', async (test) => {
    const config = {
      ...policyConfig,
      'auth.policies.algorithm': 'permit-overrides',
      'auth.policies.default': 'permit',
      'auth.policies.policies': [
        policyDocument('never', { effect: 'deny', resources: [{ path: '/guarded/**' }] }),
        policyDocument('ann', { subjects: [{ id: 'ann' }] }),
      ],
    }
    const server = await startHost(test, { plugins: {}, config })
    const outcome = async (path: string, sub: string) =>
      outcomeOf(await server.send('GET', path, { headers: as(sub) }))
    assert.equal(await outcome('/guarded/x', 'ann'), '404')
    assert.equal(await outcome('/guarded/x', 'bob'), '403 AUTH_DENIED')
    assert.equal(await outcome('/api/v1/plugins/none/x', 'bob'), '404')
  })
})

describe('seeds', () => {
  const seeded = async (server: TestHost): Promise<readonly string[]> => {
    const page = await server.send('GET', `${root}/policies`, { headers: server.credentials })
    return page
      .json<{ policies: { id: string; source: string }[] }>()
      .policies.map(({ id, source }) => `${id} ${source}`)
  }

  it('are planted into an empty database once, and stay deleted', async (test) => {
    const config = { 'auth.policies.seed.policies': [policyDocument('one'), policyDocument('two')] }
    const server = await startHost(test, { plugins: {}, config })
    assert.deepEqual(await seeded(server), ['one database', 'two database'])
    await server.send('DELETE', `${root}/policies/one`, { headers: server.credentials })
    await server.restart()
    assert.deepEqual(await seeded(server), ['two database'])
    const more = [policyDocument('one'), policyDocument('three')]
    await server.restart({ config: { 'auth.policies.seed.policies': more } })
    assert.deepEqual(await seeded(server), ['two database'], 'it is not empty')
    const wider = { 'auth.policies.seed.policies': more, 'auth.policies.seed.onlyIfEmpty': false }
    await server.restart({ config: wider })
    assert.deepEqual(await seeded(server), ['three database', 'two database'])
  })

  it('are planted only where they are on and meant for the environment', async (test) => {
    const seed = { 'auth.policies.seed.policies': [policyDocument('one')] }
    const off = await startHost(test, {
      plugins: {},
      config: { ...seed, 'auth.policies.seed.enabled': false },
    })
    assert.deepEqual(await seeded(off), [])
    const elsewhere = { ...seed, 'auth.policies.seed.environments': ['staging'] }
    await off.restart({ config: elsewhere })
    assert.deepEqual(await seeded(off), [])
    await off.restart({ config: { ...elsewhere, 'auth.policies.environment': 'staging' } })
    assert.deepEqual(await seeded(off), ['one database'])
  })
})

it('follows what another process on the same database changes', async (test) => {
  const folder = await createGatewayPlace(test)
  const rules = [{ paths: ['/guarded/**'], authenticators: ['admin_token'], authorizers: ['policies'] }]
  await folder.place.write({
    'config.json': JSON.stringify({
      auth: {
        http: { rules },
        policies: { seed: { policies: [policyDocument('seeded', { enabled: false })] } },
      },
    }),
  })
  const [one, other] = await Promise.all([folder.serve(), folder.serve()])
  const statusOf = async () => (await other.send('GET', '/guarded/x', { headers })).status
  assert.equal(await statusOf(), 403)
  const path = `${root}/policies/all`
  await one.send('PUT', path, { headers, json: policyDocument('all') })
  await until('the other process permits it', async () => (await statusOf()) === 404)
  const stale = await other.send('PUT', `${path}?version=0`, { headers, json: policyDocument('all') })
  assert.equal(outcomeOf(stale), '409 POLICY_VERSION_CONFLICT')
  await one.send('DELETE', path, { headers })
  await until('the other process denies it', async () => (await statusOf()) === 403)
  const { policies } = (await other.send('GET', `${root}/policies`, { headers })).json<{
    policies: { id: string }[]
  }>()
  assert.deepEqual(
    policies.map(({ id }) => id),
    ['seeded'],
    'both have planted it once',
  )
})
