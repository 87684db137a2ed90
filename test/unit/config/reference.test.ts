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
  for (const { key, variable, schema } of listSettings()) {
    const found = rows.filter((row) => row.startsWith(`| \`${key}\` |`))
    assert.equal(found.length, 1, key)
    assert.ok(found[0]?.endsWith(`| \`${variable}\` |`), key)
    assert.match(schema.description ?? '', /^["A-Z].{15,}\.$/, key)
  }
})

test('the JSON Schema takes the whole default configuration and refuses what the loader refuses', () => {
  assert.equal(validate(loadConfig({ environment: {} }).config), true, JSON.stringify(validate.errors))
  assert.equal(validate({}), true)
  for (const content of [
    { nope: 1 },
    { server: { nope: 1 } },
    { plugin_max_vms: 0 },
    { log: { level: 'loud' } },
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
