import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { HostError } from '../../src/base/errors.js'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'

const token = 'tok_5f3a9c71e2'
const secretsInfo = 'secrets = { "api_token", "spare" },'

const route = (path: string, body: string): string =>
  `http.handle("GET", "/${path}", function(req) ${body} end, { public = true })\n`

const start = (
  test: TestContext,
  plugins: Readonly<Record<string, string>>,
  sections: Readonly<Record<string, object>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestHost> => {
  const files = Object.fromEntries(Object.entries(plugins).map(([name, text]) => [`${name}/init.lua`, text]))
  return startHost(test, { plugins: files, config: { plugins: sections }, environment })
}

const problemOf = async (starting: Promise<unknown>): Promise<HostError> => {
  const thrown = await starting.then(
    () => undefined,
    (error: unknown) => error as HostError,
  )
  assert.ok(thrown, 'the host started')
  return thrown
}

it('gives a plugin the secrets that it lists, and no other plugin', async (test) => {
  const own =
    route(
      'length',
      'return { json = { n = #secrets.get("api_token"), none = secrets.get("spare") == nil } }',
    ) +
    route('hmac', 'return { body = crypto.hmac_sha256(secrets.get("api_token"), "x") }') +
    route('shown', 'return { json = config.get() }')
  const other = route('own', 'return { json = { ok = pcall(secrets.get, "api_token") } }')
  const server = await start(
    test,
    {
      one: plugin('one', own, '1', secretsInfo),
      two: plugin(
        'two',
        route('own', 'return { json = { none = secrets.get("api_token") == nil } }'),
        '1',
        secretsInfo,
      ),
      three: plugin('three', other),
    },
    { one: { secrets: { api_token: token } } },
  )
  assert.deepEqual((await server.call('GET', '/one/length')).json(), { n: token.length, none: true })
  assert.match((await server.call('GET', '/one/hmac')).text, /^[0-9a-f]{64}$/)
  assert.deepEqual((await server.call('GET', '/one/shown')).json(), {})
  assert.deepEqual((await server.call('GET', '/two/own')).json(), { none: true })
  assert.deepEqual((await server.call('GET', '/three/own')).json(), { ok: false })
})

it('gives secrets of the schema by their dotted key', async (test) => {
  const schema =
    'config_schema = { properties = { smtp = { properties = { host = { type = "string" }, password = { type = "string", secret = true } } } } },'
  const own = route(
    'length',
    'return { json = { n = #secrets.get("smtp.password"), host = config.get("smtp.host") } }',
  )
  const server = await start(
    test,
    { one: plugin('one', own, '1', schema) },
    { one: { smtp: { host: 'mail', password: token } } },
  )
  assert.deepEqual((await server.call('GET', '/one/length')).json(), { n: token.length, host: 'mail' })
})

it('withholds an answer with a secret, tells the log once, and goes on', async (test) => {
  const own =
    route('leak', 'return { json = { error = "upstream refused Bearer " .. secrets.get("api_token") } }') +
    route(
      'header',
      'return { headers = { ["X-Auth"] = "Basic " .. crypto.base64_encode("u:" .. secrets.get("api_token")) } }',
    ) +
    route('raise', 'error("cannot use " .. secrets.get("api_token"))') +
    route(
      'log',
      'log.warn("using " .. secrets.get("api_token"), { key = secrets.get("api_token") }) return { body = "ok" }',
    )
  const server = await start(
    test,
    { one: plugin('one', own, '1', secretsInfo) },
    { one: { secrets: { api_token: token } } },
  )
  for (const path of ['leak', 'header']) {
    const before = server.lines.length
    const response = await server.call('GET', `/one/${path}`)
    assert.equal(response.status, 500)
    assert.equal(response.code, 'SECRET_IN_RESPONSE')
    assert.ok(!JSON.stringify([response.text, ...Object.values(response.headers)]).includes('tok_'))
    const told = server.lines.slice(before).filter((line) => JSON.stringify(line).includes('has the secret'))
    assert.equal(told.length, 1)
    assert.match(JSON.stringify(told[0]), /api_token/)
  }
  const raised = await server.call('GET', '/one/raise')
  assert.equal(raised.code, 'HANDLER_ERROR')
  assert.equal((await server.call('GET', '/one/log')).text, 'ok')
  const all = JSON.stringify(server.lines)
  assert.ok(all.includes('using ***'), all)
  assert.ok(!all.includes(token))
  assert.ok(!all.includes(Buffer.from(`u:${token}`).toString('base64')))
})

it('refuses to start with secrets that are too short or of names that the plugin does not list', async (test) => {
  const one = plugin('one', route('x', 'return { body = "" }'), '1', secretsInfo)
  const error = await problemOf(
    start(test, { one }, { one: { secrets: { api_token: 'short67', spar: token, spare: 5 } } }),
  )
  assert.equal(error.code, 'CONFIG_INVALID')
  const problems = error.details?.problems as readonly { key: string }[]
  assert.deepEqual(problems.map(({ key }) => key).sort(), [
    'plugins.one.secrets.api_token',
    'plugins.one.secrets.spar',
    'plugins.one.secrets.spare',
  ])
  assert.ok(!error.message.includes('short67') && !error.message.includes(token), error.message)
})

it('hashes and checks passwords, and signs and verifies tokens, in a real host', async (test) => {
  const own = route(
    'all',
    `local hash = assert(crypto.argon2_hash("pässword"))
     local key = crypto.random_string(64)
     local token = crypto.jwt_sign({ sub = "u1" }, key, { algorithm = "HS256", expires_in = 60 })
     local claims = assert(crypto.jwt_verify(token, key, { algorithms = { "HS256" } }))
     return { json = {
       right = crypto.argon2_verify(hash, "pässword"), wrong = crypto.argon2_verify(hash, "password"), sub = claims.sub,
     } }`,
  )
  const server = await start(test, { one: plugin('one', own) }, {})
  assert.deepEqual((await server.call('GET', '/one/all')).json(), { right: true, wrong: false, sub: 'u1' })
})
