import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'
import { ownColumns } from '../helpers/migration-world.js'

/** Tells of each step of its life in the log. */
const telling = (name: string, body = '', more = '') =>
  plugin(
    name,
    `auth.authenticator("${name}_badge", function() end, { bearer = "${name}_" })
http.handle("GET", "/ok", function() return { body = "ok" } end)
db.migration(20260101000000, "notes", {
  up = "CREATE TABLE plugin_${name}_notes (${ownColumns}, title TEXT NOT NULL) STRICT",
})
function on_init() log.info("begins, notes: " .. db.count("notes", {})) end
function on_shutdown() log.info("ends") end
${body}`,
    '1.0.0',
    more,
  )

const steps = (server: Pick<TestHost, 'lines'>) =>
  server.lines.flatMap(({ msg, plugin: name }) =>
    /^(begins|ends)/.test(msg) ? [`${String(name)} ${msg}`] : [],
  )

describe('a host', () => {
  it('starts plugins behind those that they need, with their tables, and ends them in the reverse order', async (t) => {
    const server = await startHost(t, {
      plugins: {
        'a_last/init.lua': telling('a_last', '', 'dependencies = { "m_middle" },'),
        'm_middle/init.lua': telling('m_middle', '', 'dependencies = { "z_first" },'),
        'z_first/init.lua': telling('z_first'),
      },
    })
    const begun = ['z_first', 'm_middle', 'a_last'].map((name) => `${name} begins, notes: 0`)
    assert.deepEqual(steps(server), begun)
    const at = (pattern: RegExp) => server.lines.findIndex(({ msg }) => pattern.test(msg))
    assert.ok(at(/^database schema/) < at(/^begins/), 'tables of the host come first')
    assert.ok(at(/^begins/) < at(/^who may do what/))
    await server.close()
    assert.deepEqual(steps(server).slice(3), ['a_last ends', 'm_middle ends', 'z_first ends'])
  })

  it('lets no on_shutdown keep another from running, or itself from ending', async (t) => {
    const server = await startHost(t, {
      config: { plugin_timeout: 1 },
      plugins: {
        'a_calm/init.lua': telling('a_calm'),
        'b_sad/init.lua': telling(
          'b_sad',
          'function on_shutdown() error("so sad") end',
          'dependencies = { "a_calm" },',
        ),
        'c_slow/init.lua': telling(
          'c_slow',
          'function on_shutdown() while true do end end',
          'dependencies = { "b_sad" },',
        ),
        'd_calm/init.lua': telling('d_calm', '', 'dependencies = { "c_slow" },'),
      },
    })
    await server.close()
    assert.deepEqual(
      steps(server).filter((step) => step.endsWith('ends')),
      ['d_calm ends', 'a_calm ends'],
    )
    const failed = server.lines.filter(({ msg }) => msg === 'on_shutdown failed')
    assert.deepEqual(
      failed.map(({ level, plugin: name }) => [level, name]),
      [
        ['warn', 'c_slow'],
        ['warn', 'b_sad'],
      ],
    )
  })

  const broken = telling('broken', 'function on_init() error("no tables today") end')

  it('FL-18: goes on without a plugin that nobody requires: degraded, its routes 503, its authenticators shut', async (t) => {
    const rules = { 'auth.http.rules': [{ paths: ['/work/**'], authenticators: ['broken_badge'] }] }
    const server = await startHost(t, { plugins: { 'broken/init.lua': telling('broken') }, config: rules })
    const ok = () => server.call('GET', '/broken/ok', { headers: server.credentials })
    assert.equal((await ok()).status, 200)
    await server.write({ 'broken/init.lua': broken })
    await server.restart({ approve: false })
    assert.equal((await ok()).status, 503)
    const work = await server.send('GET', '/work/1', { headers: { authorization: 'Bearer broken_1' } })
    assert.equal(work.status, 503, work.text)
    const health = await server.send('GET', '/health')
    assert.deepEqual([health.status, health.json<{ status: string }>().status], [200, 'degraded'])
  })
})
