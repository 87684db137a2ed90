import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPluginSections } from '../../../src/config/plugin-sections.js'

const read = (value: unknown, environment: Record<string, string> = {}) =>
  readPluginSections({ value, originOf: (key) => `file ${key}` }, environment)

const keys = (value: unknown, environment?: Record<string, string>) =>
  read(value, environment).problems.map(({ key }) => key)

test('the host takes out what is its own and leaves the rest as it is written', () => {
  const { sections, problems } = read({ 'worker-token': { enabled: true, required: true, secret: `\${S}` } })
  assert.deepEqual(problems, [])
  const section = sections.get('worker_token')
  assert.equal(section?.key, 'plugins.worker-token')
  assert.deepEqual([section?.enabled, section?.required], [true, true])
  assert.deepEqual(section?.values, { secret: `\${S}` })
  assert.equal(section?.originOf('plugins.worker-token.secret'), 'file plugins.worker-token.secret')
})

test('a plugin is enabled and not required unless somebody says otherwise', () => {
  const section = read({ a: {} }).sections.get('a')
  assert.deepEqual([section?.enabled, section?.required], [true, false])
})

test('variables win over the file, whatever their case, and name a plugin that the file does not', () => {
  const environment = {
    MODULACMS__PLUGINS__WORKER_TOKEN__ENABLED: 'false',
    modulacms__plugins__worker_token__Limits__MAX: '7',
    MODULACMS__PLUGINS__OTHER__KEY: 'x',
    MODULACMS__PLUGIN_TIMEOUT: '3',
  }
  const { sections, problems } = read({ 'worker-token': { enabled: true } }, environment)
  assert.deepEqual(problems, [])
  assert.equal(sections.get('worker_token')?.enabled, false)
  assert.deepEqual(
    sections.get('worker_token')?.variables.map(({ path, text }) => [path.join('.'), text]),
    [['limits.max', '7']],
  )
  assert.equal(sections.get('other')?.origin, 'environment variable MODULACMS__PLUGINS__OTHER__KEY')
})

test('a switch may come from a variable, and a section that is off needs no other', () => {
  const { sections, problems } = read({ a: { enabled: `\${ON:-no}`, secret: `\${UNSET}` } }, { ON: 'false' })
  assert.deepEqual(problems, [])
  assert.equal(sections.get('a')?.enabled, false)
  assert.deepEqual(keys({ a: { enabled: `\${ON}` } }), ['plugins.a.enabled'])
})

for (const [name, value, environment, expected] of [
  ['no object', [], {}, ['plugins']],
  ['null', null, {}, ['plugins']],
  ['a section that is no object', { a: true, b: null, c: [] }, {}, ['plugins.a', 'plugins.b', 'plugins.c']],
  [
    'switches of wrong types',
    { a: { enabled: 'true', required: 1 } },
    {},
    ['plugins.a.enabled', 'plugins.a.required'],
  ],
  ['two names of one plugin', { 'a-b': {}, a_b: {} }, {}, ['plugins.a_b']],
  ['a name of 33 characters', { ['a'.repeat(33)]: {} }, {}, [`plugins.${'a'.repeat(33)}`]],
  [
    'names that are none',
    { '../x': {}, 'A b': {}, '': {}, ａ: {} },
    {},
    ['plugins.../x', 'plugins.A b', 'plugins.', 'plugins.ａ'],
  ],
  ['a prototype', JSON.parse('{"__proto__": {"enabled": false}}'), {}, ['plugins.__proto__']],
  ['a variable without a key', {}, { MODULACMS__PLUGINS__A: '1' }, ['MODULACMS__PLUGINS__A']],
  ['a variable with an empty part', {}, { MODULACMS__PLUGINS__A____B: '1' }, ['MODULACMS__PLUGINS__A____B']],
  ['a switch that is no word', {}, { MODULACMS__PLUGINS__A__ENABLED: 'perhaps' }, ['plugins.a.enabled']],
] as const) {
  test(`refuses ${name}`, () => {
    const before = Object.keys(Object.prototype)
    assert.deepEqual(keys(value, environment), expected)
    assert.deepEqual(Object.keys(Object.prototype), before)
  })
}

test('settings given in code have no variables', () => {
  const { sections, environment, problems } = readPluginSections(
    { value: { a: { text: `\${NAME}` } }, originOf: () => 'code' },
    undefined,
  )
  assert.deepEqual(problems, [])
  assert.equal(environment, undefined)
  assert.deepEqual(sections.get('a')?.values, { text: `\${NAME}` })
})
