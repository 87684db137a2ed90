import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseManifest, requireManifest } from '../../../src/plugins/manifest.js'
import { findNameProblem } from '../../../src/plugins/plugin-name.js'
import type { LuaObject } from '../../../src/sandbox/lua-value.js'

const valid = { name: 'shop', version: '1.0.0', description: 'A shop.' }

function problemsOf(changes: LuaObject): string {
  const { manifest, problems } = parseManifest({ ...valid, ...changes })
  assert.equal(manifest === undefined, problems.length > 0)
  return problems.map(({ field, message }) => `[${field}] ${message}`).join('\n')
}

describe('parseManifest', () => {
  it('takes a manifest with the required fields only', () => {
    const { manifest, problems, warnings } = parseManifest(valid)
    assert.deepEqual(problems, [])
    assert.equal(manifest?.name, 'shop')
    assert.deepEqual(manifest?.dependencies, [])
    assert.equal(manifest?.ui, undefined)
    assert.deepEqual(
      warnings.map(({ field }) => field),
      ['author', 'license'],
    )
  })

  it('says what is missing', () => {
    assert.match(parseManifest(undefined).problems[0]?.message ?? '', /missing required plugin_info/)
    const all = parseManifest({}).problems.map(({ message }) => message)
    assert.equal(all.length, 3)
    for (const [index, field] of ['name', 'version', 'description'].entries()) {
      assert.match(all[index] ?? '', new RegExp(`^${field} is required`))
    }
  })

  it('treats a field that is no text as missing', () => {
    assert.match(problemsOf({ version: 1.5 }), /version is required.*a number/)
    assert.match(problemsOf({ name: 7 }), /name is required/)
    assert.match(problemsOf({ description: Buffer.from([0xff]) }), /description is required.*not UTF-8/)
    assert.match(problemsOf({ version: ' ' }), /version is required/)
    assert.equal(parseManifest({ ...valid, author: 5 }).manifest?.author, undefined)
  })

  it('refuses names that break the rule, each with its reason', () => {
    assert.match(problemsOf({ name: 'a'.repeat(33) }), /exceeds 32 characters/)
    for (const name of ['Shop', 'my-shop', '../x', 'é', 'a b', 'x.y', 'a\n', 'а']) {
      assert.match(problemsOf({ name }), /invalid character/, name)
    }
    for (const name of ['shop_', '__proto__', '_']) assert.match(problemsOf({ name }), /trailing underscore/)
    for (const name of ['routes', 'hooks', 'requests', 'cleanup']) {
      assert.match(problemsOf({ name }), /reserved/)
    }
    for (const name of ['a', '1shop', '_x', 'constructor', 'a'.repeat(32)])
      assert.equal(problemsOf({ name }), '')
  })

  it('accepts exactly the names of the pattern', () => {
    const characters = fc.constantFrom(...'az09_A-./é ')
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 34 }), (name) => {
        assert.equal(findNameProblem(name) === undefined, /^[a-z0-9_]{0,31}[a-z0-9]$/.test(name))
      }),
      { numRuns: 200 },
    )
  })

  it('refuses what would be printed badly or without end', () => {
    assert.match(problemsOf({ version: '1\u001b[2J' }), /control character/)
    assert.match(problemsOf({ version: '1'.repeat(65) }), /version exceeds 64 characters/)
    assert.match(problemsOf({ description: 'x'.repeat(1001) }), /description exceeds 1000/)
    assert.equal(parseManifest({ ...valid, description: 'two\n  lines' }).manifest?.description, 'two lines')
  })

  it('refuses names of secrets that are none', () => {
    for (const name of [
      '',
      'API',
      '_x',
      '1x',
      'a-b',
      'a.b',
      'a b',
      'x'.repeat(65),
      5,
      null,
      {},
      'constructor\n',
    ]) {
      assert.match(problemsOf({ secrets: [name] }), /secrets has .* which is no name of a secret/)
    }
    assert.match(problemsOf({ secrets: 'api_key' }), /secrets must be a list/)
    const many = Array.from({ length: 17 }, (_unused, at) => `s${at}`)
    assert.match(problemsOf({ secrets: many }), /17 names; the limit is 16/)
  })

  it('reads the optional fields', () => {
    const { manifest } = parseManifest({
      ...valid,
      author: 'Ann',
      dependencies: ['b', 5, 'a', 'b'],
      core_access: { content: ['read', 'write'] },
      kv_access: { 'app-config': ['read', 'read'], orders: ['write'] },
      gateway_access: ['stats:read', 'log:read', 'stats:read'],
      secrets: ['api_key', 'smtp2', 'api_key'],
      capabilities: [{ table: 't', op: 'create', handler: 'h', priority: 'x' }],
      screens: [{ name: 's', hidden: true }, { label: 'no name' }, 'text'],
      interfaces: [{ name: 'i' }, { name: 'o', mode: 'overlay' }],
      ui: { tag: 'mcms-shop', has_admin: true },
    })
    assert.deepEqual(manifest?.dependencies, ['b', 'a'])
    assert.deepEqual(manifest?.coreAccess.get('content'), ['read', 'write'])
    assert.deepEqual(
      [...(manifest?.kvAccess ?? [])],
      [
        ['app-config', ['read']],
        ['orders', ['write']],
      ],
    )
    assert.deepEqual(manifest?.gatewayAccess, ['stats:read', 'log:read'])
    assert.deepEqual(manifest?.secrets, ['api_key', 'smtp2'])
    assert.equal(manifest?.capabilities[0]?.priority, 0)
    assert.deepEqual(
      manifest?.screens.map(({ name }) => name),
      ['s'],
    )
    assert.deepEqual(
      manifest?.interfaces.map(({ mode }) => mode),
      ['inline', 'overlay'],
    )
    assert.equal(manifest?.ui?.hasAdmin, true)
  })

  it('names the field of a wrong type, and takes an empty table for an empty list', () => {
    assert.match(problemsOf({ dependencies: 'other' }), /\[dependencies\] dependencies must be a list/)
    assert.match(problemsOf({ core_access: { t: ['own'] } }), /\[core_access.t\]/)
    assert.match(problemsOf({ kv_access: { config: ['own'] } }), /\[kv_access.config\]/)
    assert.match(problemsOf({ kv_access: { config: 'read' } }), /must be a list of "read" and "write"/)
    for (const name of ['shared:config', 'plugin:other', 'Config', '', 'a'.repeat(64)]) {
      assert.match(problemsOf({ kv_access: { [name]: ['read'] } }), /\[kv_access\].*shared namespace/)
    }
    assert.match(
      problemsOf({ gateway_access: ['logs:read'] }),
      /\[gateway_access\] gateway_access has "logs:read", which is none of "log:read", "stats:read", "shell:write"; did you mean "log:read"\?/,
    )
    assert.match(problemsOf({ gateway_access: ['shell:read'] }), /did you mean "shell:write"\?/)
    for (const wanted of ['log:write', '', 'everything', 5, true, ['log:read']]) {
      assert.match(problemsOf({ gateway_access: [wanted] }), /\[gateway_access\].*which is none of/)
    }
    assert.match(problemsOf({ gateway_access: { log: ['read'] } }), /gateway_access must be a list/)
    assert.match(problemsOf({ ui: { tag: 'mcms-other' } }), /it must be "mcms-shop"/)
    assert.equal(problemsOf({ dependencies: {} as LuaObject }), '')
  })

  it('warns of unknown fields but takes the manifest', () => {
    const { manifest, warnings } = parseManifest({ ...valid, depends: ['x'] })
    assert.ok(manifest)
    assert.ok(warnings.some(({ field }) => field === 'depends'))
  })

  it('raises all problems together where a manifest is required', () => {
    assert.throws(() => requireManifest('shop', { name: 'A', version: 2 }), {
      code: 'PLUGIN_MANIFEST_INVALID',
      message: /shop\/init\.lua.*invalid character.*version is required.*description is required/s,
    })
  })
})
