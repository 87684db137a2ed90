import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redactor } from '../../../../src/base/redactor.js'
import { readPluginSections } from '../../../../src/config/plugin-sections.js'
import { PluginConfigs } from '../../../../src/plugins/config/plugin-configs.js'
import { readConfigSchema } from '../../../../src/plugins/config/schema-reader.js'

interface Given {
  readonly plugins?: unknown
  readonly edition?: string
  readonly editions?: Readonly<Record<string, readonly string[]>>
}

function configsOf({ plugins = {}, edition = 'default', editions = {} }: Given, redactor = new Redactor()) {
  const sections = readPluginSections({ value: plugins, originOf: (key) => `file ${key}` }, {})
  assert.deepEqual(sections.problems, [])
  return new PluginConfigs({ ...sections, edition, editions }, redactor)
}

const { schema: configSchema } = readConfigSchema({
  properties: { key: { secret: true }, open: { type: 'string' } },
})

test('without anything said every plugin runs, none must, and none gets a value', () => {
  const configs = new PluginConfigs()
  assert.equal(configs.offReason('a'), undefined)
  assert.equal(configs.isRequired('a'), false)
  const { values, problems, isConfigured } = configs.resolve({
    name: 'a',
    configSchema: undefined,
    secrets: [],
  })
  assert.deepEqual([values, problems, isConfigured], [{}, [], false])
})

test('names are the same with "-" and "_", in sections and in editions', () => {
  const editions = { small: ['worker-token', 'b_b'] }
  const configs = configsOf({ plugins: { 'b-b': { required: true } }, edition: 'small', editions })
  assert.equal(configs.offReason('worker_token'), undefined)
  assert.equal(configs.isRequired('b_b'), true)
  assert.deepEqual(configs.required(), ['b_b'])
  assert.match(configs.offReason('c') ?? '', /not in the edition "small"/)
})

test('what is switched off is not required', () => {
  const configs = configsOf({ plugins: { a: { enabled: false, required: true } } })
  assert.match(configs.offReason('a') ?? '', /plugins\.a\.enabled is false \(file plugins\.a\.enabled\)/)
  assert.deepEqual(configs.required(), [])
})

test('an edition named like a member of all objects is no edition', () => {
  assert.equal(configsOf({ edition: 'constructor' }).offReason('a'), undefined)
})

test('secrets belong to one plugin, and are taken out of texts from the first look on', () => {
  const redactor = new Redactor()
  const plugins = { a: { key: 'secret of a', open: 'x' }, b: { key: 'secret of b' } }
  const configs = configsOf({ plugins }, redactor)
  const config = configs.resolve({ name: 'a', configSchema, secrets: [] })
  assert.equal(configs.redact('it is secret of a'), 'it is ***')
  assert.deepEqual([...configs.secretsOf('a')], [], 'nothing runs with it yet')
  configs.serves('a', config)
  assert.deepEqual([...configs.secretsOf('a')], [['key', 'secret of a']])
  assert.deepEqual([...configs.secretsOf('b')], [])
  // Another schema of the plugin does not call it a secret: who knew it may still say it.
  const { schema } = readConfigSchema({ properties: { key: { type: 'string' }, open: {} } })
  configs.serves('a', configs.resolve({ name: 'a', configSchema: schema, secrets: [] }))
  assert.equal(redactor.redact('secret of a'), '***')
  assert.deepEqual([...configs.secretsOf('a')], [])
})

test('what is said of plugins that are not there is told', () => {
  const configs = configsOf({
    plugins: { shpo: {}, shop: {} },
    edition: 'e',
    editions: { e: ['shop', 'gone'] },
  })
  const [section = '', member = '', ...others] = configs.strangers(['shop'])
  assert.match(section, /^plugins\.shpo \(file plugins\.shpo\) configures a plugin that is not/)
  assert.match(member, /edition "e" names the plugin gone/)
  assert.deepEqual(others, [])
})
