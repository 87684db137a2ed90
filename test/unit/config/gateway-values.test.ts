import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gatewayOf, loadGateway, problemsOf, soleProblem } from '../../helpers/gateway-config.js'

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
      return loadGateway(parts.reduceRight((inner: unknown, name) => ({ [name]: inner }), value))
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
    const problem = soleProblem(() => loadGateway({ cors: { credentials: true, origin } }))
    assert.equal(problem.key, 'gateway.cors.credentials')
    assert.equal(problem.value, 'true')
    assert.match(problem.rule, /while gateway\.cors\.origin is "\*" \(.+\).*name the origins/)
  }
  const both = soleProblem(() => gatewayOf({ GATEWAY_CORS_CREDENTIALS: '1', GATEWAY_CORS_ORIGIN: '*' }))
  assert.match(both.origin, /GATEWAY_CORS_CREDENTIALS, another name of MODULACMS__GATEWAY__CORS__CREDENTIALS/)
  assert.match(both.rule, /GATEWAY_CORS_ORIGIN, another name of MODULACMS__GATEWAY__CORS__ORIGIN/)
  assert.doesNotThrow(() => loadGateway({ cors: { credentials: true, origin: 'https://a.example' } }))
  assert.doesNotThrow(() => loadGateway({ cors: { credentials: false, origin: '*' } }))
})

test('a conflict is told beside other problems, and not when it may come from one of them', () => {
  const keysOf = (gateway: unknown): readonly string[] =>
    problemsOf(() => loadGateway(gateway)).map(({ key }) => key)
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
    const { key } = soleProblem(() => loadGateway({ hosts: ['app.example.com', host] }))
    assert.match(key, /^gateway\.hosts/, host)
  }
  const hosts = ['localhost', '*.example.com', '127.0.0.1', '[::1]']
  assert.deepEqual(loadGateway({ hosts }).config.gateway.hosts, hosts)
  assert.deepEqual(loadGateway({}).config.gateway.hosts, [])
})
