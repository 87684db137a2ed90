import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { policyLimits } from '../../src/base/limits/policies.js'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { DocumentedApi } from '../helpers/documented-api.js'
import type { Answer, Sending } from '../helpers/http-client.js'
import { as, outcomeOf, policyConfig, policyDocument } from '../helpers/policy-server.js'
import { until } from '../helpers/until.js'

const root = '/authz/api'
const writer = as('ann', { roles: ['writer'], name: 'Ann' })
const reader = as('bob', { roles: ['reader'] })

interface Listed {
  readonly id: string
  readonly version?: number
  readonly source: string
  readonly policy?: Readonly<Record<string, unknown>>
}

describe('the HTTP interface of policies', () => {
  const server = useHost({
    plugins: {},
    config: {
      ...policyConfig,
      'auth.policies.policies': [policyDocument('fixed', { priority: 1000, enabled: false })],
    },
  })

  const ask = (method: string, path: string, sending: Sending = {}): Promise<Answer> =>
    server().send(method, `${root}${path}`, { headers: writer, ...sending })

  async function codeOf(method: string, path: string, sending: Sending = {}): Promise<string> {
    return outcomeOf(await ask(method, path, sending))
  }

  it('lets policies be added, changed and deleted, each version of them kept', async () => {
    const added = await ask('POST', '/policies', { json: policyDocument('life', { description: 'one' }) })
    assert.equal(added.status, 201, added.text)
    const listed = added.json<Listed & { changedBy: string }>()
    assert.deepEqual(
      [listed.id, listed.version, listed.source, listed.changedBy],
      ['life', 1, 'database', 'Ann'],
    )
    assert.equal(listed.policy?.enabled, true, 'it is complete')
    assert.equal(await codeOf('POST', '/policies', { json: policyDocument('life') }), '409 POLICY_EXISTS')

    const { id: _id, ...nameless } = policyDocument('life', { description: 'two' })
    const changed = await ask('PUT', '/policies/life?version=1', { json: nameless })
    assert.deepEqual([changed.status, changed.json<Listed>().version], [200, 2], changed.text)
    assert.equal(
      await codeOf('PUT', '/policies/life?version=1', { json: nameless }),
      '409 POLICY_VERSION_CONFLICT',
    )
    assert.equal(
      await codeOf('PUT', '/policies/life', { json: policyDocument('other') }),
      '400 POLICY_INVALID',
    )
    assert.equal((await ask('GET', '/policies/life')).json<Listed>().policy?.description, 'two')

    assert.equal(await codeOf('DELETE', '/policies/life?version=1'), '409 POLICY_VERSION_CONFLICT')
    assert.equal(await codeOf('DELETE', '/policies/life?version=2'), '200')
    assert.equal(await codeOf('GET', '/policies/life'), '404 POLICY_NOT_FOUND')
    assert.equal(await codeOf('DELETE', '/policies/life'), '404 POLICY_NOT_FOUND')
    const { versions } = (await ask('GET', '/policies/life/history')).json<{
      versions: { version: number; change: string; policy?: { description: string } }[]
    }>()
    assert.deepEqual(
      versions.map(({ version, change, policy }) => [version, change, policy?.description]),
      [
        [3, 'delete', undefined],
        [2, 'replace', 'two'],
        [1, 'create', 'one'],
      ],
    )
    assert.equal(await codeOf('GET', '/policies/never/history'), '404 POLICY_NOT_FOUND')
    const again = await ask('PUT', '/policies/life?version=0', { json: nameless })
    assert.equal(again.json<Listed>().version, 4, 'a number is not used twice')
    await ask('DELETE', '/policies/life')
  })

  it('says of policies all that is wrong at once', async () => {
    const { status, text } = await ask('POST', '/policies', {
      json: {
        ...policyDocument('bad id'),
        effect: 'maybe',
        subjects: [{}],
        resources: [{ path: 'nowhere' }],
        conditions: [{ type: 'time', timezone: 'Mars/Olympus' }],
      },
    })
    const { code, problems } = JSON.parse(text) as { code: string; problems: { path: string }[] }
    assert.deepEqual([status, code], [400, 'POLICY_INVALID'])
    for (const path of ['id', 'effect', 'subjects[0]']) {
      assert.ok(
        problems.some((problem) => problem.path.startsWith(path)),
        `${path} in ${text}`,
      )
    }
    assert.equal(await codeOf('GET', '/policies/bad%20id'), '404 POLICY_NOT_FOUND')
  })

  it('leaves policies of the configuration to it', async () => {
    const json = policyDocument('fixed')
    assert.equal((await ask('GET', '/policies/fixed')).json<Listed>().source, 'config')
    for (const [method, path] of [
      ['POST', '/policies'],
      ['PUT', '/policies/fixed'],
    ] as const)
      assert.equal(await codeOf(method, path, { json }), '403 POLICY_STATIC')
    assert.equal(await codeOf('DELETE', '/policies/fixed'), '403 POLICY_STATIC')
  })

  it('lists page by page in the order in which policies are looked at', async () => {
    const ids = ['page-a', 'page-b', 'page-c', 'page-d']
    for (const [at, id] of ids.entries())
      await ask('POST', '/policies', { json: policyDocument(id, { priority: at % 2 }) })
    const found: string[] = []
    let cursor: string | undefined
    do {
      const query = cursor === undefined ? '' : `&cursor=${cursor}`
      const page = (await ask('GET', `/policies?limit=2${query}`)).json<{
        policies: Listed[]
        nextCursor?: string
      }>()
      assert.ok(page.policies.length <= 2)
      // What is deleted between two pages makes none of the others missing.
      if (cursor === undefined) await ask('DELETE', '/policies/page-b')
      found.push(...page.policies.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    assert.deepEqual(found, ['fixed', 'page-b', 'page-d', 'page-a', 'page-c'])
    for (const id of ids) await ask('DELETE', `/policies/${id}`)
    const wrong = [
      'limit=0',
      'limit=201',
      'limit=x',
      'cursor=x',
      `cursor=${'a'.repeat(300)}`,
      'order=id',
      'limit=1&limit=2',
    ]
    for (const query of wrong)
      assert.equal(await codeOf('GET', `/policies?${query}`), '400 GATEWAY_REQUEST_INVALID', query)
  })

  it('decides about what is sent, and tells which policy decided and why', async () => {
    await ask('POST', '/policies', {
      json: policyDocument('press', {
        subjects: [{ role: 'editor' }],
        resources: [{ path: '/docs/**' }],
        conditions: [{ type: 'time', after: '08:00', before: '18:00' }],
      }),
    })
    const about = (time: unknown, roles = ['editor']) => ({
      subject: { id: 'u1', roles },
      resource: { path: '/docs/a' },
      action: { method: 'GET' },
      environment: { time },
    })
    const noon = await ask('POST', '/evaluate', { json: about('2026-03-04T12:00:00Z') })
    assert.deepEqual(noon.json(), {
      effect: 'permit',
      decidedBy: 'press',
      reason: 'The policy "press" says permit.',
      algorithm: 'deny-overrides',
    })
    const night = await ask('POST', '/explain', { json: about(Date.parse('2026-03-04T23:00:00Z')) })
    const { decision, policies } = night.json<{
      decision: { effect: string; decidedBy?: string }
      policies: { id: string; effect: string; matched: object; conditions: { result: unknown }[] }[]
    }>()
    assert.deepEqual([decision.effect, decision.decidedBy], ['deny', undefined])
    const press = policies.find(({ id }) => id === 'press')
    assert.deepEqual(press?.matched, { subject: true, resource: true, action: true })
    assert.deepEqual([press?.effect, press?.conditions[0]?.result], ['notApplicable', false])
    for (const time of ['noon', '2026-13-40', '2026-03-04', 1e300, 'now', ''])
      assert.equal(
        await codeOf('POST', '/evaluate', { json: about(time) }),
        '400 POLICY_CONTEXT_INVALID',
        String(time),
      )
    await ask('DELETE', '/policies/press')
  })

  it('takes the permissions for what is asked, at both prefixes', async () => {
    const json = policyDocument('mine')
    const tries: readonly (readonly [string, string, Sending['headers'], string])[] = [
      ['GET', '/policies', {}, '401 UNAUTHORIZED'],
      ['GET', '/policies', as('eve'), '403 FORBIDDEN'],
      ['POST', '/evaluate', as('eve'), '403 FORBIDDEN'],
      ['POST', '/evaluate', reader, '200'],
      ['POST', '/explain', reader, '200'],
      ['GET', '/status', reader, '200'],
      ['POST', '/policies', reader, '403 FORBIDDEN'],
      ['PUT', '/policies/mine', reader, '403 FORBIDDEN'],
      ['DELETE', '/policies/mine', reader, '403 FORBIDDEN'],
      ['GET', '/nothing', {}, '401 UNAUTHORIZED'],
      ['GET', '/nothing', reader, '404 NOT_FOUND'],
      ['POST', '/policies', server().credentials, '201'],
      ['DELETE', '/policies/mine', writer, '200'],
    ]
    for (const prefix of [root, '/api/authz']) {
      for (const [method, path, headers = {}, expected] of tries) {
        const body = path === '/evaluate' || path === '/explain' ? {} : json
        const sent = method === 'POST' || method === 'PUT' ? { headers, json: body } : { headers }
        const answer = await server().send(method, `${prefix}${path}`, sent)
        assert.equal(outcomeOf(answer), expected, `${method} ${prefix}${path}`)
      }
    }
  })

  it('leaves a line in the log of each change, and none of what is only tried', async () => {
    await ask('POST', '/policies', { json: policyDocument('logged') })
    await ask('POST', '/evaluate', { json: {} })
    await ask('DELETE', '/policies/logged')
    const actions = server().lines.filter(({ msg, actor }) => msg === 'admin action' && actor === 'Ann')
    assert.ok(actions.some(({ action, id }) => action === `DELETE ${root}/policies/:id` && id === 'logged'))
    assert.ok(!actions.some(({ action }) => String(action).includes('evaluate')))
  })
})

describe('hostile policies and contexts', () => {
  const server = useHost({ plugins: {}, config: policyConfig })
  const send = (method: string, path: string, sending: Sending) =>
    server().send(method, `${root}${path}`, { headers: { ...writer, ...sending.headers }, ...sending })

  async function isAlive(host: TestHost): Promise<void> {
    assert.equal((await host.send('GET', `${root}/status`, { headers: writer })).status, 200)
  }

  const deep = (levels: number, inner = '1') => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`
  const nested = (levels: number) =>
    `${'{"type":"not","condition":'.repeat(levels)}{"type":"ip","allow":["::1"]}${'}'.repeat(levels)}`

  it('refuses what is nested too deep, too large or no JSON', async () => {
    const headers = { ...writer, 'content-type': 'application/json' }
    const about = (conditions: string) =>
      `{"id":"p","effect":"permit","subjects":[],"resources":[],"actions":[],"conditions":${conditions}}`
    const bodies: readonly (readonly [string, string, number])[] = [
      ['/policies', deep(100_000), 400],
      ['/policies', about(deep(50_000)), 400],
      ['/policies', about(`[${nested(6)}]`), 400],
      ['/policies', about(`[${nested(500)}]`), 400],
      ['/policies', about(`[${nested(8000)}]`), 400],
      ['/policies', '{"__proto__":{"effect":"permit"}}', 400],
      ['/policies', '{"constructor":{"prototype":{"effect":"permit"}}}', 400],
      ['/policies', 'null', 400],
      ['/policies', '"x"', 400],
      ['/policies', '[]', 400],
      ['/policies', '', 400],
      ['/policies', '{', 400],
      ['/evaluate', deep(100_000), 400],
      ['/evaluate', `{"subject":{"id":"x","claims":{"a":${deep(30_000)}}}}`, 400],
      ['/evaluate', `{"resource":{"path":"/${'a'.repeat(70_000)}"}}`, 400],
      ['/evaluate', 'null', 400],
      ['/evaluate', '{"subject":null}', 400],
      ['/evaluate', '{"subject":{"roles":"admin"}}', 400],
      ['/evaluate', '{"more":1}', 400],
      ['/evaluate', ' '.repeat(300_000), 413],
    ]
    for (const [path, body, expected] of bodies) {
      const answer = await server().send('POST', `${root}${path}`, { headers, body })
      assert.equal(answer.status, expected, `${path} ${body.slice(0, 60)}: ${answer.text.slice(0, 200)}`)
      assert.ok(answer.text.length < 20_000, 'an answer is bounded')
    }
    const typed = { ...writer, 'content-type': 'text/plain' }
    assert.equal(
      (await server().send('POST', `${root}/evaluate`, { headers: typed, body: '{}' })).status,
      415,
    )
    await isAlive(server())
  })

  it('takes nothing for a regular expression or a way into an object', async () => {
    const evil = '(a+)+$'
    await send('POST', '/policies', {
      json: policyDocument('evil', {
        subjects: [
          { role: `${'*a'.repeat(100)}*b` },
          { claim: { name: 'constructor.name', value: 'Object' } },
        ],
        resources: [{ path: `/**${'/*a*'.repeat(60)}/**` }, { path: `/${evil}` }],
      }),
    })
    const began = performance.now()
    const tries = [
      { subject: { id: 'x', roles: ['a'.repeat(250)] }, resource: { path: `/${'a/'.repeat(2000)}` } },
      { subject: { id: 'x', claims: { name: 1 } }, resource: { path: `/${'a'.repeat(5000)}` } },
      { subject: { id: 'x' }, resource: { path: '/aaaaaaaaaaaaaaaaaaaaaaaa!' } },
      { subject: { id: '__proto__', roles: ['__proto__', 'toString'] }, resource: { path: '/__proto__' } },
    ]
    for (const json of tries) {
      const { status, text } = await send('POST', '/evaluate', { json })
      assert.equal(status, 200, text)
      assert.equal((JSON.parse(text) as { effect: string }).effect, 'deny')
    }
    assert.ok(performance.now() - began < 5000, 'nothing takes long')
    const exact = {
      subject: { id: 'x', claims: { constructor: { name: 'Object' } } },
      resource: { path: `/${evil}` },
    }
    assert.equal(
      (await send('POST', '/evaluate', { json: exact })).json<{ effect: string }>().effect,
      'permit',
    )
    await send('DELETE', '/policies/evil', {})
  })

  it('knows policies by names that objects have', async () => {
    for (const id of ['constructor', 'toString', 'hasOwnProperty']) {
      assert.equal((await send('GET', `/policies/${id}`, {})).status, 404, id)
      assert.equal((await send('PUT', `/policies/${id}`, { json: policyDocument(id) })).status, 200)
      assert.equal((await send('GET', `/policies/${id}`, {})).json<Listed>().id, id)
      assert.equal((await send('DELETE', `/policies/${id}`, {})).status, 200)
    }
    for (const id of ['__proto__', '..%2fstatus', '%00', 'x'.repeat(500)])
      assert.ok(
        [400, 404].includes((await send('PUT', `/policies/${id}`, { json: policyDocument('p') })).status),
        id,
      )
    await isAlive(server())
  })

  it('answers hundreds of changes of one policy one after the other', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        send('PUT', '/policies/race?version=0', { json: policyDocument('race', { priority: at }) }),
      ),
    )
    const statuses = answers.map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 200).length, 1)
    assert.equal(statuses.filter((status) => status === 409).length, 99)
  })
})

it('decides, lists and explains by as many policies as there may be, and takes no more', async (test) => {
  const seeds = Array.from({ length: policyLimits.policiesMax }, (_, at) =>
    policyDocument(`p${at}`, { subjects: [{ id: `u${at}` }], resources: [{ path: `/a/${at}/**` }] }),
  )
  const server = await startHost(test, {
    plugins: {},
    config: { ...policyConfig, 'auth.policies.seed.policies': seeds },
  })
  const send = (method: string, path: string, json?: unknown) =>
    server.send(method, `${root}${path}`, { headers: writer, ...(json !== undefined && { json }) })
  assert.equal(outcomeOf(await send('POST', '/policies', policyDocument('more'))), '409 POLICIES_FULL')
  assert.equal(outcomeOf(await send('PUT', '/policies/p7', policyDocument('p7'))), '200', 'one may change')
  const about = { subject: { id: 'u1999' }, resource: { path: '/a/1999/x' } }
  const began = performance.now()
  for (let at = 0; at < 50; at += 1) {
    const decision = (await send('POST', '/evaluate', about)).json<{ effect: string }>()
    assert.equal(decision.effect, 'permit')
  }
  assert.ok(performance.now() - began < 5000, 'nobody waits for the policies of others')
  const { policies } = (await send('POST', '/explain', about)).json<{ policies: unknown[] }>()
  assert.equal(policies.length, policyLimits.policiesMax)
  const page = (await send('GET', '/policies?limit=200')).json<{ policies: unknown[]; nextCursor: string }>()
  assert.deepEqual([page.policies.length, typeof page.nextCursor], [200, 'string'])
})

it('tells the hooks of host_actions who has changed which policy, and what was refused', async (test) => {
  const watcher = plugin(
    'watcher',
    `function on_init() db.define_table("seen", { columns = { { name = "what", type = "json" } } }) end
hooks.on("after_create", "host_actions", function(data) db.insert("seen", { what = json.encode(data) }) end)
http.handle("GET", "/seen", function()
  local out = json.array({})
  for _, row in ipairs(db.query("seen", { order_by = "id" })) do out[#out + 1] = json.decode(row.what) end
  return { json = out }
end, { public = true })`,
  )
  const config = {
    'auth.authenticators': policyConfig['auth.authenticators'],
    'auth.roles': policyConfig['auth.roles'],
  }
  const server = await startHost(test, { plugins: { 'watcher/init.lua': watcher }, config })
  const send = (method: string, path: string, json?: unknown) =>
    server.send(method, `${root}${path}`, { headers: writer, ...(json !== undefined && { json }) })
  await send('POST', '/policies', policyDocument('p'))
  await send('POST', '/policies', policyDocument('p'))
  await send('PUT', '/policies/p', policyDocument('p'))
  await send('POST', '/evaluate', {})
  await send('DELETE', '/policies/p')
  const seen = await until('all was seen', async () => {
    const all = (await server.call('GET', '/watcher/seen')).json<Readonly<Record<string, unknown>>[]>()
    const own = all.filter(({ resource_type }) => resource_type === 'policy')
    return own.length === 4 ? own : undefined
  })
  assert.deepEqual(
    seen
      .map(({ action, outcome, resource_id, actor_id }) => [action, outcome, resource_id, actor_id].join(' '))
      .sort(),
    [
      'policy.delete success p ann',
      'policy.put failure p ann',
      'policy.put success p ann',
      'policy.put success p ann',
    ],
  )
})

describe('the OpenAPI document of policies', () => {
  const server = useHost({ plugins: {}, config: policyConfig })

  it('says what is really answered', async () => {
    const api = new DocumentedApi((await server().send('GET', '/api/v1/openapi.json')).json())
    const check = async (
      method: string,
      path: string,
      sending: Sending = {},
      named = path,
    ): Promise<Answer> => {
      const answer = await server().send(method, `${root}${path}`, { headers: writer, ...sending })
      api.check(method, `${root}${named.split('?', 1)[0]}`, answer)
      return answer
    }
    const one = '/policies/{id}'
    const json = policyDocument('p', {
      conditions: [{ type: 'not', condition: { type: 'ip', allow: ['::1'] } }],
    })
    await check('POST', '/policies', { json })
    await check('POST', '/policies', { json })
    await check('POST', '/policies', { json: { id: 1 } })
    await check('POST', '/policies', { headers: {}, json })
    await check('POST', '/policies', { headers: reader, json })
    await check('POST', '/policies', { body: '{}' })
    await check('POST', '/policies', { json: { id: 'x'.repeat(300_000) } })
    await check('PUT', '/policies/p', { json }, one)
    await check('PUT', '/policies/p?version=9', { json }, one)
    await check('PUT', '/policies/p', { json: {} }, one)
    await check('GET', '/policies/p', {}, one)
    await check('GET', '/policies/q', {}, one)
    await check('GET', '/policies?limit=1')
    await check('GET', '/policies?limit=x')
    await check('GET', '/policies/p/history', {}, `${one}/history`)
    await check('GET', '/policies/q/history', {}, `${one}/history`)
    await check('GET', '/status')
    for (const path of ['/evaluate', '/explain']) {
      await check('POST', path, { json: { subject: { id: 'x' } } })
      await check('POST', path, { json: { subject: 1 } })
      await check('POST', path, { headers: {}, json: {} })
    }
    await check('DELETE', '/policies/p?version=7', {}, one)
    await check('DELETE', '/policies/p', {}, one)
    await check('DELETE', '/policies/p', {}, one)
    assert.deepEqual(api.unchecked('Policies'), [])
    assert.equal(api.operations('Policies').length, 9)
  })
})
