import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import { configJsonSchema } from '../../../src/config/json-schema.js'
import { loadConfig } from '../../../src/config/load.js'
import { configReference } from '../../../src/config/reference.js'
import { listSettings } from '../../../src/config/settings.js'

// This file runs as dist/test/unit/config/reference.test.js.
const root = new URL('../../../../', import.meta.url)
const validate = new Ajv({ allErrors: true }).compile(configJsonSchema())

test('the reference has one row for each setting, with its variable and a meaning', () => {
  const rows = configReference().split('\n')
  for (const { key, variable, alias, schema } of listSettings()) {
    const found = rows.filter((row) => row.startsWith(`| \`${key}\` |`))
    assert.equal(found.length, 1, key)
    const variables = [variable, alias].filter((name) => name !== undefined).map((name) => `\`${name}\``)
    assert.ok(found[0]?.endsWith(`| ${variables.join(', ')} |`), key)
    assert.match(schema.description ?? '', /^["A-Z].{15,}\.$/, key)
  }
})

test('the reference names the members of lists of objects', () => {
  const page = configReference()
  assert.match(page, /Members of the objects in `gateway\.proxy\.rules`:/)
  assert.match(page, /\| `pattern` \| a regular expression [^|]+ \| yes \| Regular/)
  assert.match(page, /\| `cost` \| an integer from 1 to 10000 \| no \|/)
})

test('the JSON Schema takes the whole default configuration and refuses what the loader refuses', () => {
  assert.equal(validate(loadConfig({ environment: {} }).config), true, JSON.stringify(validate.errors))
  assert.equal(validate({}), true)
  assert.equal(validate({ gateway: { rateLimit: {}, cors: { origin: ['https://a.example'] } } }), true)
  for (const content of [
    { nope: 1 },
    { server: { nope: 1 } },
    { plugin_max_vms: 0 },
    { log: { level: 'loud' } },
    { gateway: { rateLimit: { request: 1 } } },
    { gateway: { rateLimit: { requests: 10_001 } } },
    { gateway: { rateLimit: { rules: [{}] } } },
    { gateway: { cors: { origin: 1 } } },
    { gateway: { priorities: { cors: '1' } } },
    { gateway: { proxy: { rules: [{ pattern: '/x', target: 'http://x', extra: 1 }] } } },
  ]) {
    assert.equal(validate(content), false, JSON.stringify(content))
  }
})

test('the shipped config.json is valid, names its schema and switches plugins on', () => {
  const path = fileURLToPath(new URL('config.json', root))
  const content = JSON.parse(readFileSync(path, 'utf8'))
  assert.equal(validate(content), true, JSON.stringify(validate.errors))
  assert.doesNotThrow(() => readFileSync(new URL(content.$schema, new URL('config.json', root))))
  assert.equal(loadConfig({ environment: {}, file: path }).config.plugin_enabled, true)
})
