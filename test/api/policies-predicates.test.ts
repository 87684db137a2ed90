import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { as, outcomeOf, policyConfig, policyDocument } from '../helpers/policy-server.js'
import { until } from '../helpers/until.js'

const risk = plugin(
  'risk',
  `local answers = { yes = true, no = false, text = "true", one = 1, table = {} }
auth.policy("is_low", function(context) return context.subject.claims.risk == "low" end)
auth.policy("says", function(context) return answers[context.subject.id] end)
auth.policy("broken", function() error("secret detail") end)
auth.policy("slow", function() while true do end end)
auth.policy("writes", function(context)
  context.subject.id = "root"
  context.subject.roles[1] = "admin"
  return true
end)
auth.policy("sees", function(context)
  local c = context
  return c.subject.kind == "user" and c.subject.tenant == "acme" and c.subject.roles[1] == "editor"
    and c.resource.path == "/guarded/sees" and c.action.method == "GET" and c.action.operation == "view"
    and c.environment.ip == "127.0.0.1" and c.environment.user_agent == "test" and c.environment.time > 1700000000000
end)
auth.policy("pokes", function() http.handle("GET", "/late", function() end) return true end)
auth.policy(function() return true end)`,
)

const plugins = { 'risk/init.lua': risk }
const condition = (name: string, more: object = {}) => ({ type: 'plugin', plugin: 'risk', name, ...more })

/** A policy for each predicate, which permits what lies below its name. */
const policies = ['is_low', 'says', 'broken', 'slow', 'writes', 'sees', 'pokes', 'default', 'missing'].map(
  (name) =>
    policyDocument(`by-${name}`, {
      resources: [{ path: `/guarded/${name}` }],
      conditions: [condition(name)],
    }),
)

const config = { ...policyConfig, 'auth.policies.policies': policies }

async function outcome(
  server: TestHost,
  name: string,
  sub = 'ann',
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const headers = { ...as(sub, claims), 'user-agent': 'test' }
  return outcomeOf(await server.send('GET', `/guarded/${name}`, { headers }))
}

const failed = '500 AUTHORIZER_FAILED'

describe('predicates of plugins', () => {
  const server = useHost({ plugins, config })

  it('say whether a condition holds', async () => {
    assert.equal(await outcome(server(), 'is_low', 'ann', { risk: 'low' }), '404')
    assert.equal(await outcome(server(), 'is_low', 'ann', { risk: 'high' }), '403 AUTH_DENIED')
    assert.equal(await outcome(server(), 'default'), '404', 'a name may be missing')
    assert.equal(await outcome(server(), 'sees', 'ann', { roles: ['editor'], tenant: 'acme' }), '404')
  })

  it('permit only by exactly true', async () => {
    assert.equal(await outcome(server(), 'says', 'yes'), '404')
    assert.equal(await outcome(server(), 'says', 'no'), '403 AUTH_DENIED')
    for (const id of ['text', 'one', 'table', 'nothing'])
      assert.equal(await outcome(server(), 'says', id), failed, id)
    await until('it runs again', async () => (await outcome(server(), 'says', 'yes')) === '404')
  })

  it('permit nothing when they fail, are late, or are not there', async () => {
    for (const name of ['broken', 'slow', 'missing', 'pokes'])
      assert.equal(await outcome(server(), name), failed, name)
    const { text } = await server().send('GET', '/guarded/broken', { headers: as('ann') })
    assert.doesNotMatch(text, /secret|lua|risk/i)
    await until('others still run', async () => (await outcome(server(), 'default')) === '404')
  })

  it('change nothing of what is decided about', async () => {
    assert.equal(await outcome(server(), 'writes'), '404')
    const about = { subject: { id: 'ann' }, resource: { path: '/guarded/writes' } }
    const { decision } = (
      await server().send('POST', '/authz/api/explain', { headers: server().credentials, json: about })
    ).json<{ decision: { effect: string; decidedBy: string } }>()
    assert.deepEqual([decision.effect, decision.decidedBy], ['permit', 'by-writes'])
  })

  it('are told of by what explains a decision', async () => {
    const about = { subject: { id: 'ann' }, resource: { path: '/guarded/missing' } }
    const answer = await server().send('POST', '/authz/api/explain', {
      headers: server().credentials,
      json: about,
    })
    const { decision, policies: explained } = answer.json<{
      decision: { effect: string; failure: string }
      policies: { id: string; effect: string; conditions: { reason: string }[] }[]
    }>()
    assert.equal(decision.effect, 'deny')
    assert.match(decision.failure, /no such predicate/)
    const missing = explained.find(({ id }) => id === 'by-missing')
    assert.equal(missing?.effect, 'indeterminate')
  })

  it('are not asked where nothing depends on them', async () => {
    const headers = server().credentials
    const deny = policyDocument('shut', { effect: 'deny', resources: [{ path: '/guarded/broken' }] })
    await server().send('PUT', '/authz/api/policies/shut', { headers, json: deny })
    assert.equal(await outcome(server(), 'broken'), '403 AUTH_DENIED')
    await server().send('DELETE', '/authz/api/policies/shut', { headers })
  })
})

it('decide finer questions of handlers, also those of the plugin that asks', async (test) => {
  const press = plugin(
    'press',
    `auth.policy("unlocked", function(context) return context.resource.attributes.locked == false end)
http.handle("POST", "/articles/{id}", function(req)
  local ok, reason = auth.check("publish", { type = "article", id = req.params.id, attributes = req.json })
  return { json = { ok = ok, reason = reason } }
end)`,
  )
  const server = await startHost(test, {
    plugins: { 'press/init.lua': press },
    config: {
      ...policyConfig,
      'auth.policies.policies': [
        policyDocument('in', { actions: [{ operation: 'create' }] }),
        policyDocument('own', {
          resources: [{ type: 'article', owner: 'self' }],
          actions: [{ operation: 'publish' }],
          conditions: [{ type: 'plugin', plugin: 'press', name: 'unlocked' }],
        }),
      ],
    },
  })
  // A machine that is busy with other tests may take longer than a predicate has.
  const publish = (json: object) =>
    until('the predicate was in time', async () => {
      const answer = await server.call('POST', '/press/articles/7', { headers: as('ann'), json })
      return answer.status === 200 ? answer.json<{ ok: boolean; reason?: string }>() : undefined
    })
  assert.equal((await publish({ owner: 'ann', locked: false })).ok, true)
  assert.match((await publish({ owner: 'ann', locked: true })).reason ?? '', /No policy applies/)
  assert.notEqual((await publish({ owner: 'bob', locked: false })).ok, true)
  assert.notEqual((await publish({ locked: false })).ok, true)
})

describe('predicates that are not in service', () => {
  it('are asked only while they are approved and run', async (test) => {
    const server = await startHost(test, { plugins, config, approve: false })
    assert.equal(await outcome(server, 'default'), failed)
    const { auth_parts: parts } = await server.admin<{
      auth_parts: { part: string; approved: boolean; description: string }[]
    }>('GET', '/auth-parts')
    assert.deepEqual(
      parts.map(({ part }) => part),
      ['is_low', 'says', 'broken', 'slow', 'writes', 'sees', 'pokes', 'default'].map(
        (name) => `policy ${name}`,
      ),
    )
    assert.match(parts[0]?.description ?? '', /conditions of policies/)
    const json = { auth_parts: [{ plugin: 'risk', part: 'policy default' }] }
    await server.admin('POST', '/auth-parts/approve', { json })
    assert.equal(await outcome(server, 'default'), '404')
    assert.equal(await outcome(server, 'writes'), failed, 'one approval is not that of another')
    await server.admin('POST', '/auth-parts/revoke', { json })
    assert.equal(await outcome(server, 'default'), failed)
    await server.admin('POST', '/auth-parts/approve', { json })
    await server.admin('POST', '/risk/disable')
    assert.equal(await outcome(server, 'default'), failed)
    await server.admin('POST', '/risk/enable')
    assert.equal(await outcome(server, 'default'), '404')
  })

  it('are paused when they fail too often', async (test) => {
    const server = await startHost(test, { plugins, config: { ...config, 'gateway.stage.failures': 2 } })
    for (let at = 0; at < 4; at += 1) assert.equal(await outcome(server, 'broken'), failed)
    assert.ok(server.lines.some(({ msg, predicate }) => /is paused/.test(msg) && predicate === 'broken'))
    assert.equal(await outcome(server, 'default'), '404', 'others go on')
  })

  it('belong to their plugins: two may have one name', async (test) => {
    const other = plugin('other', 'auth.policy("is_low", function() return true end)')
    const both = [
      ...policies,
      policyDocument('by-other', {
        resources: [{ path: '/guarded/other' }],
        conditions: [{ type: 'plugin', plugin: 'other', name: 'is_low' }],
      }),
    ]
    const server = await startHost(test, {
      plugins: { ...plugins, 'other/init.lua': other },
      config: { ...policyConfig, 'auth.policies.policies': both },
    })
    assert.equal(await outcome(server, 'other'), '404')
    assert.equal(await outcome(server, 'is_low'), '403 AUTH_DENIED')
  })

  it('are refused when they are malformed, repeated, late, or too many', async (test) => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['auth.policy("Is Low", function() end)', /auth\.policy: invalid name/],
      ['auth.policy("a")', /function/],
      ['auth.policy(function() end, function() end)', /string|function/],
      ['auth.policy("a", function() end) auth.policy("a", function() end)', /is taken/],
      ['for at = 1, 21 do auth.policy("p" .. at, function() end) end', /20 authenticators/],
    ]
    const server = await startHost(test, {
      plugins: Object.fromEntries(wrong.map(([body], at) => [`p${at}/init.lua`, plugin(`p${at}`, body)])),
      approve: false,
    })
    for (const [at, [body, expected]] of wrong.entries()) {
      const failure = server.host.status().failed.find(({ name }) => name === `p${at}`)
      assert.match(JSON.stringify(failure ?? {}), expected, body)
    }
  })
})
