import assert from 'node:assert/strict'
import { it } from 'node:test'
import { HostError } from '../../../../src/base/errors.js'
import { coreLimits } from '../../../../src/base/limits/content.js'
import { testContext } from '../../../helpers/content-fixture.js'
import { type CoreFixture, useCoreFixtures } from '../../../helpers/core-fixture.js'

const createCoreFixture = useCoreFixtures()

const all = [
  'content_data:read',
  'content_data:write',
  'media:read',
  'media:write',
  'datatypes:read',
  'change_events:read',
]

async function fill({ content }: CoreFixture, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const columns = {
      datatype: 'article',
      slug: `e-${at}`,
      title: `T${at % 3}`,
      fields: { body: 'x', stars: at },
    }
    await content.writer.create('content_data', columns, testContext)
  }
}

/** Lua that asserts that an expression gives nil and an error with a text. */
const fails = (expression: string, text: string): string =>
  `do local value, err = ${expression}
     assert(value == nil, "a value came back")
     assert(type(err) == "string" and err:find("${text}", 1, true), tostring(err)) end`

it('rows are read with the conditions of db, decoded', async (test) => {
  const fixture = await createCoreFixture(test)
  await fill(fixture, 6)
  fixture.approve(...all)
  await fixture.ok(`
    local rows = assert(core.query("content_data", { where = { title = "T1" }, order_by = "slug" }))
    assert(#rows == 2 and rows[1].slug == "e-1" and rows[2].slug == "e-4")
    assert(rows[2].fields.stars == 4 and rows[1].published_at == nil and rows[1].version == 1)
    rows = assert(core.query("content_data", { where = { slug = db.in_list("e-0", "e-5") }, order_by = { { column = "slug", desc = true } }, columns = { "slug" } }))
    assert(#rows == 2 and rows[1].slug == "e-5" and rows[1].title == nil)
    rows = assert(core.query("content_data", { where = { { "slug", ">=", "e-2" }, { "NOT", { "title", "=", "T2" } } }, limit = 1, offset = 1, order_by = "slug" }))
    assert(#rows == 1 and rows[1].slug == "e-4")
    rows = assert(core.query("content_data", { where_or = { { slug = "e-1" }, { slug = db.between("e-3", "e-4") } } }))
    assert(#rows == 3)
    assert(core.count("content_data", { where = { published_at = db.null } }) == 6)
    assert(core.count("content_data", { where = { slug = db.gt("e-3") } }) == 2)
    assert(core.exists("content_data", { where = { slug = "e-3" } }) == true)
    assert(core.exists("content_data", { where = { slug = "e-9" } }) == false)
    local one, err = core.query_one("content_data", { where = { slug = "e-9" } })
    assert(one == nil and err == nil)
    assert(core.query_one("datatypes", { where = { name = "article" } }).schema.required[1] == "body")
    local none = core.query("media")
    assert(#none == 0 and json.encode(none) == "[]")
  `)
})

it('nothing is approved by default, and each access is approved by itself', async (test) => {
  const fixture = await createCoreFixture(test)
  await fixture.ok(`
    ${fails('core.query("content_data")', 'has no approved access')}
    ${fails('core.insert("media", { name = "x" })', 'has no approved access')}
  `)
  fixture.approve('content_data:read', 'media:write')
  await fixture.ok(`
    assert(core.query("content_data"))
    ${fails('core.insert("content_data", { slug = "x" })', 'is not approved for write')}
    ${fails('core.update("content_data", { set = { title = "x" }, where = { slug = "x" } })', 'is not approved for write')}
    ${fails('core.count("media")', 'is not approved for read')}
    ${fails('core.exists("datatypes")', 'has no approved access')}
  `)
})

it('tables that are not listed are not there for plugins, whatever is approved', async (test) => {
  const fixture = await createCoreFixture(test)
  const tables = [
    'users',
    'plugins',
    'plugin_routes',
    'sqlite_master',
    'core_migrations',
    'tokens',
    '__proto__',
    'constructor',
    '',
    'CONTENT_DATA',
    'main.content_data',
  ]
  fixture.approve(
    ...all,
    'datatypes:write',
    'change_events:write',
    ...tables.flatMap((name) => [`${name}:read`, `${name}:write`]),
  )
  await fixture.ok(
    tables.map((name) => fails(`core.query("${name}")`, 'not accessible to plugins')).join('\n'),
  )
  await fixture.ok(`
    ${fails('core.insert("datatypes", { name = "x" })', 'does not allow write access')}
    ${fails('core.delete("change_events", { where = { id = "x" } })', 'does not allow write access')}
  `)
})

it('hidden columns are refused in every place and never come back', async (test) => {
  const fixture = await createCoreFixture(test)
  await fill(fixture, 1)
  fixture.approve('change_events:read')
  await fixture.ok(`
    for _, row in ipairs(core.query("change_events")) do
      assert(row.before == nil and row.after == nil and row.event == "create")
    end
    ${fails('core.query("change_events", { columns = { "after" } })', 'blocked')}
    ${fails('core.query("change_events", { columns = { "AFTER" } })', 'blocked')}
    ${fails('core.query("change_events", { where = { after = "x" } })', 'blocked')}
    ${fails('core.query("change_events", { where = { { "OR", { { "event", "=", "x" }, { "before", "IS NULL" } } } } })', 'blocked')}
    ${fails('core.query("change_events", { where_or = { { after = db.gt("a") } } })', 'blocked')}
    ${fails('core.query("change_events", { order_by = "after" })', 'blocked')}
    ${fails('core.count("change_events", { where = { after = db.is_not_null() } })', 'blocked')}
    ${fails('core.exists("change_events", { where = { { "NOT", { "after", ">", "a" } } } })', 'blocked')}
  `)
})

it('nothing of a query is dropped in silence', async (test) => {
  const fixture = await createCoreFixture(test)
  await fill(fixture, 3)
  fixture.approve(...all)
  await fixture.ok(`
    ${fails('core.query("content_data", { joins = {} })', 'unknown option \\"joins\\"')}
    ${fails('core.query("content_data", { group_by = "title" })', 'unknown option \\"group_by\\"')}
    ${fails('core.query("content_data", { where = { title = db.like("T%") } })', 'operator \\"like\\" is not supported')}
    ${fails('core.query("content_data", { where = { { "title", "LIKE", "T%" } } })', 'is not supported')}
    ${fails('core.query("content_data", { where = { { "title", "GLOB", "T*" } } })', 'invalid condition operator')}
    ${fails('core.query("content_data", { where = { title = { __op = "eq", __val = "T1" } } })', 'expected a value')}
    ${fails('core.query("content_data", { where = { ghost = 1 } })', 'names the column \\"ghost\\"')}
    ${fails('core.query("content_data", { where = { ["content_data.title"] = 1 } })', 'names the column')}
    ${fails('core.query("content_data", { where = { ["title\\" or 1=1 --"] = 1 } })', 'invalid where column')}
    ${fails('core.query("content_data", { where = { fields = "x" } })', 'holds JSON')}
    ${fails('core.query("content_data", { order_by = "fields" })', 'holds JSON')}
    ${fails('core.query("content_data", { order_by = "title desc" })', 'invalid order_by column')}
    ${fails('core.query("content_data", { columns = { "_rowid_" } })', 'invalid select column')}
    ${fails('core.query("content_data", { limit = "5" })', 'limit must be a number')}
    ${fails('core.query("content_data", { offset = 10001 })', 'offset is 10001')}
    ${fails('core.query("content_data", { desc = 1, order_by = "title" })', 'desc must be true or false')}
    assert(#core.query("content_data", { where = { slug = "x' or '1'='1" } }) == 0)
    local values, many = {}, {}
    for at = 1, 500 do values[at] = "v" .. at end
    for at = 1, 3 do many[at] = { "slug", "IN", values } end
    assert(#core.query("content_data", { where = many[1] }) == 0)
    ${fails('core.query("content_data", { where = many })', 'the limit is 1000')}
  `)
})

it('a query gives 100 rows unless it says otherwise, and 1000 at most', async (test) => {
  const fixture = await createCoreFixture(test)
  await fill(fixture, coreLimits.rowsDefault + 1)
  fixture.approve(...all)
  await fixture.ok(`
    assert(#core.query("content_data") == ${coreLimits.rowsDefault})
    assert(#core.query("content_data", { limit = 0 }) == ${coreLimits.rowsDefault})
    assert(#core.query("content_data", { limit = 1e9 }) == ${coreLimits.rowsDefault + 1})
  `)
})

it('writes are checked, hooked and recorded like those of a client', async (test) => {
  const { ok, approve, hooks, content } = await createCoreFixture(test)
  approve(...all)
  await ok(`
    local id, err = core.insert("content_data", { datatype = "article", slug = "lua", title = "Lua", fields = { body = "b" } })
    assert(type(id) == "string" and #id == 26, tostring(err))
    local changed = assert(core.update("content_data", { set = { title = "New", status = "published" }, where = { id = id } }))
    assert(changed == 1)
    assert(core.update("content_data", { set = { title = "New" }, where = { id = "nobody" } }) == 0)
    ${fails('core.insert("content_data", { datatype = "article", slug = "lua", title = "Lua", fields = { body = "b" } })', 'has this slug already')}
    ${fails('core.insert("content_data", { datatype = "article", slug = "x", title = "Lua", fields = {} })', 'lacks the member')}
    ${fails('core.insert("content_data", { datatype = "article", slug = "x", title = json.null, author = "root" })', 'author is set by the host')}
    ${fails('core.update("content_data", { set = { version = 7 }, where = { slug = "lua" } })', 'version is set by the host')}
    ${fails('core.insert("media", { name = 0/0 })', 'cannot be encoded')}
    ${fails('core.insert("content_data", { datatype = "article", slug = "n", title = "N", fields = { body = "b", stars = math.maxinteger } })', 'would be rounded')}
    ${fails('core.insert("media", { name = "\\xff" })', 'not valid UTF-8')}
  `)
  const row = (await content.list('content_data', {})).items[0]
  assert.match(String(row?.author), /^plugin:tester\d+$/)
  assert.equal(row?.status, 'published')
  const events = (await content.list('change_events', { 'filter[row_id]': String(row?.id), sort: 'id' }))
    .items
  assert.deepEqual(
    events.map(({ event }) => event),
    ['create', 'update', 'publish'],
  )
  assert.ok(events.every(({ actor, request_id }) => actor === row?.author && request_id === 'req-9'))
  const ofLua = hooks.writes.slice(1)
  assert.ok(ofLua.length === 3 && ofLua.every(({ context }) => context.depth === 0))
  await ok(`assert(core.delete("content_data", { where = { slug = "lua" } }) == 1)`)
  assert.equal(await content.reader.count('content_data', undefined, 9), 0)
})

it('a veto of a hook is a plain failure, and what was done before stays and is told', async (test) => {
  const fixture = await createCoreFixture(test)
  await fill(fixture, 3)
  fixture.approve(...all)
  fixture.hooks.onBefore = ({ row }) => {
    if (row.slug === 'e-1') throw new HostError('HOOK_VETOED', 422, 'refused by plugin "guard"')
    return row
  }
  const update = 'core.update("content_data", { set = { title = "New" }, where = { slug = db.gte("e-0") } })'
  await fixture.ok(fails(update, '1 of 3 rows were written, then one failed: refused by plugin'))
  assert.equal(
    await fixture.content.reader.count('content_data', { op: '=', column: 'title', value: 'New' }, 9),
    1,
  )
  await fixture.ok(fails('core.delete("content_data", { where = { slug = "e-1" } })', 'refused by plugin'))
})

it('what fails inside the host is not shown', async (test) => {
  const fixture = await createCoreFixture(test)
  await fill(fixture, 1)
  fixture.approve(...all)
  fixture.hooks.onBefore = () => {
    throw new Error('secret at /srv/host.js')
  }
  const raised = await fixture.lua('core.delete("content_data", { where = { slug = "e-0" } })')
  assert.match(String(raised), /the host could not answer/)
  assert.doesNotMatch(String(raised), /secret/)
})

it('misuse raises: no filter, a filter whose field is nil, nothing to set', async (test) => {
  const fixture = await createCoreFixture(test)
  await fill(fixture, 2)
  fixture.approve(...all)
  const misuses: readonly (readonly [string, RegExp])[] = [
    ['core.update("content_data", { set = { title = "x" } })', /non-empty where/],
    ['core.update("content_data", { set = { title = "x" }, where = {} })', /non-empty where/],
    ['core.update("content_data", { set = { title = "x" }, where = { id = nothing } })', /non-empty where/],
    ['core.update("content_data", { set = { title = "x" }, where_or = { {} } })', /non-empty where/],
    ['core.delete("content_data", { where = { published_at = db.is_null() } })', /non-empty where/],
    ['core.delete("content_data", {})', /non-empty where/],
    ['core.update("content_data", { where = { slug = "e-0" } })', /non-empty set/],
    ['core.update("content_data", { set = {}, where = { slug = "e-0" } })', /non-empty set/],
    ['core.insert("content_data", {})', /non-empty table of values/],
    ['core.query({})', /table|string/],
    ['core.query()', /string expected, got no value/],
  ]
  for (const [call, message] of misuses) assert.match(String(await fixture.lua(call)), message, call)
  assert.equal(
    await fixture.content.reader.count('content_data', { op: '=', column: 'version', value: 1 }, 9),
    2,
  )
})

it('more rows than one call may change are counted first, and none is touched', async (test) => {
  const fixture = await createCoreFixture(test)
  await fill(fixture, coreLimits.writeRowsMax + 1)
  fixture.approve(...all)
  const where = 'where = { datatype = "article" }'
  await fixture.ok(`
    ${fails(`core.update("content_data", { set = { title = "x" }, ${where} })`, 'exceeding safety limit')}
    ${fails(`core.delete("content_data", { where_or = { { datatype = "article" } } })`, 'exceeding safety limit')}
    assert(core.delete("content_data", { where = { slug = "e-0" } }) == 1)
    assert(core.update("content_data", { set = { title = "x" }, ${where} }) == ${coreLimits.writeRowsMax})
  `)
})

it('hooks that lead to hooks end', async (test) => {
  const { approve, lua, hooks } = await createCoreFixture(test)
  approve(...all)
  const insert = (slug: string) =>
    `assert(core.insert("content_data", { datatype = "article", slug = "${slug}", title = "T", fields = { body = "b" } }))`
  for (const [at, depth] of [1, 2, 3].entries()) {
    assert.equal(await lua(insert(`d-${at}`), { phase: 'after_hook', requestId: `req~${depth}` }), undefined)
    const { context } = hooks.writes[hooks.writes.length - 1] ?? {}
    assert.deepEqual([context?.depth, context?.requestId], [depth, 'req'])
  }
  const refused = await lua(insert('d-9'), { phase: 'after_hook', requestId: 'req~4' })
  assert.match(String(refused), /more than 3 deep/)
  assert.equal(
    await lua('assert(core.query("content_data"))', { phase: 'read_hook', requestId: 'req~4' }),
    undefined,
  )
  const unmarked = await lua(insert('d-8'), { phase: 'after_hook', requestId: 'req' })
  assert.equal(unmarked, undefined)
  assert.equal(hooks.writes[hooks.writes.length - 1]?.context.depth, 1)
})

it('before-hooks and module scope have no core tables, and each call costs an operation', async (test) => {
  const { approve, lua } = await createCoreFixture(test)
  approve(...all)
  const inHook = await lua('core.query("content_data")', { phase: 'before_hook' })
  assert.match(String(inHook), /not allowed inside before-hooks/)
  const costly = await lua('for _ = 1, 4 do core.count("content_data") end', { operationsMax: 3 })
  assert.match(String(costly), /operation/)
})

it('results that are too large together are refused as a whole', async (test) => {
  const { approve, ok, content } = await createCoreFixture(test)
  approve(...all)
  const datatype = await content.reader.datatype('article')
  await content.writer.update(
    'datatypes',
    String(datatype?.id),
    { schema: { type: 'object' } },
    'merge',
    {},
    testContext,
  )
  for (let at = 0; at < 18; at += 1) {
    const fields = { body: 'x'.repeat(250_000) }
    await content.writer.create(
      'content_data',
      { datatype: 'article', slug: `e-${at}`, title: 'T', fields },
      testContext,
    )
  }
  await ok(`
    ${fails('core.query("content_data")', 'more than 4194304 bytes')}
    assert(#core.query("content_data", { limit = 10 }) == 10)
  `)
})
