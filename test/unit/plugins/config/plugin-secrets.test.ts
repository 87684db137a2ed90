import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PluginConfigs } from '../../../../src/plugins/config/plugin-configs.js'
import type { ConfigSchema } from '../../../../src/plugins/config/schema.js'
import { parseManifest } from '../../../../src/plugins/manifest.js'

const schema: ConfigSchema = {
  type: 'object',
  properties: {
    greeting: { type: 'string' },
    smtp: {
      type: 'object',
      properties: { password: { type: 'string', secret: true }, host: { type: 'string' } },
    },
  },
  additionalProperties: false,
}

function resolve(values: object, given: { secrets?: string[]; configSchema?: ConfigSchema } = {}) {
  const section = {
    name: 'one',
    key: 'plugins.one',
    origin: 'config.json',
    enabled: true,
    required: false,
    values: values as Readonly<Record<string, unknown>>,
    variables: [
      {
        variable: 'MODULACMS__PLUGINS__ONE__SECRETS__SPARE',
        path: ['secrets', 'spare'],
        text: 'of the environment',
      },
    ],
    originOf: () => 'config.json',
  }
  const configs = new PluginConfigs({
    sections: new Map([['one', section]]),
    environment: { API_TOKEN: 'tok_5f3a9c71e2' },
    edition: 'default',
    editions: {},
  })
  const { secrets = ['api_token', 'spare', 'unset'], configSchema } = given
  return { configs, config: configs.resolve({ name: 'one', configSchema, secrets }) }
}

describe('secrets of a plugin', () => {
  it('are read like its values, and are not among them', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the configuration replaces it.
    const { configs, config } = resolve({ secrets: { api_token: '${API_TOKEN}' } })
    assert.deepEqual(config.problems, [])
    assert.deepEqual(config.values, {})
    assert.deepEqual(config.readable, {
      api_token: 'tok_5f3a9c71e2',
      spare: 'of the environment',
      unset: null,
    })
    assert.equal(configs.redact('with tok_5f3a9c71e2'), 'with ***')
  })

  it('stand beside those of its schema', () => {
    const { config } = resolve(
      { greeting: 'hello', secrets: { api_token: 'tok_5f3a9c71e2' }, smtp: { host: 'mail' } },
      { configSchema: schema },
    )
    assert.deepEqual(config.problems, [])
    assert.deepEqual(config.values, { greeting: 'hello', smtp: { host: 'mail' } })
    assert.equal(config.readable['smtp.password'], null)
    assert.equal(config.readable.api_token, 'tok_5f3a9c71e2')
    assert.ok(!('secrets.api_token' in config.readable))
  })

  it('are refused when they are too short, too long, no texts, or not listed', () => {
    const wrong = [
      { api_token: '7 chars' },
      { api_token: 'x'.repeat(8193) },
      { api_token: 12345678 },
      { other: 'tok_5f3a9c71e2' },
    ]
    for (const secrets of wrong) {
      const { config } = resolve({ secrets })
      assert.equal(config.problems.length, 1, JSON.stringify(secrets).slice(0, 60))
      assert.match(config.problems[0]?.key ?? '', /^plugins\.one\.secrets\./)
      assert.ok(!JSON.stringify(config.problems).includes('7 chars'))
      assert.ok(!JSON.stringify(config.problems).includes('tok_5f3a9c71e2'))
    }
  })

  it('are refused for a plugin that lists none', () => {
    const { config } = resolve({ secrets: { api_token: 'tok_5f3a9c71e2' } }, { secrets: [] })
    assert.deepEqual(config.problems.map(({ key }) => key).sort(), [
      'MODULACMS__PLUGINS__ONE__SECRETS__SPARE',
      'plugins.one.secrets',
    ])
    assert.deepEqual(config.readable, {})
  })

  it('leave their place to no value of the schema', () => {
    const info = { name: 'one', version: '1', description: 'd', secrets: ['a'] }
    const config_schema = { properties: { secrets: { type: 'string' } } }
    const clash = parseManifest({ ...info, config_schema } as unknown as Parameters<typeof parseManifest>[0])
    assert.match(JSON.stringify(clash.problems), /config_schema has the property \\"secrets\\"/)
  })
})
