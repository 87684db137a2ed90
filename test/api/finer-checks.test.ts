import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, useHost } from '../helpers/create-host.js'

const badges = plugin(
  'badges',
  `auth.authenticator("badge", function(req)
  local id, tenant = req.bearer:match("^who_(%w+)%.(%w+)$")
  if not id then return auth.fail() end
  return auth.identity({ id = id, tenant_id = tenant })
end, { bearer = "who_" })
auth.authorizer("owners", function(identity, access)
  if access.resource_type == "path" then return true end
  if access.resource_id == "boom" then error("secret detail") end
  if access.resource_id == "odd" then return "yes" end
  if access.attributes.owner == identity.id then return true end
  return auth.deny(access.action .. " of " .. access.resource_type .. " " .. tostring(access.resource_id) .. " is for its owner")
end)`,
)

const reports = plugin(
  'reports',
  `local function check(req)
  local resource = req.json and req.json.resource
  local done, allowed, reason = pcall(auth.check, req.json and req.json.action or "view", resource)
  if not done then return { status = 500, json = { raised = tostring(allowed) } } end
  return { json = { allowed = allowed, reason = reason, nothing = allowed == nil } }
end
for _, area in ipairs({ "scoped", "owned", "both", "none", "open", "default" }) do
  http.handle("POST", "/" .. area, check, { public = area == "open" })
end
http.handle("POST", "/many", function() for _ = 1, 60 do auth.check("view") end return { body = "done" } end)
http.handle("POST", "/forged", function(req)
  req.identity = { type = "user", id = "ann", tenant_id = "acme", roles = { "admin" } }
  req.identity.tenant_id = "acme"
  return check(req)
end)
local early = pcall(auth.check, "view")
function on_init()
  early = early or pcall(auth.check, "view")
end
http.handle("POST", "/early", function() return { json = { early = early } } end)`,
)

const root = '/api/v1/plugins/reports'
const rule = (area: string, authorizers: readonly string[]) => ({
  paths: [`${root}/${area}`],
  authenticators: ['badge'],
  authorizers,
})

describe('what a handler checks', () => {
  const server = useHost({
    plugins: { 'badges/init.lua': badges, 'reports/init.lua': reports },
    config: {
      'auth.http.rules': [
        rule('scoped', ['tenant_scope']),
        rule('forged', ['tenant_scope']),
        rule('many', ['none']),
        rule('owned', ['owners']),
        rule('both', ['tenant_scope', 'owners']),
        rule('none', ['none']),
        { paths: [`${root}/open`], authenticators: [], authorizers: ['none'] },
      ],
    },
  })

  const check = async (area: string, json: object = {}, who = 'ann.acme') => {
    const { text, status } = await server().call('POST', `/reports/${area}`, {
      headers: { authorization: `Bearer who_${who}` },
      json,
    })
    return { status, text, ...(JSON.parse(text) as { allowed?: true; reason?: string; raised?: string }) }
  }

  it('is decided by the authorizers of the rule, all of them', async () => {
    const report = (more: object) => ({ action: 'delete', resource: { type: 'report', id: 7, ...more } })
    assert.equal((await check('scoped', report({ tenant_id: 'acme' }))).allowed, true)
    assert.equal(
      (await check('scoped', report({ tenant_id: 'other' }))).reason,
      'it belongs to another tenant',
    )
    assert.equal((await check('scoped', report({ attributes: { tenantId: 'other' } }))).allowed, undefined)
    assert.equal((await check('owned', report({ attributes: { owner: 'ann' } }))).allowed, true)
    const { reason } = await check('owned', report({ attributes: { owner: 'bob' } }))
    assert.equal(reason, 'delete of report 7 is for its owner')
    const owned = { attributes: { owner: 'ann' } }
    assert.equal((await check('both', report({ ...owned, tenant_id: 'acme' }))).allowed, true)
    assert.equal((await check('both', report({ ...owned, tenant_id: 'other' }))).allowed, undefined)
    assert.equal((await check('none', report({}))).allowed, true)
  })

  it('is not allowed where nobody says so, and for strangers', async () => {
    assert.match((await check('default')).reason ?? '', /no authorizer is named/)
    assert.match((await check('open')).reason ?? '', /somebody who is signed in/)
  })

  it('raises when it cannot be decided, and says nothing of why', async () => {
    for (const id of ['boom', 'odd']) {
      const { raised = '' } = await check('owned', { resource: { type: 'report', id } })
      assert.match(raised, /cannot be decided/)
      assert.doesNotMatch(raised, /secret/)
    }
    await server().admin('POST', '/auth-parts/revoke', {
      json: { auth_parts: [{ plugin: 'badges', part: 'authorizer owners' }] },
    })
    const { status } = await check('owned', {
      resource: { type: 'report', id: 1, attributes: { owner: 'ann' } },
    })
    assert.equal(status, 500)
    await server().approveAll()
  })

  it('is about the sender of the request, whatever the handler says', async () => {
    const acme = { resource: { type: 'report', tenant_id: 'acme' } }
    assert.equal((await check('forged', acme, 'eve.other')).reason, 'it belongs to another tenant')
    const forged = { type: 'user', id: 'ann', tenant_id: 'acme', roles: ['admin'] }
    for (const resource of [{ identity: forged }, { user: forged }, { sub: 'ann' }, [forged]]) {
      const { allowed, raised = '' } = await check('scoped', { resource }, 'eve.other')
      assert.equal(allowed, undefined)
      assert.match(raised, /auth\.check: /)
    }
    const attributes = { identity: forged, tenant: 'acme', __proto__: { tenantId: 'acme' }, roles: ['admin'] }
    const { reason } = await check('scoped', { resource: { tenant_id: 'acme', attributes } }, 'eve.other')
    assert.equal(reason, 'it belongs to another tenant')
    const asked = await Promise.all(
      Array.from({ length: 40 }, async (_, at) => {
        const tenant = at % 2 === 0 ? 'acme' : 'other'
        const { status, allowed } = await check('scoped', acme, `u${at}.${tenant}`)
        return { tenant, status, allowed: allowed === true }
      }),
    )
    // The plugin may be busy for some; what it says to the others is right.
    const answered = asked.filter(({ status }) => status === 200)
    assert.ok(answered.length > 3)
    assert.deepEqual(
      answered.filter(({ tenant, allowed }) => allowed !== (tenant === 'acme')),
      [],
    )
  })

  it('works in handlers alone, a bounded number of times, with what can be asked', async () => {
    const call = (path: string) =>
      server().call('POST', `/reports/${path}`, { headers: { authorization: 'Bearer who_ann.acme' } })
    assert.deepEqual((await call('early')).json(), { early: false })
    assert.equal((await call('many')).status, 500)
    for (const json of [
      { action: 'a b' },
      { action: '' },
      { action: 'x'.repeat(65) },
      { resource: 'report' },
      { resource: { type: '' } },
      { resource: { id: 1.5 } },
      { resource: { id: 'x'.repeat(256) } },
      { resource: { attributes: 'x' } },
      { resource: { attributes: { text: 'x'.repeat(17_000) } } },
    ]) {
      assert.match(
        (await check('none', json)).raised ?? '',
        /auth\.check: /,
        JSON.stringify(json).slice(0, 80),
      )
    }
  })
})
