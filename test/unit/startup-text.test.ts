import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completeConfig } from '../../src/config/complete.js'
import { gatewaySummary } from '../../src/host/gateway-summary.js'
import type { GrantKind } from '../../src/plugins/grants/grant-table.js'
import type { StatusReport } from '../../src/plugins/plugin-views.js'
import { startupText } from '../../src/startup-text.js'

const nothing: StatusReport = { running: [], failed: [], stopped: [], waiting: [], problems: [] }

function textOf(waiting: StatusReport['waiting']): string {
  const adminToken = { token: 'x', source: 'file' as const, file: 'data/admin-token', created: false }
  const host = {
    status: () => ({ ...nothing, waiting }),
    adminToken,
  }
  return startupText({ url: 'http://127.0.0.1:1', host, isPluginSystemOn: true })
}

const route = { plugin: 'a', method: 'GET', path: '/x', public: false, approved: false, plugin_version: '1' }
const grant = (kind: GrantKind, key: string) => ({
  kind,
  key,
  description: '',
  approved: false,
})

test('what waits for approval is counted by kind, with the command that approves exactly that', () => {
  const routesOnly = textOf([{ plugin: 'a', routes: [route], grants: [] }])
  assert.ok(
    routesOnly.includes(
      '  waiting for approval: 1 route of a\n    npx modulacms plugin approve a --all-routes\n',
    ),
  )
  const grants = [
    grant('hook', 'before_create:*'),
    grant('hook', 'x:y'),
    grant('core', 'content_data:read'),
    grant('kv', 'config:read'),
    grant('stage', 'request /x'),
    grant('gateway', 'log:read'),
    grant('gateway', 'stats:read'),
  ]
  const mixed = textOf([
    { plugin: 'a', routes: [route, route], grants },
    { plugin: 'b', routes: [], grants: [grant('domain', 'api.example.com')] },
  ])
  assert.ok(
    mixed.includes(
      '  waiting for approval: 2 routes, 2 hooks, 1 core table access, 1 shared namespace access, 1 stage, 2 gateway accesses of a\n' +
        '    npx modulacms plugin approve a --all-routes --all-hooks --all-core --all-kv --all-stages --all-gateway\n' +
        '  waiting for approval: 1 domain of b\n    npx modulacms plugin approve b --all-domains\n',
    ),
    mixed,
  )
  assert.ok(!textOf([]).includes('waiting'))
})

test('what the configuration turns on of the gateway is one line, and nothing is none', () => {
  const host = {
    status: () => nothing,
    adminToken: { token: 'x', source: 'file' as const, file: 'data/admin-token', created: false },
  }
  const summaryOf = (gateway: NonNullable<Parameters<typeof completeConfig>[0]['gateway']>): string =>
    startupText({
      url: 'http://127.0.0.1:1',
      host,
      isPluginSystemOn: true,
      gateway: gatewaySummary(completeConfig({ gateway })),
    })
  const rule = { pattern: '^/a', target: 'http://127.0.0.1:1', headers: { authorization: 'geheim' } }
  const all = summaryOf({
    rateLimit: { requests: 20, keyBy: 'tenant' },
    cors: { origin: 'https://a.example, *.b.example' },
    proxy: { rules: [rule] },
    shellDir: '/srv/shell',
    cache: { enabled: true },
  })
  const line =
    '  gateway: limit of 20 requests in 1m by tenant; answers for pages of https://a.example, *.b.example; ' +
    '1 rule of the proxy; shell from /srv/shell; cache\n'
  assert.ok(all.includes(line), all)
  assert.ok(!all.includes('geheim'))
  assert.ok(!summaryOf({ cache: { ttl: 5 } }).includes('gateway'), 'a cache that is off is not on')
})
