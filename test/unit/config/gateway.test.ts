import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { HostError } from '../../../src/base/errors.js'
import { type ConfigInput, completeConfig } from '../../../src/config/complete.js'
import { listOrigins } from '../../../src/config/gateway-rules.js'
import { type LoadConfigOptions, type LoadedConfig, loadConfig } from '../../../src/config/load.js'
import type { ConfigProblem } from '../../../src/config/problems.js'
import type { Config } from '../../../src/config/schema.js'

const directory = mkdtempSync(join(tmpdir(), 'modulacms-gateway-config-'))
after(() => rmSync(directory, { recursive: true }))

const path = join(directory, 'config.json')

/** Loads a file whose object `gateway` has the given members. */
function load(gateway: unknown, options: Partial<LoadConfigOptions> = {}): LoadedConfig {
  writeFileSync(path, JSON.stringify({ gateway }, null, 2))
  return loadConfig({ environment: {}, file: path, ...options })
}

function fromEnvironment(environment: Record<string, string>): Config['gateway'] {
  return loadConfig({ environment }).config.gateway
}

function problemsOf(run: () => unknown): readonly ConfigProblem[] {
  try {
    run()
  } catch (thrown) {
    const error = thrown as HostError
    assert.equal(error.code, 'CONFIG_INVALID', String(error.stack))
    return error.details?.problems as readonly ConfigProblem[]
  }
  assert.fail('the configuration was accepted')
}

function soleProblem(run: () => unknown): ConfigProblem {
  const problems = problemsOf(run)
  assert.equal(problems.length, 1, JSON.stringify(problems))
  return problems[0] as ConfigProblem
}

test('without any source the gateway limits nobody, caches nothing and shows no shell', () => {
  const { gateway } = loadConfig({ environment: {} }).config
  assert.equal(gateway.shellDir, '')
  assert.equal(gateway.shellExcludes, 'cpanel')
  assert.deepEqual(gateway.rateLimit, {
    enabled: false,
    requests: 100,
    window: '1m',
    keyBy: 'ip',
    excludePaths: [],
    maxBuckets: 100_000,
    rules: [],
  })
  assert.deepEqual(gateway.cors, {
    enabled: false,
    origin: '*',
    methods: ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'],
    allowedHeaders: [],
    exposedHeaders: [],
    credentials: false,
    maxAge: 86_400,
    preflight: true,
  })
  assert.equal(gateway.cache.enabled, false)
  assert.deepEqual(gateway.compression, { enabled: false, threshold: 1024 })
  assert.deepEqual(gateway.stage, { timeout: '250ms', failures: 10, reset: '30s' })
  assert.deepEqual(gateway.proxy, { rules: [], allowTargets: [], timeout: '30s' })
  assert.deepEqual([gateway.log.size, gateway.history.enabled, gateway.priorities], [100, true, {}])
})

test('keys of the third level come from the file, the environment, flags and code, in this order', () => {
  const file = { rateLimit: { requests: 1, window: '1s', keyBy: 'user', maxBuckets: 101 } }
  const { config, origins } = load(file, {
    environment: {
      MODULACMS__GATEWAY__RATELIMIT__REQUESTS: '2',
      MODULACMS__GATEWAY__RATELIMIT__WINDOW: '2s',
    },
    flags: { 'gateway.rateLimit.requests': '3' },
  })
  const { requests, window, keyBy, maxBuckets } = config.gateway.rateLimit
  assert.deepEqual([requests, window, keyBy, maxBuckets], [3, '2s', 'user', 101])
  assert.equal(origins.get('gateway.rateLimit.maxBuckets'), 'config.json line 7')
  const inCode = completeConfig({ gateway: { rateLimit: { requests: 4 }, log: { size: 7 } } })
  assert.equal(inCode.gateway.rateLimit.requests, 4)
  assert.equal(inCode.gateway.rateLimit.window, '1m')
  assert.equal(inCode.gateway.log.size, 7)
})

test('nothing of the configuration can be changed, at any depth', () => {
  const { gateway } = load({
    proxy: { rules: [{ pattern: '/x', target: 'http://x', headers: { a: 'b' } }] },
  }).config
  const [rule] = gateway.proxy.rules
  for (const part of [
    gateway,
    gateway.cors,
    gateway.cors.methods,
    gateway.proxy.rules,
    rule,
    rule?.headers,
  ]) {
    assert.ok(Object.isFrozen(part))
  }
})

test('a limit or rules for origins are on when another key of theirs is given by anybody', () => {
  const off = { rateLimit: false, cors: false }
  const switches = ({ config }: LoadedConfig): unknown => ({
    rateLimit: config.gateway.rateLimit.enabled,
    cors: config.gateway.cors.enabled,
  })
  assert.deepEqual(switches(load({})), off)
  assert.deepEqual(switches(load({ rateLimit: {} })), { ...off, rateLimit: true })
  assert.deepEqual(switches(load({ rateLimit: { requests: 100 } })), { ...off, rateLimit: true })
  assert.deepEqual(switches(load({ rateLimit: { requests: 5, enabled: false } })), off)
  assert.deepEqual(switches(load({ cors: { origin: '*' } })), { ...off, cors: true })
  assert.deepEqual(switches(load({ cache: {}, log: { size: 1 } })), off)
  const environment = { GATEWAY_CORS_ORIGIN: 'https://a.example' }
  assert.deepEqual(switches(loadConfig({ environment })), { ...off, cors: true })
  const disabled = { ...environment, MODULACMS__GATEWAY__CORS__ENABLED: 'false' }
  assert.deepEqual(switches(loadConfig({ environment: disabled })), off)
  assert.equal(completeConfig({ gateway: { rateLimit: {} } }).gateway.rateLimit.enabled, true)
  assert.equal(completeConfig({ gateway: {} }).gateway.rateLimit.enabled, false)
  const { origins } = load({ rateLimit: {} })
  assert.equal(origins.get('gateway.rateLimit.enabled'), 'gateway.rateLimit (config.json line 3)')
})

test('the short variables set the same keys', () => {
  const gateway = fromEnvironment({
    GATEWAY_SHELL_DIR: '/srv/shell',
    GATEWAY_SHELL_EXCLUDES: 'cpanel,admin',
    GATEWAY_RATE_LIMIT_REQUESTS: '20',
    GATEWAY_RATE_LIMIT_WINDOW: '30s',
    GATEWAY_CORS_ORIGIN: 'https://a.example, https://b.example\thttps://c.example',
    GATEWAY_CORS_CREDENTIALS: 'true',
    GATEWAY_OF_SOMEBODY_ELSE: 'x',
  })
  assert.deepEqual([gateway.shellDir, gateway.shellExcludes], ['/srv/shell', 'cpanel,admin'])
  assert.deepEqual([gateway.rateLimit.requests, gateway.rateLimit.window], [20, '30s'])
  assert.equal(gateway.cors.credentials, true)
  assert.deepEqual(listOrigins(gateway.cors.origin), [
    'https://a.example',
    'https://b.example',
    'https://c.example',
  ])
})

test('the usual variable wins over the short one, that over the file, and all of them are checked', () => {
  const long = { MODULACMS__GATEWAY__RATELIMIT__REQUESTS: '2' }
  const short = { GATEWAY_RATE_LIMIT_REQUESTS: '3' }
  assert.equal(fromEnvironment({ ...long, ...short }).rateLimit.requests, 2)
  assert.equal(fromEnvironment({ ...short, ...long }).rateLimit.requests, 2)
  const { config, origins } = load({ rateLimit: { requests: 4 } }, { environment: short })
  assert.equal(config.gateway.rateLimit.requests, 3)
  assert.equal(
    origins.get('gateway.rateLimit.requests'),
    'environment variable GATEWAY_RATE_LIMIT_REQUESTS, another name of MODULACMS__GATEWAY__RATELIMIT__REQUESTS',
  )
  const problem = soleProblem(() => fromEnvironment({ ...long, GATEWAY_RATE_LIMIT_REQUESTS: '10001' }))
  assert.equal(problem.key, 'gateway.rateLimit.requests')
  assert.equal(problem.rule, 'must be an integer from 1 to 10000')
  assert.match(problem.origin, /GATEWAY_RATE_LIMIT_REQUESTS, .*MODULACMS__GATEWAY__RATELIMIT__REQUESTS/)
  const unclear = soleProblem(() => fromEnvironment({ GATEWAY_CORS_CREDENTIALS: 'yes' }))
  assert.deepEqual([unclear.value, unclear.rule], ['"yes"', 'must be true or false'])
})

test('an unknown key or variable of any level is an error that names the nearest', () => {
  const ruleOf = (gateway: unknown): string => soleProblem(() => load(gateway)).rule
  assert.match(ruleOf({ shelDir: '' }), /did you mean gateway\.shellDir\?/)
  assert.match(ruleOf({ rateLimit: { request: 1 } }), /did you mean gateway\.rateLimit\.requests\?/)
  assert.match(ruleOf({ rateLimit: 5 }), /an object with the keys enabled, requests, window/)
  assert.match(ruleOf({ 'rateLimit.requests': 1 }), /\{"gateway": \{"rateLimit": \{"requests": \.\.\.\}\}\}/)
  const variable = { MODULACMS__GATEWAY__RATE_LIMIT__REQUESTS: '1' }
  assert.match(
    soleProblem(() => fromEnvironment(variable)).rule,
    /did you mean MODULACMS__GATEWAY__RATELIMIT__REQUESTS\?/,
  )
  for (const value of [[], null, 3]) {
    const given = { gateway: { cors: value } } as unknown as ConfigInput
    assert.match(soleProblem(() => completeConfig(given)).rule, /an object with the keys enabled, origin/)
  }
})

test('lists of objects name the member that is wrong, its line and the remedy', () => {
  const problems = problemsOf(() =>
    load({
      proxy: {
        rules: [
          { pattern: '^/a', target: 'http://127.0.0.1:1' },
          {
            pattern: '(',
            target: 'ftp://x',
            headers: { 'X-Key': 'geheim\r\nX: y', 'X.Other': 7 },
            rewrit: '/',
          },
          { target: 'http://x/?a=1' },
          'x',
        ],
      },
    }),
  )
  assert.deepEqual(
    problems.map(({ key, value, rule, origin }) => [key, value, rule.slice(0, 40), origin]),
    [
      [
        'gateway.proxy.rules[1].pattern',
        '"("',
        'must be a regular expression of JavaScri',
        'config.json line 10',
      ],
      [
        'gateway.proxy.rules[1].target',
        '"ftp://x"',
        'must be an http or https URL without use',
        'config.json line 11',
      ],
      ['gateway.proxy.rules[1].headers.X-Key', '"***"', 'must be a text on one line', 'config.json line 13'],
      [
        'gateway.proxy.rules[1].headers.X.Other',
        '"***"',
        'must be a text on one line',
        'config.json line 14',
      ],
      [
        'gateway.proxy.rules[1].rewrit',
        '"/"',
        'is not a known member; did you mean rewr',
        'config.json line 16',
      ],
      [
        'gateway.proxy.rules[2].pattern',
        undefined,
        'is missing; it must be a regular express',
        'config.json line 4',
      ],
      [
        'gateway.proxy.rules[2].target',
        '"http://x/?a=1"',
        'must be an http or https URL without use',
        'config.json line 19',
      ],
      ['gateway.proxy.rules[3]', '"x"', 'must be an object with pattern and targe', 'config.json line 4'],
    ],
  )
  assert.doesNotMatch(JSON.stringify(problems), /geheim/)
})

test('lists of objects and objects are JSON in the environment', () => {
  const rules = [{ paths: ['/login'], requests: 5, window: '15m', cost: 5 }]
  const gateway = fromEnvironment({
    MODULACMS__GATEWAY__RATELIMIT__RULES: JSON.stringify(rules),
    MODULACMS__GATEWAY__PRIORITIES: '{"cors": -5}',
    MODULACMS__GATEWAY__CORS__ORIGIN: '["https://a.example"]',
    MODULACMS__GATEWAY__CORS__METHODS: 'GET, POST',
    MODULACMS__GATEWAY__SHELLROUTES: '[{"host": "a.example", "dir": "/a"}]',
  })
  assert.deepEqual(gateway.rateLimit.rules, rules)
  assert.deepEqual(gateway.priorities, { cors: -5 })
  assert.deepEqual(gateway.cors.origin, ['https://a.example'])
  assert.deepEqual(gateway.cors.methods, ['GET', 'POST'])
  assert.deepEqual(gateway.shellRoutes, [{ host: 'a.example', dir: '/a' }])
  const notJson = soleProblem(() => fromEnvironment({ MODULACMS__GATEWAY__RATELIMIT__RULES: '[{' }))
  assert.match(notJson.rule, /a list of at most 100 objects with paths, and optionally methods/)
  assert.throws(
    () => fromEnvironment({ MODULACMS__GATEWAY__PRIORITIES: 'cors=1' }),
    /each member is an integer/,
  )
})

test(`\${NAME} is replaced deep inside lists and objects, and its value is never shown`, () => {
  const rule = { pattern: '^/a', target: 'http://127.0.0.1:1', headers: { Authorization: `Bearer \${KEY}` } }
  const { config } = load({ proxy: { rules: [rule] } }, { environment: { KEY: 'geheim' } })
  assert.deepEqual(config.gateway.proxy.rules[0]?.headers, { Authorization: 'Bearer geheim' })
  assert.match(soleProblem(() => load({ proxy: { rules: [rule] } })).rule, /KEY, which is not set/)
  const wrong = { ...rule, target: `\${KEY}` }
  const problem = soleProblem(() => load({ proxy: { rules: [wrong] } }, { environment: { KEY: 'geheim' } }))
  assert.deepEqual([problem.key, problem.value], ['gateway.proxy.rules[0].target', `"\${KEY}"`])
})

const values: Readonly<
  Record<string, { readonly good: readonly unknown[]; readonly bad: readonly unknown[] }>
> = {
  'rateLimit.window': {
    good: ['1', '60', '30s', '1m', '5m', '15m', '1h', '1d', '31d'],
    bad: ['', '0', '0s', '-1s', '1.5m', '1w', 's', '1 m', '1m30s', '32d', '1M', 60, null],
  },
  'rateLimit.keyBy': {
    good: ['ip', 'user', 'tenant', 'header:X-Tenant-Id', 'cookie:sid', 'lua:shop/by_customer'],
    bad: ['', 'IP', 'ips', 'header:', 'header:a b', 'cookie:', 'lua:', 'lua:shop', 'lua:/x', 'custom', null],
  },
  'rateLimit.excludePaths': {
    good: [[], ['/health', '/api/public/.*', '/a/**', '/a/*/b*', '^/x$']],
    bad: ['/x', [1], ['('], ['[a'], ['health'], ['*'], ['/a/**b'], ['']],
  },
  'rateLimit.rules': {
    good: [[], [{ paths: ['/a'] }], [{ paths: ['/a', '/b'], methods: ['POST'], keyBy: 'user', cost: 100 }]],
    bad: [
      {},
      [{}],
      [{ paths: [] }],
      [{ paths: '/a' }],
      [{ paths: ['*'] }],
      [{ paths: ['/a'], keyBy: 'x' }],
      [{ paths: ['/a'], methods: ['g t'] }],
      [{ paths: ['/a'], cost: 101 }],
      [{ paths: ['/a'], cost: 6, requests: 5 }],
      [{ paths: ['/a'], cost: 0 }],
    ],
  },
  'cors.origin': {
    good: [
      '*',
      'https://a.example',
      'https://a.example,http://b:3000',
      ['http://[::1]:1', '*.a.example'],
      ['*'],
    ],
    bad: [
      '',
      [],
      'a.example',
      'https://a.example/',
      'https://a.example/x',
      'null',
      'https://*.a',
      ['https://a', 1],
      5,
      null,
      {},
    ],
  },
  'cors.methods': { good: [['GET']], bad: [['get'], ['G T'], [1]] },
  'cors.allowedHeaders': { good: [['X-A', 'content-type']], bad: [['X A'], ['X:'], ['']] },
  'cache.methods': { good: [['GET', 'HEAD'], []], bad: [['POST'], 'GET'] },
  'cache.excludePaths': { good: [['/a']], bad: [['(']] },
  'stage.timeout': { good: ['1ms', '250ms', '5s'], bad: ['0', '5001ms', '60s', 'x', 250] },
  'stage.reset': { good: ['100ms', '24h'], bad: ['99ms', '25h'] },
  'proxy.timeout': { good: ['100ms', '1h'], bad: ['99ms', '61m', ''] },
  'proxy.rules': {
    good: [
      [{ pattern: '^/a', target: 'https://h:1/p', publicRoutes: ['/a/**'] }],
      [{ pattern: '^/a', target: 'http://[::1]:1', publicRoutes: { GET: ['/a'], ALL: [] }, ws: false }],
    ],
    bad: [
      [{ pattern: '', target: 'http://x' }],
      [{ pattern: '/a', target: '//x' }],
      [{ pattern: '/a', target: 'ws://x' }],
      [{ pattern: '/a', target: 'http://me:geheim@x' }],
      [{ pattern: '/a', target: 'http:///x' }],
      [{ pattern: '/a', target: 'file:///etc/passwd' }],
      [{ pattern: '/a', target: 'http://x', publicRoutes: 'x' }],
      [{ pattern: '/a', target: 'http://x', enabled: 'no' }],
    ],
  },
  priorities: {
    good: [{}, { 'plugin:shop/guard': -3 }],
    bad: [{ cors: 1.5 }, { cors: '1' }, { cors: 1001 }, [1], { cros: 1 }, { 'plugin:shop': 1 }],
  },
  shellRoutes: { good: [[{ host: 'a', dir: '/a' }]], bad: [[{ host: 'a' }], [{ host: '', dir: '/a' }]] },
}

for (const [key, { good, bad }] of Object.entries(values)) {
  test(`gateway.${key} takes what it describes and nothing else`, () => {
    const at = (value: unknown): unknown => {
      const parts = key.split('.')
      return load(parts.reduceRight((inner: unknown, name) => ({ [name]: inner }), value))
    }
    for (const value of good) assert.doesNotThrow(() => at(value), JSON.stringify(value))
    for (const value of bad) {
      const problem = soleProblem(() => at(value))
      assert.ok(problem.key.startsWith(`gateway.${key}`), `${JSON.stringify(value)} ${problem.key}`)
    }
  })
}

test('cookies for pages of every origin are refused before anything starts', () => {
  for (const origin of [undefined, '*', 'https://a.example, *', ['*']]) {
    const problem = soleProblem(() => load({ cors: { credentials: true, origin } }))
    assert.equal(problem.key, 'gateway.cors.credentials')
    assert.equal(problem.value, 'true')
    assert.match(problem.rule, /while gateway\.cors\.origin is "\*" \(.+\).*name the origins/)
  }
  const both = soleProblem(() => fromEnvironment({ GATEWAY_CORS_CREDENTIALS: '1', GATEWAY_CORS_ORIGIN: '*' }))
  assert.match(both.origin, /GATEWAY_CORS_CREDENTIALS, another name of MODULACMS__GATEWAY__CORS__CREDENTIALS/)
  assert.match(both.rule, /GATEWAY_CORS_ORIGIN, another name of MODULACMS__GATEWAY__CORS__ORIGIN/)
  assert.doesNotThrow(() => load({ cors: { credentials: true, origin: 'https://a.example' } }))
  assert.doesNotThrow(() => load({ cors: { credentials: false, origin: '*' } }))
})

test('a conflict is told beside other problems, and not when it may come from one of them', () => {
  const keysOf = (gateway: unknown): readonly string[] =>
    problemsOf(() => load(gateway)).map(({ key }) => key)
  assert.deepEqual(keysOf({ shellDir: 1, cors: { credentials: true } }), [
    'gateway.shellDir',
    'gateway.cors.credentials',
  ])
  assert.deepEqual(keysOf({ cors: { credentials: true, origin: 'a' } }), ['gateway.cors.origin'])
})

test('hosts are names or addresses without a port', () => {
  for (const host of [
    '',
    'a b',
    'app.example.com:80',
    'http://app.example.com',
    '*',
    '*.',
    'a*.example',
    '::1',
  ]) {
    const { key } = soleProblem(() => load({ hosts: ['app.example.com', host] }))
    assert.match(key, /^gateway\.hosts/, host)
  }
  const hosts = ['localhost', '*.example.com', '127.0.0.1', '[::1]']
  assert.deepEqual(load({ hosts }).config.gateway.hosts, hosts)
  assert.deepEqual(load({}).config.gateway.hosts, [])
})
