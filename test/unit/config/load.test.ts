import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { HostError } from '../../../src/base/errors.js'
import { configLimits } from '../../../src/base/limits/config.js'
import { type LoadConfigOptions, type LoadedConfig, loadConfig } from '../../../src/config/load.js'
import type { ConfigProblem } from '../../../src/config/problems.js'
import { listSettings } from '../../../src/config/settings.js'

const directory = mkdtempSync(join(tmpdir(), 'modulacms-config-'))
after(() => rmSync(directory, { recursive: true }))

let files = 0

/** Writes a configuration file of its own for one test. */
function writeConfig(content: unknown): string {
  files += 1
  const path = join(directory, `config-${files}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  return path
}

function load(content: unknown, options: Partial<LoadConfigOptions> = {}): LoadedConfig {
  return loadConfig({ environment: {}, file: writeConfig(content), ...options })
}

/** Loads what must not load; gives the error and its problems by key. */
function refusal(run: () => unknown): { error: HostError; problems: readonly ConfigProblem[] } {
  try {
    run()
  } catch (thrown) {
    const error = thrown as HostError
    assert.equal(error.code, 'CONFIG_INVALID', String(error.stack))
    return { error, problems: error.details?.problems as readonly ConfigProblem[] }
  }
  assert.fail('the configuration was accepted')
}

/** Loads a file that has exactly one problem. */
function soleProblem(content: unknown, options: Partial<LoadConfigOptions> = {}): ConfigProblem {
  const { problems } = refusal(() => load(content, options))
  const [problem] = problems
  assert.equal(problems.length, 1, JSON.stringify(problems))
  assert.ok(problem)
  return problem
}

test('without any source every key has its default', () => {
  const { config, file, origins } = loadConfig({ environment: { PATH: '/bin', MODULACMS_ADMIN_TOKEN: 'x' } })
  assert.equal(file, undefined)
  assert.equal(config.plugin_enabled, false)
  assert.equal(config.plugin_max_vms, 4)
  assert.equal(config.plugin_timeout, 5)
  assert.equal(config.plugin_reset_interval, '60s')
  assert.equal(config.plugin_max_request_body, 1_048_576)
  assert.equal(config.plugin_max_response_body, 5_242_880)
  assert.deepEqual(config.plugin_trusted_proxies, [])
  assert.equal(config.plugin_max_memory, 33_554_432)
  assert.deepEqual([config.server.host, config.server.port], ['127.0.0.1', 8080])
  assert.deepEqual([config.server.headersTimeout, config.server.maxConnections], ['20s', 0])
  assert.deepEqual(config.log, { level: 'info', format: 'json' })
  assert.equal(config.database_url, 'sqlite:./data/modula.db')
  assert.deepEqual(new Set(origins.values()), new Set(['default']))
})

test('every default is itself allowed', () => {
  const flags = Object.fromEntries(listSettings().map(({ key, schema }) => [key, schema.default]))
  assert.deepEqual(loadConfig({ environment: {}, flags }).config, loadConfig({ environment: {} }).config)
})

test('flags win over the environment, that over the file, that over the defaults', () => {
  const content = { plugin_max_vms: 5, plugin_max_ops: 6, server: { port: 7, host: 'file' } }
  const environment = { MODULACMS__PLUGIN_MAX_OPS: '60', MODULACMS__SERVER__PORT: '70' }
  const { config, origins } = load(content, {
    environment,
    flags: { 'server.port': '700', 'server.host': undefined },
  })
  assert.equal(config.plugin_timeout, 5)
  assert.equal(config.plugin_max_vms, 5)
  assert.equal(config.plugin_max_ops, 60)
  assert.deepEqual([config.server.host, config.server.port], ['file', 700])
  assert.match(origins.get('plugin_max_vms') ?? '', /^config-\d+\.json line 2$/)
  assert.equal(origins.get('plugin_max_ops'), 'environment variable MODULACMS__PLUGIN_MAX_OPS')
  assert.equal(origins.get('server.port'), 'command line')
  assert.equal(origins.get('plugin_timeout'), 'default')
})

test('the configuration cannot be changed, and no load sees another', () => {
  const { config } = loadConfig({ environment: {} })
  assert.throws(() => Object.assign(config, { plugin_enabled: true }), TypeError)
  assert.throws(() => Object.assign(config.server, { port: 1 }), TypeError)
  assert.throws(() => (config.plugin_trusted_proxies as string[]).push('::1'), TypeError)
  assert.notEqual(
    loadConfig({ environment: {} }).config.plugin_trusted_proxies,
    config.plugin_trusted_proxies,
  )
})

test('the environment is read by the type of the key', () => {
  const { config } = loadConfig({
    environment: {
      MODULACMS__PLUGIN_ENABLED: 'TRUE',
      MODULACMS__PLUGIN_HOT_RELOAD: '1',
      MODULACMS__PLUGIN_MAX_VMS: '8',
      MODULACMS__PLUGIN_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      MODULACMS__LOG__FORMAT: 'pretty',
    },
  })
  assert.equal(config.plugin_enabled, true)
  assert.equal(config.plugin_hot_reload, true)
  assert.equal(config.plugin_max_vms, 8)
  assert.deepEqual(config.plugin_trusted_proxies, ['10.0.0.0/8', '::1'])
  assert.equal(config.log.format, 'pretty')
})

test('a list may be JSON in the environment, and empty', () => {
  const proxiesOf = (text: string): readonly string[] =>
    loadConfig({ environment: { MODULACMS__PLUGIN_TRUSTED_PROXIES: text } }).config.plugin_trusted_proxies
  assert.deepEqual(proxiesOf('["127.0.0.1", "fd00::/8"]'), ['127.0.0.1', 'fd00::/8'])
  assert.deepEqual(proxiesOf(''), [])
  assert.throws(() => proxiesOf('["127.0.0.1"'), { code: 'CONFIG_INVALID' })
})

for (const [text, words] of [
  ['yes', 'true or false'],
  ['', 'true or false'],
] as const) {
  test(`"${text}" is no switch`, () => {
    const { problems } = refusal(() => loadConfig({ environment: { MODULACMS__PLUGIN_ENABLED: text } }))
    assert.deepEqual(problems, [
      {
        key: 'plugin_enabled',
        value: JSON.stringify(text),
        rule: `must be ${words}`,
        origin: 'environment variable MODULACMS__PLUGIN_ENABLED',
      },
    ])
  })
}

for (const text of ['', ' ', '8.5', '0x10', '1e3', 'eight', '99999999999999999999']) {
  test(`"${text}" is no number of VMs`, () => {
    assert.throws(() => loadConfig({ environment: { MODULACMS__PLUGIN_MAX_VMS: text } }), /from 1 to 64/)
  })
}

test('an unknown variable of the configuration is an error that names the nearest', () => {
  const { problems } = refusal(() =>
    loadConfig({
      environment: { MODULACMS__PLUGIN_MAX_VM: 'geheim', MODULACMS__PORT: '1', MODULACMS__server__port: '1' },
    }),
  )
  assert.deepEqual(
    problems.map(({ key, rule }) => [key, rule]),
    [
      ['MODULACMS__PLUGIN_MAX_VM', 'is not a known setting; did you mean MODULACMS__PLUGIN_MAX_VMS?'],
      ['MODULACMS__PORT', 'is not a known setting; did you mean MODULACMS__SERVER__PORT?'],
      ['MODULACMS__server__port', 'is not a known setting; did you mean MODULACMS__SERVER__PORT?'],
    ],
  )
  assert.doesNotMatch(JSON.stringify(problems), /geheim/)
})

test('an unknown key is an error that names the nearest', () => {
  assert.deepEqual(soleProblem({ plugin_max_vm: 8 }), {
    key: 'plugin_max_vm',
    value: '8',
    rule: 'is not a known setting; did you mean plugin_max_vms?',
    origin: `config-${files}.json line 2`,
  })
  assert.match(soleProblem({ server: { prot: 1 } }).rule, /did you mean server\.port\?/)
  assert.match(soleProblem({ port: 1 }).rule, /did you mean server\.port\?/)
  assert.match(soleProblem({ 'server.port': 1 }).rule, /\{"server": \{"port": \.\.\.\}\}/)
  assert.equal(soleProblem({ zzzzzzzz: 1 }).rule, 'is not a known setting')
  assert.equal(soleProblem({ ['x'.repeat(100_000)]: 1 }).rule, 'is not a known setting')
  assert.equal(soleProblem('{"__proto__": {"plugin_enabled": true}}').key, '__proto__')
  assert.match(soleProblem({ server: 8080 }).rule, /an object with the keys host, port/)
})

test('all problems of all sources are told at once', () => {
  const content = { plugin_enabled: 'yes', plugin_max_ops: 0, log: { level: 'loud' }, nope: null }
  const { error, problems } = refusal(() =>
    load(content, {
      environment: { MODULACMS__SERVER__PORT: '65536' },
      flags: { plugin_timeout: 0, 'no.such': 1 },
    }),
  )
  assert.deepEqual(problems.map(({ key }) => key).sort(), [
    'log.level',
    'no.such',
    'nope',
    'plugin_enabled',
    'plugin_max_ops',
    'plugin_timeout',
    'server.port',
  ])
  const lines = error.message.split('\n')
  assert.equal(lines[0], 'The configuration has 7 problems:')
  assert.equal(lines.length, 9)
  assert.ok(
    lines.includes('  plugin_timeout = 0 (command line): must be an integer from 1 to 300'),
    error.message,
  )
  assert.ok(error.message.includes('must be one of "trace", "debug"'), error.message)
})

test('a value that another source overrides is checked all the same', () => {
  assert.equal(soleProblem({ plugin_max_vms: 0 }, { flags: { plugin_max_vms: 2 } }).key, 'plugin_max_vms')
})

for (const { key, schema } of listSettings().filter(({ schema }) => schema.type === 'integer')) {
  test(`${key} takes its bounds and nothing beyond`, () => {
    const at = (value: unknown): unknown => loadConfig({ environment: {}, flags: { [key]: value } })
    for (const value of [schema.minimum, schema.maximum]) assert.doesNotThrow(() => at(value))
    for (const value of [
      schema.minimum - 1,
      schema.maximum + 1,
      schema.minimum + 0.5,
      null,
      true,
      Number.NaN,
    ]) {
      assert.throws(() => at(value), { code: 'CONFIG_INVALID' })
    }
  })
}

test('rules beyond types hold: durations, address ranges, the kind of database', () => {
  const good = {
    plugin_reset_interval: ['100ms', '24h', '1m30s', '5'],
    plugin_trusted_proxies: [[], ['10.0.0.1'], ['10.0.0.0/8', '::/0', 'fe80::1/128']],
    database_url: ['sqlite:./a.db', 'sqlite:/a b.db'],
  }
  const bad = {
    plugin_reset_interval: ['', '99ms', '25h', '6x', 60],
    plugin_trusted_proxies: [
      '10.0.0.1',
      [1],
      ['10.0.0.0/33'],
      ['::/129'],
      ['10.0.0'],
      ['localhost'],
      ['10.0.0.0/'],
      ['fe80::1%eth0'],
    ],
    database_url: ['', 'sqlite:', 'sqlite::memory:', 'postgres://db/x', './a.db'],
  }
  for (const [key, values] of Object.entries(good)) {
    for (const value of values) assert.doesNotThrow(() => load({ [key]: value }), JSON.stringify(value))
  }
  for (const [key, values] of Object.entries(bad)) {
    for (const value of values) assert.equal(soleProblem({ [key]: value }).key, key, JSON.stringify(value))
  }
})

test('malformed JSON is told with its line and column and without its text', () => {
  const problem = soleProblem('{\n  "database_url": "geheim" "x"\n}')
  assert.equal(problem.origin, 'line 2, column 28')
  assert.match(problem.rule, /is not JSON: expected "," or "}"/)
  assert.doesNotMatch(JSON.stringify(problem), /geheim/)
})

test('a file that holds something else than one object is refused', () => {
  for (const content of ['[]', 'null', '3', '"x"'])
    assert.match(soleProblem(content).rule, /must hold one JSON object/)
  assert.match(soleProblem('').rule, /is not JSON/)
})

test('a key that is given twice is refused', () => {
  const problem = soleProblem('{"plugin_max_vms": 1,\n"plugin_max_vms": 2}')
  assert.equal(problem.rule, 'is given twice')
  assert.match(problem.origin, /line 2$/)
})

test('$schema and a byte order mark are allowed', () => {
  assert.equal(load('\uFEFF{"$schema": "./x.json", "plugin_max_vms": 9}').config.plugin_max_vms, 9)
})

test('a file that is named must exist, the default file need not', () => {
  const missing = join(directory, 'missing.json')
  const { problems } = refusal(() => loadConfig({ environment: { MODULACMS__NOPE: '1' }, file: missing }))
  assert.deepEqual(
    problems.map(({ key }) => key),
    [missing, 'MODULACMS__NOPE'],
  )
  assert.equal(loadConfig({ environment: {}, defaultFile: missing }).file, undefined)
})

test('the default file is read when it is there, and left alone when another is named', () => {
  const first = writeConfig({ plugin_max_vms: 11 })
  const second = writeConfig({ plugin_max_ops: 12 })
  const byDefault = loadConfig({ environment: {}, defaultFile: first })
  assert.equal(byDefault.file, first)
  assert.equal(byDefault.config.plugin_max_vms, 11)
  const named = loadConfig({ environment: {}, defaultFile: first, file: second })
  assert.equal(named.file, second)
  assert.equal(named.config.plugin_max_vms, 4)
  assert.equal(named.config.plugin_max_ops, 12)
})

test('a file that cannot be read or is too large is an error', () => {
  const { problems } = refusal(() => loadConfig({ environment: {}, defaultFile: directory }))
  assert.match(problems[0]?.rule ?? '', /cannot be read \(EISDIR\)/)
  const padded = `{}${' '.repeat(configLimits.fileBytesMax - 2)}`
  assert.doesNotThrow(() => load(padded))
  assert.match(soleProblem(`${padded} `).rule, /is 1048577 bytes; a configuration file has at most 1048576/)
})

test(`\${NAME} in the file is replaced from the environment`, () => {
  const content = {
    data_directory: `\${BASE}/a-\${NAME}-$\${BASE}-$BASE`,
    plugin_trusted_proxies: [`\${PROXY}`, '::1'],
    server: { port: `\${PORT}` },
    plugin_enabled: `\${ON}`,
  }
  const environment = { BASE: '/srv', NAME: `\${PORT}$&`, PROXY: '10.0.0.1', PORT: '9090', ON: 'true' }
  const { config } = load(content, { environment })
  assert.equal(config.data_directory, `/srv/a-\${PORT}$&-\${BASE}-$BASE`)
  assert.deepEqual(config.plugin_trusted_proxies, ['10.0.0.1', '::1'])
  assert.equal(config.server.port, 9090)
  assert.equal(config.plugin_enabled, true)
})

test('a variable that is not set is an error that names key and variable', () => {
  const problem = soleProblem({ server: { host: `a\${NOPE}` } })
  assert.equal(problem.key, 'server.host')
  assert.match(problem.rule, /environment variable NOPE, which is not set/)
  assert.match(soleProblem({ plugin_trusted_proxies: ['::1', `\${NOPE}`] }).rule, /NOPE/)
  for (const name of ['constructor', '__proto__'])
    assert.match(soleProblem({ data_directory: `\${${name}}` }).rule, /not set/)
  for (const text of [`\${`, `\${}`, `\${a-b}`, `\${1}`, `x\${a`]) {
    assert.match(soleProblem({ data_directory: text }).rule, /no variable name/, text)
  }
})

test('a variable that is set to nothing is set', () => {
  assert.equal(
    load({ data_directory: `a\${EMPTY}` }, { environment: { EMPTY: '' } }).config.data_directory,
    'a',
  )
})

test('a number in quotes is not taken for a number, as no variable is in it', () => {
  assert.match(soleProblem({ server: { port: '8080' } }).rule, /must be an integer/)
  assert.match(soleProblem({ server: { stallTimeout: 'soon' } }).rule, /must be a duration from 100ms/)
  assert.match(soleProblem({ server: { requestTimeout: '5s' } }).rule, /as long as server\.headersTimeout/)
  assert.match(soleProblem({ server: { headersTimeout: '1h' } }).rule, /as long as server\.headersTimeout/)
})

test('no resolved secret is shown in a problem', () => {
  const environment = { PASSWORD: 'geheim' }
  const { error } = refusal(() => load({ database_url: `postgres://me:\${PASSWORD}@db/x` }, { environment }))
  assert.doesNotMatch(error.message + JSON.stringify(error.details), /geheim/)
  const { error: plain } = refusal(() =>
    load({ database_url: 'postgres://me:geheim@db/x', pasword: 'geheim', api_token: 'geheim' }),
  )
  assert.doesNotMatch(plain.message + JSON.stringify(plain.details), /me:geheim|token.*geheim/)
})

test('a long value is cut short in a problem', () => {
  assert.ok((soleProblem({ plugin_max_vms: 'x'.repeat(5000) }).value ?? '').length <= 80)
})

test('the database moves with the data directory, unless it is given', () => {
  const urlOf = (flags: Record<string, string>): string =>
    loadConfig({ environment: {}, flags }).config.database_url
  assert.equal(urlOf({ data_directory: '/srv/modula' }), 'sqlite:/srv/modula/modula.db')
  assert.equal(urlOf({ data_directory: './x//' }), 'sqlite:./x/modula.db')
  assert.equal(urlOf({ data_directory: '/' }), 'sqlite:/modula.db')
  assert.equal(
    urlOf({ data_directory: '/srv', database_url: 'sqlite:./data/modula.db' }),
    'sqlite:./data/modula.db',
  )
  assert.equal(
    load({ database_url: 'sqlite:a.db' }, { flags: { data_directory: '/srv' } }).config.database_url,
    'sqlite:a.db',
  )
})

test('what is said of plugins is kept apart, with its places, and is not taken for a setting', () => {
  const { plugins, config } = load('\uFEFF{\n"plugins": {\n"a-b": {"x": {\n"y": 1}, "required": true}\n}}')
  const section = plugins.sections.get('a_b')
  assert.deepEqual(
    [section?.required, section?.values],
    [true, { x: Object.assign(Object.create(null), { y: 1 }) }],
  )
  assert.match(section?.originOf('plugins.a-b.x.y') ?? '', /config-\d+\.json line 4$/)
  assert.match(section?.originOf('plugins.a-b.nope') ?? '', /line 3$/)
  assert.ok(!('plugins' in config))
})

test('problems of plugins and of the host come together', () => {
  const { problems } = refusal(() =>
    load(
      { plugin_max_vms: 0, plugins: { a: 1 } },
      { environment: { MODULACMS__PLUGINS__A: 'x', MODULACMS__NOPE: 'y' } },
    ),
  )
  const keys = ['MODULACMS__NOPE', 'MODULACMS__PLUGINS__A', 'plugin_max_vms', 'plugins.a']
  assert.deepEqual(problems.map(({ key }) => key).sort(), keys)
})

test('a hostile section is refused and changes nothing else', () => {
  const deep = `{"plugins": {"a": ${'['.repeat(40)}${']'.repeat(40)}}}`
  assert.match(soleProblem(deep).rule, /at most 32 levels/)
  assert.equal(soleProblem('{"plugins": {"__proto__": {"polluted": true}}}').key, 'plugins.__proto__')
  assert.equal(soleProblem('{"__proto__": {"plugins": {"a": {}}}}').key, '__proto__')
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('an edition has to be one that is described', () => {
  assert.equal(load({ edition: 'premium', editions: { premium: ['a'] } }).config.edition, 'premium')
  assert.match(soleProblem({ edition: 'premum', editions: { premium: [] } }).rule, /did you mean "premium"/)
  assert.equal(soleProblem({ edition: 'premium' }).key, 'edition')
  assert.deepEqual(load({ edition: 'default' }).config.editions, {})
})

test('a default may stand beside the name of a variable', () => {
  const text = (name: string) => `\${${name}}`
  assert.equal(load({ server: { host: text('NO_HOST:-::1') } }).config.server.host, '::1')
  assert.equal(load({ server: { port: text('NO_PORT:-81') } }).config.server.port, 81)
})
