import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../../src/config/load.js'
import { redactConfig, redactText, redactValue } from '../../../src/config/redact.js'

test('passwords in URLs are blanked, the rest of the URL is kept', () => {
  assert.equal(redactText('postgres://me:geheim@db:5432/app'), 'postgres://me:***@db:5432/app')
  assert.equal(redactText('redis://:geheim@cache'), 'redis://:***@cache')
  assert.equal(redactText('postgres://me:ge@heim@db/app'), 'postgres://me:***@db/app')
  assert.equal(
    redactText('postgres://db/app?user=me&password=geheim&x=1'),
    'postgres://db/app?user=me&password=***&x=1',
  )
  assert.equal(redactText('sqlite:./data/modula.db'), 'sqlite:./data/modula.db')
  assert.equal(redactText('http://[::1]:8080/a@b'), 'http://[::1]:8080/a@b')
})

test('values whose name says that they are secret are blanked whole, at any depth', () => {
  const value = { mail: { password: 'geheim', host: 'mx' }, api_key: 'geheim', tokens: ['geheim'], keep: 1 }
  assert.deepEqual(redactValue('', value), {
    mail: { password: '***', host: 'mx' },
    api_key: '***',
    tokens: ['***'],
    keep: 1,
  })
})

test('a configuration for printing has the same keys, and the configuration is left alone', () => {
  const { config } = loadConfig({ environment: {}, flags: { database_url: 'sqlite://me:geheim@x/a.db' } })
  const printed = redactConfig(config)
  assert.deepEqual(Object.keys(printed), Object.keys(config))
  assert.equal(printed.database_url, 'sqlite://me:***@x/a.db')
  assert.equal(config.database_url, 'sqlite://me:geheim@x/a.db')
})

test('values of headers that a proxy rule adds are blanked, their names are kept', () => {
  const rule = {
    pattern: '^/x',
    target: 'http://x',
    headers: { 'X-Upstream.Key': 'geheim', Via: 'geheim' },
  }
  const { config } = loadConfig({ environment: {}, flags: { 'gateway.proxy.rules': [rule] } })
  assert.deepEqual(redactConfig(config).gateway.proxy.rules, [
    { pattern: '^/x', target: 'http://x', headers: { 'X-Upstream.Key': '***', Via: '***' } },
  ])
  assert.deepEqual(config.gateway.proxy.rules, [rule])
})

test('a switch and names of headers are no secrets', () => {
  const { config } = loadConfig({
    environment: {},
    flags: { 'gateway.cors.allowedHeaders': 'X-Token', 'gateway.cors.origin': 'https://a.example' },
  })
  assert.deepEqual(redactConfig(config).gateway, config.gateway)
})
