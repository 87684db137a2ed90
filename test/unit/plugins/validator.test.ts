import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createValidator } from '../../../src/plugins/validator.js'
import { FakeSandbox, fakeInit } from '../../helpers/fake-sandbox.js'
import { createPluginWorld, testSettings } from '../../helpers/plugin-host.js'

describe('createValidator', () => {
  it('reports a valid plugin with its routes, and warns of what is missing', async (t) => {
    const world = await createPluginWorld(t)
    await world.write(
      'a/init.lua',
      fakeInit('shop', {
        routes: [{ method: 'GET', path: '/x', public: true }],
        hooks: ['before_create:posts'],
      }),
    )
    const validator = createValidator({ sandbox: new FakeSandbox(), settings: testSettings })
    const { errors, warnings, routes, grants, name } = await validator.validate(join(world.directory, 'a'))
    assert.deepEqual(errors, [])
    assert.equal(name, 'shop')
    assert.deepEqual(routes, [{ method: 'GET', path: '/x', public: true }])
    assert.deepEqual(
      grants.map(({ kind, key }) => `${kind} ${key}`),
      ['hook before_create:posts'],
    )
    assert.deepEqual(
      warnings.map(({ field }) => field),
      ['author', 'license', 'on_init'],
    )
  })

  it('reports what is wrong by field and never rejects', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', JSON.stringify({ info: { name: 'Bad', version: '1' } }))
    await world.write('b/init.lua', 'broken')
    await world.write('c/readme.md', '')
    const validator = createValidator({ sandbox: new FakeSandbox(), settings: testSettings })
    const fieldsOf = async (folder: string) =>
      (await validator.validate(join(world.directory, folder))).errors.map(({ field }) => field)
    assert.deepEqual(await fieldsOf('a'), ['name', 'description'])
    assert.deepEqual(await fieldsOf('b'), ['init.lua'])
    assert.deepEqual(await fieldsOf('c'), ['source'])
    assert.deepEqual(await fieldsOf('nowhere'), ['source'])
  })
})
