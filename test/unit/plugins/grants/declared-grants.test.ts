import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { grantLimits } from '../../../../src/base/limits/plugins.js'
import { parseHookApprovalKey } from '../../../../src/capabilities/hooks/hook-rules.js'
import { declaredGrants } from '../../../../src/plugins/grants/declared-grants.js'
import { kvKey, parseCoreKey, parseKvKey } from '../../../../src/plugins/grants/grant-keys.js'
import { GrantTable } from '../../../../src/plugins/grants/grant-table.js'
import type { Access, GatewayAccess } from '../../../../src/plugins/manifest.js'
import type { Registration } from '../../../../src/sandbox/host-function.js'

const hook = (event: string, table: string, n: number): Registration => ({
  kind: 'hook',
  key: `${event}:${table}#${n}`,
  data: { event, table, priority: 100 },
})
const domain = (key: string, description: unknown = ''): Registration => ({
  kind: 'domain',
  key,
  data: { description },
})
const noAccess = new Map<string, readonly Access[]>()
const noCore = { coreAccess: noAccess, kvAccess: noAccess, gatewayAccess: [] as readonly GatewayAccess[] }
const keysOf = (registrations: readonly Registration[], manifest = noCore) =>
  declaredGrants(registrations, manifest).map(({ kind, key }) => `${kind} ${key}`)

describe('declaredGrants', () => {
  it('asks once for several handlers of one event and table', () => {
    const registrations = [
      hook('before_create', 'posts', 1),
      hook('before_create', 'posts', 2),
      hook('before_create', '*', 3),
    ]
    assert.deepEqual(keysOf(registrations), ['hook before_create:posts', 'hook before_create:*'])
  })

  it('takes domains from the code, core tables and shared namespaces from the manifest, and nothing else', () => {
    const coreAccess = new Map<string, readonly Access[]>([['content_data', ['read', 'write']]])
    const kvAccess = new Map<string, readonly Access[]>([
      ['config', ['read']],
      ['orders', ['write']],
    ])
    const route = { kind: 'route', key: 'GET /x', data: {} }
    assert.deepEqual(keysOf([route, domain('api.example.com')], { ...noCore, coreAccess, kvAccess }), [
      'domain api.example.com',
      'core content_data:read',
      'core content_data:write',
      'kv config:read',
      'kv orders:write',
    ])
  })

  it('takes stages from the code, each key once, and access to the gateway from the manifest', () => {
    const stage = (n: number, path: string): Registration => ({
      kind: 'stage',
      key: `stage#${n}`,
      data: { event: 'on_request', methods: [], paths: [path], priority: 50, fail: 'closed', timeoutMs: 250 },
    })
    const manifest = { ...noCore, gatewayAccess: ['log:read', 'shell:write'] as const }
    assert.deepEqual(keysOf([stage(1, '/a'), stage(2, '/a'), stage(3, '/b')], manifest), [
      'stage on_request * /a',
      'stage on_request * /b',
      'gateway log:read',
      'gateway shell:write',
    ])
    const [guard, reads] = declaredGrants([stage(1, '/a')], manifest)
    assert.match(guard?.description ?? '', /may answer them.*stage#1 at priority 50, fails closed/)
    assert.match(reads?.description ?? '', /addresses/)
    const long = stage(1, 'x'.repeat(grantLimits.keyCharactersMax + 1))
    assert.throws(() => declaredGrants([long], noCore), /the stage that starts with .*limit is 320/)
  })

  it('says what each can do, and cuts the words of a plugin', () => {
    const [hooked, called] = declaredGrants(
      [hook('before_update', 'posts', 1), domain('a.example', 'x'.repeat(10_000))],
      noCore,
    )
    assert.match(hooked?.description ?? '', /refuse/)
    assert.equal(called?.description.length, grantLimits.descriptionCharactersMax)
    assert.equal(declaredGrants([domain('a.example', { evil: true })], noCore)[0]?.description, '')
  })

  it('refuses more, and longer names, than the limits', () => {
    const many = Array.from({ length: grantLimits.perPluginMax + 1 }, (_, n) => domain(`a${n}.example`))
    assert.throws(() => declaredGrants(many, noCore), /asks for 501 .*limit is 500/)
    const long = 'x'.repeat(grantLimits.keyCharactersMax + 1)
    assert.throws(() => declaredGrants([domain(long)], noCore), /limit is 320/)
  })
})

describe('GrantTable', () => {
  it('knows nothing approved that was not asked for, and keeps the kinds apart', () => {
    const table = GrantTable.create([
      { kind: 'domain', key: 'a.example', description: '', approved: true },
      { kind: 'core', key: 'x:read', description: '', approved: false },
    ])
    assert.equal(table.isApproved('domain', 'a.example'), true)
    assert.equal(table.isApproved('core', 'a.example'), false)
    assert.equal(table.isApproved('core', 'x:read'), false)
    assert.equal(table.isApproved('core', 'x:write'), false)
    const changed = table.with('core', 'x:write', true).with('core', 'x:read', true)
    assert.equal(changed.isApproved('core', 'x:write'), false)
    assert.equal(changed.isApproved('core', 'x:read'), true)
    assert.equal(table.isApproved('core', 'x:read'), false, 'a table is a value')
  })
})

describe('keys', () => {
  it('gives back what a key of a shared namespace was made of', () => {
    assert.deepEqual(parseKvKey(kvKey('config', 'write')), { namespace: 'config', access: 'write' })
    assert.deepEqual(parseKvKey(kvKey('config', 'read')), { namespace: 'config', access: 'read' })
  })

  it('come apart where they were put together', () => {
    assert.deepEqual(parseHookApprovalKey('before_create:a:b'), { event: 'before_create', table: 'a:b' })
    assert.deepEqual(parseCoreKey('a:b:write'), { table: 'a:b', access: 'write' })
  })
})
