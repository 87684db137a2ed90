import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { identityOfKey, identityOfUser } from '../../../src/identity/account-identity.js'
import { checkGrant, checkReach, type Giver, type Grant } from '../../../src/identity/granting.js'
import {
  anonymous,
  createIdentity,
  type Identity,
  type IdentityFields,
} from '../../../src/identity/identity.js'
import {
  allPermissions,
  noPermissions,
  PermissionSet,
  permissionNames,
} from '../../../src/identity/permissions.js'
import { builtInRoles, permissionsOf } from '../../../src/identity/roles.js'
import { toUser } from '../../../src/identity/user.js'
import { createIdentityFixture, failsWith } from '../../helpers/identity-fixture.js'

const least: IdentityFields = { kind: 'user', sub: 'u1', authenticator: 'jwt' }

test('an identity cannot be changed, nor by who gave its parts', () => {
  const claims = { a: { b: [1] } }
  const roles = ['editor']
  const identity = createIdentity({ ...least, claims, roles })
  claims.a.b.push(2)
  roles.push('admin')
  assert.deepEqual(identity.claims, { a: { b: [1] } })
  assert.deepEqual(identity.roles, ['editor'])
  const frozen: readonly object[] = [
    identity,
    identity.roles,
    identity.groups,
    identity.claims,
    identity.claims.a as object,
    anonymous,
    anonymous.roles,
    anonymous.claims,
  ]
  for (const part of frozen) assert.ok(Object.isFrozen(part))
  assert.equal(identity.permissions, noPermissions)
})

test('what is too long for an identity is refused and never cut', () => {
  const bad: readonly (readonly [RegExp, Partial<IdentityFields>])[] = [
    [/sub is empty/, { sub: '' }],
    [/sub has 256/, { sub: 'x'.repeat(256) }],
    [/sub has a control/, { sub: 'a\r\nb' }],
    [/name has/, { name: 'x'.repeat(256) }],
    [/email has/, { email: 'x'.repeat(256) }],
    [/roles has 101/, { roles: Array.from({ length: 101 }, String) }],
    [/member of roles has 129/, { roles: ['x'.repeat(129)] }],
    [/groups has 201/, { groups: Array.from({ length: 201 }, String) }],
    [/member of groups is empty/, { groups: [''] }],
    [/tenant has 129/, { tenant: 'x'.repeat(129) }],
    [/claims have/, { claims: { a: 'ä'.repeat(9000) } }],
    [/claims are nested/, { claims: { a: JSON.parse('['.repeat(20) + ']'.repeat(20)) } }],
  ]
  for (const [expected, fields] of bad) assert.throws(() => createIdentity({ ...least, ...fields }), expected)
  const most = createIdentity({
    ...least,
    sub: 'x'.repeat(255),
    roles: Array.from({ length: 100 }, (_, number) => String(number).padStart(128, 'x')),
    claims: JSON.parse('{"__proto__":{"roles":["admin"]}}'),
  })
  assert.equal(most.roles.length, 100)
  assert.equal(Object.getPrototypeOf(most.claims), Object.prototype)
  assert.equal('roles' in most.claims, false)
})

/** What older code sees of somebody. */
function shown(identity: Identity) {
  const { id, username, role } = toUser(identity) ?? assert.fail('it is nobody')
  return { id, username, role }
}

test('a user has the identity of the row, and what their roles permit now', async (t) => {
  const { users, roles } = await createIdentityFixture(t)
  await roles.create('watcher', { permissions: ['metrics:read'] })
  const user = await users.create({
    username: 'Ann',
    email: 'ann@example.com',
    name: 'admin',
    roles: ['watcher', 'x'],
    groups: ['g'],
    tenant: 'acme',
    claims: { a: 1 },
    passwordHash: 'hash',
  })
  const identity = await identityOfUser(user, 'session', roles)
  const { permissions, ...rest } = identity
  assert.deepEqual(rest, {
    kind: 'user',
    sub: user.id,
    name: 'Ann',
    email: 'ann@example.com',
    roles: ['watcher', 'x'],
    groups: ['g'],
    tenant: 'acme',
    claims: { a: 1 },
    authenticator: 'session',
  })
  assert.deepEqual(permissions.list(), ['metrics:read'])
  assert.deepEqual(shown(identity), { id: user.id, username: 'Ann', role: 'watcher' })
})

test('a key does what it may and its owner may', async (t) => {
  const { users, roles, keys } = await createIdentityFixture(t)
  const owner = await users.create({ username: 'ann', roles: ['operator', 'x'], tenant: 'acme' })
  const { key } = await keys.issue({
    name: 'admin',
    ownerId: owner.id,
    roles: ['x', 'y', 'auditor'],
    permissions: ['content:write', 'keys:admin'],
    tenant: 'acme',
    createdBy: 'ann',
  })
  const identity = await identityOfKey(key, owner, 'api_key', roles)
  assert.ok(identity)
  assert.equal(identity.sub, `key:${key.id}`)
  assert.equal(identity.kind, 'key')
  assert.deepEqual(identity.roles, ['x'])
  assert.equal(identity.permissions.has('content:write'), true)
  for (const name of ['keys:admin', 'users:read', 'content:admin'] as const) {
    assert.equal(identity.permissions.has(name), false, name)
  }
  assert.deepEqual(shown(identity), { id: `key:${key.id}`, username: `key:${key.id}`, role: 'x' })
  const demoted = { ...owner, roles: [] }
  assert.deepEqual((await identityOfKey(key, demoted, 'api_key', roles))?.permissions, noPermissions)
  assert.deepEqual((await identityOfKey(key, demoted, 'api_key', roles))?.roles, [])
  assert.equal(await identityOfKey(key, { ...owner, tenant: 'other' }, 'api_key', roles), undefined)
  const moved = await identityOfKey(key, { ...owner, tenant: undefined }, 'api_key', roles)
  assert.equal(moved?.tenant, 'acme')
  const free = await identityOfKey({ ...key, kind: 'service' }, undefined, 'api_key', roles)
  assert.equal(free?.kind, 'service')
  assert.ok(free?.permissions.has('keys:admin'))
})

test('only who may do everything is an admin to older code', () => {
  const role = (fields: Partial<IdentityFields>) => toUser(createIdentity({ ...least, ...fields }))?.role
  assert.equal(role({}), 'user')
  assert.equal(role({ roles: ['admin'] }), 'user')
  assert.equal(role({ roles: ['admin', 'editor'] }), 'editor')
  assert.equal(role({ roles: ['editor'], permissions: allPermissions }), 'admin')
  assert.equal(toUser(anonymous), undefined)
})

const defined = new Map([
  ['editor', ['content:*']],
  ['root', ['*']],
])
const giver = (fields: Partial<Giver>): Giver => ({
  roles: [],
  groups: [],
  tenant: undefined,
  claims: {},
  permissions: noPermissions,
  ...fields,
})

test('nobody gives what they do not have', async () => {
  const manager = giver({
    roles: ['manager', 'x'],
    groups: ['g'],
    claims: { dept: { a: [1] } },
    permissions: PermissionSet.of(['users:*', 'content:*']),
  })
  const allowed: readonly Grant[] = [
    {},
    { roles: ['editor', 'user', 'x'], permissions: ['content:read', 'users:admin'], groups: ['g'] },
    { tenant: 'any', claims: { dept: { a: [1] } } },
  ]
  const refused: readonly (readonly [RegExp, Grant])[] = [
    [/plugins:read/, { roles: ['admin'] }],
    [/plugins:read/, { roles: ['root'] }],
    [/metrics:read/, { permissions: ['*:read'] }],
    [/keys:admin/, { permissions: ['keys:admin'] }],
    [/the role analyst/, { roles: ['analyst'] }],
    [/the role __proto__/, { roles: ['__proto__'] }],
    [/the group h/, { groups: ['g', 'h'] }],
    [/the claim dept/, { claims: { dept: { a: [1, 2] } } }],
    [/the claim toString/, { claims: { toString: 'x' } }],
    [/ more/, { roles: ['admin', 'a', 'b'] }],
  ]
  for (const grant of allowed) {
    checkGrant(manager, grant, defined)
    checkReach(manager, grant, defined)
  }
  for (const [expected, grant] of refused) {
    assert.match(await failsWith('GRANT_EXCEEDED', () => checkGrant(manager, grant, defined)), expected)
    assert.match(await failsWith('USER_BEYOND_REACH', () => checkReach(manager, grant, defined)), expected)
    checkGrant(giver({ permissions: allPermissions }), grant, defined)
  }
})

test('who belongs to a tenant gives nothing outside of it', async () => {
  const manager = giver({ tenant: 'acme', permissions: PermissionSet.of(['users:*']) })
  checkGrant(manager, { tenant: 'acme' }, defined)
  for (const tenant of [undefined, null, 'other', '']) {
    assert.match(
      await failsWith('GRANT_EXCEEDED', () => checkGrant(manager, { tenant }, defined)),
      /outside of acme/,
    )
    await failsWith('USER_BEYOND_REACH', () => checkReach(manager, { tenant }, defined))
  }
})

test('what is given never permits more than the giver may', () => {
  const patterns = fc.subarray(['*', 'content:*', '*:read', ...permissionNames], { maxLength: 4 })
  const roles = fc.subarray(['editor', 'root', 'nothing', ...Object.keys(builtInRoles)])
  fc.assert(
    fc.property(patterns, roles, patterns, roles, (own, ownRoles, given, givenRoles) => {
      const permissions = PermissionSet.of([...own, ...permissionsOf(ownRoles, defined).list()])
      try {
        checkGrant(
          giver({ roles: ownRoles, permissions }),
          { roles: givenRoles, permissions: given },
          defined,
        )
      } catch {
        return
      }
      assert.ok(permissions.includes(PermissionSet.of(given)))
      assert.ok(permissions.includes(permissionsOf(givenRoles, defined)))
    }),
  )
})
