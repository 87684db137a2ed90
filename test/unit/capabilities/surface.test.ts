import assert from 'node:assert/strict'
import { test } from 'node:test'
import { visibleFunctions } from '../../../scripts/generators/signature.js'
import { createCapabilities } from '../../../src/capabilities/registry.js'
import { testCapability } from '../../../src/capabilities/test/capability.js'
import { RawLua } from '../../helpers/raw-lua.js'

const capabilities = [...createCapabilities(), testCapability]

/** What plugin code can reach. A change here is a change of what plugins may do: it needs a review of its own. */
const surface: Readonly<Record<string, string>> = {
  auth: 'allow authenticator authorizer check deny fail identity none policy require',
  config: 'get',
  core: 'count delete exists insert query query_one update',
  crypto: [
    'argon2_hash argon2_verify base64_decode base64_encode base64url_decode base64url_encode equal hex_decode',
    'hex_encode hmac hmac_sha256 jwt_sign jwt_verify random_bytes random_string sha256 sha512 uuid',
  ].join(' '),
  db: [
    'agg_avg agg_count agg_max agg_min agg_sum between count create_index define_table delete eq exists gt gte',
    'in_list insert insert_many is_not_null is_null like lt lte migration neq not_in not_like null query query_one',
    'timestamp timestamp_ago transaction ulid update upsert',
  ].join(' '),
  gateway: [
    'cache.delete cache.get cache.set key_by log.query on_request on_response rate_limit shell.exclude shell.include',
    'stats',
  ].join(' '),
  hooks: 'on record',
  http: 'handle use',
  json: 'array decode encode null',
  kv: [
    'atomic bigint bytes count create_index dead_letters delete enqueue get get_many indexes list listen now on_change',
    'paginate queue_stats remove_index requeue search set shared transaction u64',
  ].join(' '),
  log: 'debug error info warn',
  metrics: 'counter gauge histogram',
  request: 'delete get patch post put register send',
  secrets: 'get',
  // Only for the files in a plugin's test/ folder, and only where tests are run.
  test: [
    'assert assert_contains assert_eq assert_error assert_neq assert_nil assert_not_nil authorize fire_hook log mock_check mock_request',
    'request requests setup teardown wait_hooks wait_messages',
  ].join(' '),
}

test('the modules expose exactly the members that are listed here', () => {
  const found = capabilities.map((capability) => {
    const constants = (capability.constants ?? []).map(({ name }) => name)
    const names = [...visibleFunctions(capability).map(({ name }) => name), ...constants]
    return [capability.name, names.sort().join(' ')]
  })
  assert.deepEqual(Object.fromEntries(found), surface)
})

test('what the sandbox installs has the documented members and the hidden parts of Lua functions, no more', () => {
  for (const { name, module, constants = [] } of capabilities) {
    const installed = module.functions.map((fn) => fn.name).filter((fn) => !fn.startsWith('_'))
    const members = (surface[name] ?? '').split(' ')
    for (const member of [...installed, ...Object.keys(module.constants ?? {})]) {
      assert.ok(members.includes(member), `${name}.${member} is installed and not listed`)
    }
    assert.deepEqual(
      Object.keys(module.constants ?? {}),
      constants.map((constant) => constant.name),
    )
  }
})

test('every function has a text, and so has each of its parameters and results', () => {
  for (const capability of capabilities) {
    assert.match(capability.doc, /\w.*[.]/, `${capability.name} has no text`)
    for (const { name, doc, params, returns, phases } of visibleFunctions(capability)) {
      const owner = `${capability.name}.${name}`
      assert.match(doc, /^[A-Z][\s\S]*[.]$/, `${owner}: the text is no sentence`)
      assert.ok(phases.length > 0, `${owner} can be called nowhere`)
      for (const param of params) assert.match(param.doc, /\S[.]$/, `${owner}, parameter ${param.name}`)
      for (const result of returns) assert.match(result.doc, /\S[.]$/, `${owner}, result ${result.luaType}`)
    }
  }
})

test('only the last parameter takes the rest, and no required one follows an optional one', () => {
  for (const capability of capabilities) {
    for (const { name, params } of visibleFunctions(capability)) {
      const flags = params.map(({ optional }) => optional === true)
      assert.deepEqual(flags, [...flags].sort(), `${capability.name}.${name}`)
      assert.ok(
        params.slice(0, -1).every(({ rest }) => rest !== true),
        `${capability.name}.${name}`,
      )
    }
  }
})

test('every field of every class has a text', () => {
  for (const { classes = [] } of capabilities) {
    for (const { name, doc, fields } of classes) {
      assert.match(doc, /[.]$/, name)
      for (const field of fields) assert.match(field.doc, /[.]$/, `${name}.${field.name}`)
    }
  }
})

test('every function has an example, and every example is Lua', async () => {
  const lua = await RawLua.create()
  for (const capability of capabilities) {
    for (const { name, example } of visibleFunctions(capability)) {
      assert.ok(example !== undefined, `${capability.name}.${name} has no example`)
      assert.equal(lua.syntaxError(example, `${capability.name}.${name}`), undefined)
      assert.match(
        example,
        new RegExp(`${capability.name}[.]${name}\\b`),
        `${capability.name}.${name} is not in it`,
      )
    }
  }
})
