import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { plugin, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'

const shop = (name: string) =>
  plugin(
    name,
    `
local public = { public = true }
function on_init()
  db.define_table("shelves", { columns = { { name = "label", type = "text", not_null = true, unique = true } } })
  db.define_table("goods", {
    columns = {
      { name = "name", type = "text", not_null = true },
      { name = "price", type = "integer", default = 0 },
      { name = "sold", type = "boolean" },
      { name = "facts", type = "json" },
      { name = "shelf_id", type = "text" },
    },
    indexes = { { columns = { "price" } } },
    foreign_keys = { { column = "shelf_id", ref_table = "plugin_${name}_shelves", ref_column = "id", on_delete = "CASCADE" } },
  })
end
http.handle("POST", "/fill", function()
  db.insert("shelves", { id = "s1", label = "top" })
  assert(select("#", db.insert("shelves", { id = "s2", label = "low" })) == 0)
  db.insert_many("goods", { "name", "price", "shelf_id" }, { { "ant", 1, "s1" }, { "bee", 2, "s1" }, { "cat", 3, "s2" } })
  db.insert("goods", { name = "dog", price = 9007199254740993, sold = true, facts = { legs = 4 }, shelf_id = db.null })
  db.upsert("shelves", { values = { id = "s3", label = "top" }, conflict_columns = { "label" }, do_nothing = true })
  return { status = 201 }
end, public)
http.handle("GET", "/report", function()
  local dear = db.query("goods", { where = { price = db.gte(2) }, order_by = "price", desc = true, limit = 2 })
  local either = db.query("goods", { where_or = { { name = "ant" }, { name = db.like("c%") } }, order_by = "name" })
  local listed = db.query("goods", { where = { "OR", { { "name", "=", "bee" }, { "price", "BETWEEN", { 3, 4 } } } }, order_by = "name" })
  local sums = db.query("goods", { columns = { "shelf_id", db.agg_sum("price", "total") }, where = { shelf_id = db.is_not_null() }, group_by = { "shelf_id" }, order_by = "shelf_id" })
  local joined = db.query("goods", { columns = { "goods.name", "shelves.label" }, joins = { { table = "shelves", local_col = "shelf_id", foreign_col = "id" } }, order_by = { { column = "goods.name" } } })
  local dog = db.query_one("goods", { where = { name = "dog" } })
  return { json = {
    dear = dear, either = either, listed = listed, sums = sums, joined = joined,
    none = db.query("goods", { where = { name = "nobody" } }),
    sold = dog.sold, legs = json.decode(dog.facts).legs, exact = tostring(dog.price), shelf = type(dog.shelf_id),
    count = db.count("goods"), loose = db.count("goods", { where = { shelf_id = db.null } }),
    exists = db.exists("shelves", { where = { label = "low" } }),
  } }
end, public)
http.handle("POST", "/failures", function()
  local _, unique = db.insert("shelves", { label = "top" })
  local _, column = db.query("goods", { where = { absent = 1 } })
  local done, aborted = db.transaction(function()
    db.delete("goods", { where = { name = "ant" } })
    error("changed my mind")
  end)
  local raised, misuse = pcall(db.update, "goods", { set = { price = 0 } })
  return { json = {
    unique = unique, column = column, done = done, aborted = aborted, raised = raised, misuse = tostring(misuse),
    ants = db.count("goods", { where = { name = "ant" } }),
  } }
end, public)
http.handle("POST", "/login", function(req)
  local row, err = db.query_one("shelves", { where = { label = req.json.label } })
  return { status = (row and 200) or 403, json = { err = err } }
end, public)
http.handle("DELETE", "/shelf/{id}", function(req)
  db.delete("shelves", { where = { id = req.params.id } })
  return { json = db.count("goods") }
end, public)
http.handle("GET", "/greedy", function() for _ = 1, 50 do pcall(db.count, "goods") end return { json = db.count("goods") } end, public)
http.handle("GET", "/log", function() log.warn("stock is low", { item = "ant", left = 2 }) print("printed") return { status = 204 } end, public)
`,
  )
const thief = plugin(
  'sho',
  `http.handle("GET", "/steal", function()
     local rows, err = db.query("p_goods")
     local other, err2 = db.query("plugin_shop_goods")
     return { json = { rows = rows or json.null, other = other or json.null, err = err, err2 = err2 } }
   end, { public = true })`,
)

const shared = useHost({ plugins: {}, config: { plugin_max_ops: 30 } })

/** Opens a shop for one test, with goods in it. */
async function openShop(test: TestContext, name: string): Promise<TestHost> {
  const server = shared()
  await install(test, server, { [`${name}/init.lua`]: shop(name) })
  assert.equal((await server.call('POST', `/${name}/fill`)).status, 201)
  return server
}

type Row = Record<string, unknown>
const names = (rows: unknown): unknown[] => (rows as Row[]).map(({ name }) => name)

it('reads what a plugin wrote, in every form of query', async (test) => {
  const server = await openShop(test, 'read_shop')
  const report = (await server.call('GET', '/read_shop/report')).json()
  assert.deepEqual(names(report.dear), ['dog', 'cat'])
  assert.deepEqual(names(report.either), ['ant', 'cat'])
  assert.deepEqual(names(report.listed), ['bee', 'cat'])
  assert.deepEqual(report.sums, [
    { shelf_id: 's1', total: 3 },
    { shelf_id: 's2', total: 3 },
  ])
  assert.equal((report.joined as Row[]).length, 3)
  assert.deepEqual(report.none, [], 'an empty result is a list')
  const { sold, legs, exact, shelf, count, loose, exists } = report
  assert.deepEqual(
    { sold, legs, exact, shelf, count, loose, exists },
    { sold: 1, legs: 4, exact: '9007199254740993', shelf: 'nil', count: 4, loose: 1, exists: true },
  )
})

it('returns failures, raises misuse, undoes a transaction that raises and cascades', async (test) => {
  const server = await openShop(test, 'failing_shop')
  const result = (await server.call('POST', '/failing_shop/failures')).json()
  assert.match(String(result.unique), /UNIQUE constraint failed/)
  assert.match(String(result.column), /absent/)
  assert.equal(result.done, false)
  assert.match(String(result.aborted), /changed my mind/)
  assert.equal(result.raised, false)
  assert.match(String(result.misuse), /non-empty where/)
  assert.equal(result.ants, 1)
  assert.equal((await server.call('DELETE', '/failing_shop/shelf/s1')).json(), 2)
  await server.restart()
  assert.equal((await server.call('DELETE', '/failing_shop/shelf/s2')).json(), 1, 'a restart keeps the rows')
})

it('takes no operator from a body, and gives no plugin the tables of another', async (test) => {
  const server = await openShop(test, 'shop')
  await install(test, server, { 'sho/init.lua': thief })
  const login = async (label: unknown) =>
    (await server.call('POST', '/shop/login', { json: { label } })).status
  assert.equal(await login('top'), 200)
  for (const forged of [{ __op: 'neq', __val: '' }, { __op: 'is_not_null' }, ['!=', ''], true]) {
    assert.notEqual(await login(forged), 200, JSON.stringify(forged))
  }
  const stolen = (await server.call('GET', '/sho/steal')).json()
  assert.deepEqual([stolen.rows, stolen.other], [null, null])
})

it('ends a call that goes on after its operations, with the reason in the log only', async (test) => {
  const server = await openShop(test, 'greedy_shop')
  const greedy = await server.call('GET', '/greedy_shop/greedy')
  assert.equal(greedy.code, 'HANDLER_ERROR')
  assert.doesNotMatch(greedy.text, /operation/)
  const line = server.lines.find((entry) => entry.request_id === greedy.headers['x-request-id'])
  assert.match(String(line?.error), /operation/)
})

it('logs with the plugin and the request id', async (test) => {
  const server = await openShop(test, 'logging_shop')
  const id = (await server.call('GET', '/logging_shop/log')).headers['x-request-id']
  const lines = server.lines.filter((entry) => entry.request_id === id)
  const warned = lines.find(({ msg }) => msg === 'stock is low')
  assert.deepEqual(
    [warned?.level, warned?.plugin, warned?.context],
    ['warn', 'logging_shop', { item: 'ant', left: '2' }],
  )
  assert.ok(lines.some(({ msg, plugin: name }) => msg === 'printed' && name === 'logging_shop'))
})
