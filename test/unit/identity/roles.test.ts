import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accountLimits } from '../../../src/base/limits/identity.js'
import {
  allPermissions,
  isPermissionPattern,
  noPermissions,
  PermissionSet,
  permissionNames,
} from '../../../src/identity/permissions.js'
import { builtInRoles, permissionsOf } from '../../../src/identity/roles.js'
import { createIdentityFixture, failsWith, minuteMs } from '../../helpers/identity-fixture.js'

const configured = new Map([['editor', ['content:read', 'content:write']]])

test('a pattern is a permission, an area, a verb, or all', () => {
  for (const pattern of ['*', '*:*', 'content:*', '*:read', ...permissionNames]) {
    assert.equal(isPermissionPattern(pattern), true, pattern)
  }
  const nothing = [
    '',
    ':',
    '*:',
    ':*',
    'content',
    'content:',
    'content:rea',
    'content:read:',
    'Content:read',
    'co*:read',
    '**',
    'content:**',
    ' content:read',
    'content:read\n',
    '__proto__',
    'constructor:*',
  ]
  for (const pattern of nothing) assert.equal(isPermissionPattern(pattern), false, pattern)
})

test('a pattern permits what its parts say and nothing else', () => {
  const part = fc.constantFrom('*', 'content', 'kv', 'plugins', 'read', 'admin', 'write', 'x')
  fc.assert(
    fc.property(part, part, (area, what) => {
      const expected = permissionNames.filter((name) => {
        const [ownArea, ownWhat] = name.split(':')
        return (area === '*' || area === ownArea) && (what === '*' || what === ownWhat)
      })
      assert.deepEqual(PermissionSet.of([`${area}:${what}`]).list(), expected)
    }),
  )
})

test('sets of permissions are ordered by what they include', () => {
  const set = fc.subarray([...permissionNames]).map((names) => PermissionSet.of(names))
  fc.assert(
    fc.property(set, set, (a, b) => {
      const both = a.within(b)
      assert.ok(a.includes(both) && b.includes(both))
      assert.equal(a.includes(b), both.list().length === b.list().length)
      assert.ok(allPermissions.includes(a) && a.includes(noPermissions))
      assert.equal(a.isAll, a.includes(allPermissions))
    }),
  )
  assert.equal(noPermissions.isAll, false)
  assert.throws(() => Object.assign(allPermissions, { has: () => true }), TypeError)
})

test('built-in roles permit what they say, and come before others of their names', () => {
  assert.ok(permissionsOf(['admin'], new Map()).isAll)
  assert.ok(permissionsOf(['owner'], new Map()).isAll)
  assert.deepEqual(permissionsOf(['user'], new Map([['user', ['*']]])), noPermissions)
  assert.ok(
    permissionsOf(['auditor'], new Map())
      .list()
      .every((name) => name.endsWith(':read')),
  )
  const operator = permissionsOf(['operator'], new Map())
  for (const name of ['users:read', 'keys:admin', 'policies:admin', 'users:admin'] as const) {
    assert.equal(operator.has(name), false, name)
  }
  for (const patterns of Object.values(builtInRoles)) assert.ok(patterns.every(isPermissionPattern))
  assert.deepEqual(permissionsOf(['nobody', '__proto__', 'constructor', ''], new Map()), noPermissions)
})

test('roles add up, wherever they are defined, at this moment', async (t) => {
  const { roles } = await createIdentityFixture(t, { configured })
  await roles.create('watcher', { permissions: ['metrics:read'] })
  const held = ['user', 'editor', 'watcher', 'unknown']
  assert.deepEqual((await roles.permissionsOf(held)).list(), [
    'content:read',
    'content:write',
    'metrics:read',
  ])
  await roles.update('watcher', { permissions: ['kv:read'] })
  assert.deepEqual((await roles.permissionsOf(held)).list(), ['content:read', 'content:write', 'kv:read'])
  await roles.delete('watcher')
  assert.deepEqual((await roles.permissionsOf(held)).list(), ['content:read', 'content:write'])
  await roles.create('unknown', { permissions: [] })
  assert.deepEqual(await roles.permissionsOf(['unknown']), noPermissions)
})

test('a role is listed with its source', async (t) => {
  const { roles, time } = await createIdentityFixture(t, { configured })
  await roles.create('watcher', { permissions: ['metrics:read', 'metrics:read'], description: 'looks' })
  const all = await roles.list()
  assert.deepEqual(
    all.map(({ name, source }) => `${source} ${name}`),
    [
      ...Object.keys(builtInRoles).map((name) => `built-in ${name}`),
      'configuration editor',
      'database watcher',
    ],
  )
  const watcher = {
    name: 'watcher',
    description: 'looks',
    permissions: ['metrics:read'],
    source: 'database',
    isShadowed: false,
    updatedAt: time.now,
  } as const
  assert.deepEqual(all.at(-1), watcher)
  for (const role of all) assert.deepEqual(await roles.get(role.name), role)
  time.now += minuteMs
  assert.deepEqual(await roles.update('watcher', { description: '' }), {
    ...watcher,
    description: '',
    updatedAt: time.now,
  })
  assert.equal(await roles.get('nothing'), undefined)
})

test('names that are taken, and names that could be taken for them, are refused', async (t) => {
  const { roles } = await createIdentityFixture(t, { configured })
  for (const name of ['admin', 'Admin', 'OWNER', 'user', 'editor', 'Editor']) {
    await failsWith('ROLE_DUPLICATE', () => roles.create(name, { permissions: [] }))
  }
  for (const name of ['', ' ', 'a b', '-a', 'a/b', 'ä', 'x'.repeat(129), 'a\n', '__proto__', '*']) {
    await failsWith('ROLE_INVALID', () => roles.create(name, { permissions: [] }))
  }
  await roles.create('constructor', { permissions: ['kv:read'] })
  assert.match(
    await failsWith('ROLE_DUPLICATE', () => roles.create('constructor', { permissions: ['*'] })),
    /already \(database\)/,
  )
  assert.deepEqual((await roles.permissionsOf(['constructor'])).list(), ['kv:read'])
  for (const name of ['admin', 'editor']) {
    await failsWith('ROLE_FIXED', () => roles.update(name, { permissions: ['*'] }))
    await failsWith('ROLE_FIXED', () => roles.delete(name))
  }
  await failsWith('ROLE_NOT_FOUND', () => roles.update('gone', { permissions: [] }))
  await failsWith('ROLE_NOT_FOUND', () => roles.delete('gone'))
})

test('patterns that permit nothing are refused, and so is too much', async (t) => {
  const { roles } = await createIdentityFixture(t)
  await roles.create('a', { permissions: ['kv:read'] })
  const bad = [['content:reed'], ['kv:read', 'all'], [''], Array.from({ length: 101 }, () => '*')]
  for (const permissions of bad) {
    await failsWith('ROLE_INVALID', () => roles.create('b', { permissions }))
    await failsWith('ROLE_INVALID', () => roles.update('a', { permissions }))
  }
  assert.match(
    await failsWith('ROLE_INVALID', () => roles.create('b', { permissions: ['x'.repeat(9999)] })),
    /^.{0,300}$/,
  )
  await failsWith('ROLE_INVALID', () => roles.create('b', { permissions: [], description: 'x'.repeat(501) }))
  assert.deepEqual((await roles.permissionsOf(['a'])).list(), ['kv:read'])
  assert.equal(await roles.get('b'), undefined)
})

test('a role that somebody has is not deleted, and it is said who', async (t) => {
  const { roles, users, keys } = await createIdentityFixture(t)
  await roles.create('watcher', { permissions: ['metrics:read'] })
  await roles.create('watch', { permissions: [] })
  const ann = await users.create({ username: 'ann', roles: ['watcher'] })
  const { key } = await keys.issue({ name: 'k', roles: ['watcher'], createdBy: 'x' })
  const message = await failsWith('ROLE_IN_USE', () => roles.delete('watcher'))
  assert.match(message, new RegExp(`user ann, key ${key.id} have it`))
  await roles.delete('watch')
  await users.update(ann.id, { roles: [] })
  await failsWith('ROLE_IN_USE', () => roles.delete('watcher'))
  await keys.revoke(key.id)
  await roles.delete('watcher')
  await roles.create('watcher', { permissions: ['metrics:read'] })
  for (let number = 0; number < 8; number += 1)
    await users.create({ username: `u${number}`, roles: ['watcher'] })
  assert.match(await failsWith('ROLE_IN_USE', () => roles.delete('watcher')), / and 3 more have it/)
  assert.equal((await roles.get('watcher'))?.source, 'database')
})

test('the configuration comes before the database, also when it came later', async (t) => {
  const first = await createIdentityFixture(t)
  await first.roles.create('editor', { permissions: ['*'] })
  await first.users.create({ username: 'ann', roles: ['editor'] })
  const { roles } = await createIdentityFixture(t, { file: first.file, configured })
  assert.deepEqual((await roles.permissionsOf(['editor'])).list(), ['content:read', 'content:write'])
  const shadowed = (await roles.list()).find(({ source }) => source === 'database')
  assert.equal(shadowed?.isShadowed, true)
  await failsWith('ROLE_FIXED', () => roles.update('editor', { permissions: [] }))
  await roles.delete('editor')
  assert.match(await failsWith('ROLE_FIXED', () => roles.delete('editor')), /configuration/)
})

test('there are no more roles than the limit', async (t) => {
  const { roles, database } = await createIdentityFixture(t)
  const row = { permissions: '[]', created_at: 0, updated_at: 0 }
  const rows = Array.from({ length: accountLimits.rolesMax }, (_, number) => ({ name: `r${number}`, ...row }))
  await database.kysely.insertInto('auth_roles').values(rows).execute()
  assert.match(await failsWith('ROLES_EXHAUSTED', () => roles.create('more', { permissions: [] })), /1000/)
  await roles.delete('r0')
  await roles.create('more', { permissions: [] })
})
