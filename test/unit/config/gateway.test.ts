import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConfigInput, completeConfig } from '../../../src/config/complete.js'
import { listOrigins } from '../../../src/config/gateway-rules.js'
import { type LoadedConfig, loadConfig } from '../../../src/config/load.js'
import { gatewayOf, loadGateway, problemsOf, soleProblem } from '../../helpers/gateway-config.js'

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
  const { config, origins } = loadGateway(file, {
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
  const { gateway } = loadGateway({
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
  assert.deepEqual(switches(loadGateway({})), off)
  assert.deepEqual(switches(loadGateway({ rateLimit: {} })), { ...off, rateLimit: true })
  assert.deepEqual(switches(loadGateway({ rateLimit: { requests: 100 } })), { ...off, rateLimit: true })
  assert.deepEqual(switches(loadGateway({ rateLimit: { requests: 5, enabled: false } })), off)
  assert.deepEqual(switches(loadGateway({ cors: { origin: '*' } })), { ...off, cors: true })
  assert.deepEqual(switches(loadGateway({ cache: {}, log: { size: 1 } })), off)
  const environment = { GATEWAY_CORS_ORIGIN: 'https://a.example' }
  assert.deepEqual(switches(loadConfig({ environment })), { ...off, cors: true })
  const disabled = { ...environment, MODULACMS__GATEWAY__CORS__ENABLED: 'false' }
  assert.deepEqual(switches(loadConfig({ environment: disabled })), off)
  assert.equal(completeConfig({ gateway: { rateLimit: {} } }).gateway.rateLimit.enabled, true)
  assert.equal(completeConfig({ gateway: {} }).gateway.rateLimit.enabled, false)
  const { origins } = loadGateway({ rateLimit: {} })
  assert.equal(origins.get('gateway.rateLimit.enabled'), 'gateway.rateLimit (config.json line 3)')
})

test('the short variables set the same keys', () => {
  const gateway = gatewayOf({
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
  assert.equal(gatewayOf({ ...long, ...short }).rateLimit.requests, 2)
  assert.equal(gatewayOf({ ...short, ...long }).rateLimit.requests, 2)
  const { config, origins } = loadGateway({ rateLimit: { requests: 4 } }, { environment: short })
  assert.equal(config.gateway.rateLimit.requests, 3)
  assert.equal(
    origins.get('gateway.rateLimit.requests'),
    'environment variable GATEWAY_RATE_LIMIT_REQUESTS, another name of MODULACMS__GATEWAY__RATELIMIT__REQUESTS',
  )
  const problem = soleProblem(() => gatewayOf({ ...long, GATEWAY_RATE_LIMIT_REQUESTS: '10001' }))
  assert.equal(problem.key, 'gateway.rateLimit.requests')
  assert.equal(problem.rule, 'must be an integer from 1 to 10000')
  assert.match(problem.origin, /GATEWAY_RATE_LIMIT_REQUESTS, .*MODULACMS__GATEWAY__RATELIMIT__REQUESTS/)
  const unclear = soleProblem(() => gatewayOf({ GATEWAY_CORS_CREDENTIALS: 'yes' }))
  assert.deepEqual([unclear.value, unclear.rule], ['"yes"', 'must be true or false'])
})

test('an unknown key or variable of any level is an error that names the nearest', () => {
  const ruleOf = (gateway: unknown): string => soleProblem(() => loadGateway(gateway)).rule
  assert.match(ruleOf({ shelDir: '' }), /did you mean gateway\.shellDir\?/)
  assert.match(ruleOf({ rateLimit: { request: 1 } }), /did you mean gateway\.rateLimit\.requests\?/)
  assert.match(ruleOf({ rateLimit: 5 }), /an object with the keys enabled, requests, window/)
  assert.match(ruleOf({ 'rateLimit.requests': 1 }), /\{"gateway": \{"rateLimit": \{"requests": \.\.\.\}\}\}/)
  const variable = { MODULACMS__GATEWAY__RATE_LIMIT__REQUESTS: '1' }
  assert.match(
    soleProblem(() => gatewayOf(variable)).rule,
    /did you mean MODULACMS__GATEWAY__RATELIMIT__REQUESTS\?/,
  )
  for (const value of [[], null, 3]) {
    const given = { gateway: { cors: value } } as unknown as ConfigInput
    assert.match(soleProblem(() => completeConfig(given)).rule, /an object with the keys enabled, origin/)
  }
})

test('lists of objects name the member that is wrong, its line and the remedy', () => {
  const problems = problemsOf(() =>
    loadGateway({
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
  const gateway = gatewayOf({
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
  const notJson = soleProblem(() => gatewayOf({ MODULACMS__GATEWAY__RATELIMIT__RULES: '[{' }))
  assert.match(notJson.rule, /a list of at most 100 objects with paths, and optionally methods/)
  assert.throws(() => gatewayOf({ MODULACMS__GATEWAY__PRIORITIES: 'cors=1' }), /each member is an integer/)
})

test(`\${NAME} is replaced deep inside lists and objects, and its value is never shown`, () => {
  const rule = { pattern: '^/a', target: 'http://127.0.0.1:1', headers: { Authorization: `Bearer \${KEY}` } }
  const { config } = loadGateway({ proxy: { rules: [rule] } }, { environment: { KEY: 'geheim' } })
  assert.deepEqual(config.gateway.proxy.rules[0]?.headers, { Authorization: 'Bearer geheim' })
  assert.match(soleProblem(() => loadGateway({ proxy: { rules: [rule] } })).rule, /KEY, which is not set/)
  const wrong = { ...rule, target: `\${KEY}` }
  const problem = soleProblem(() =>
    loadGateway({ proxy: { rules: [wrong] } }, { environment: { KEY: 'geheim' } }),
  )
  assert.deepEqual([problem.key, problem.value], ['gateway.proxy.rules[0].target', `"\${KEY}"`])
})
