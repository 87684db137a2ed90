import { test } from 'node:test'
import { plugin } from '../helpers/create-host.js'
import { assertPassed, useDemo } from '../helpers/plugin-tests.js'

const init = plugin(
  'demo',
  `
local shared = kv.shared("orders")
kv.listen("mails", function(message)
  if message.value == "broken" then error("cannot be sent") end
  kv.atomic():append({ "sent" }, { message.value }):enqueue(message.value, { queue = "copies" }):commit()
end)
kv.listen("copies", function(message) kv.atomic():append({ "copied" }, { message.value }):commit() end)
kv.on_change({ "users" }, function(change)
  kv.set({ "seen", change.key[2] }, { type = change.type, value = change.value })
end)
shared.on_change({}, function(change) kv.set({ "ordered", change.key[1] }, change.value) end)
http.handle("POST", "/users", function(req)
  assert(kv.set({ "users", req.json.id }, req.json.name))
  return { status = 204 }
end)`,
  '1.0.0',
  'kv_access = { orders = { "read", "write" } }',
)

const results = useDemo({
  'demo/init.lua': init,
  'demo/test/store.test.lua': `
local function writes_alone()
  test.assert_eq(0, kv.count({}))
  test.assert_nil(kv.get({ "n" }).value)
  assert(kv.atomic():sum({ "n" }, kv.u64(7)):set({ "list", 1 }, "a"):commit())
  test.assert_eq(7, kv.get({ "n" }).value)
  local found = {}
  for entry in kv.list({ prefix = { "list" } }) do found[#found + 1] = entry.value end
  test.assert_eq({ "a" }, found)
  local result = assert(kv.transaction(function(tx) tx:set({ "n" }, tx:get({ "n" }).value + 1) end))
  test.assert_eq(8, kv.get({ "n" }).value)
  assert(kv.create_index({ "posts" }, { fields = { "title" } }))
  kv.set({ "posts", 1 }, { title = "two words" })
  test.assert_eq(1, #assert(kv.search({ "posts" }, "words")))
end
test_one, test_two = writes_alone, writes_alone
function test_entries_expire()
  kv.set({ "short" }, 1, { expires_in = 1 })
  for _ = 1, 100 do
    if kv.get({ "short" }).value == nil then return end
    test.request("POST", "/api/v1/plugins/demo/users", { body = { id = 1, name = "ann" } })
  end
  test.assert(false, "it is still there")
end
function test_shared_namespaces_are_approved()
  local orders = kv.shared("orders")
  test.assert_eq(0, assert(orders.count({})))
  assert(orders.set({ 7 }, "open"))
  test.assert_eq(0, test.wait_messages())
  test.assert_eq("open", kv.get({ "ordered", 7 }).value)
  test.assert_error(function() kv.shared("Wrong Name") end)
  local none, problem = kv.shared("others").get({ 1 })
  test.assert_nil(none)
  test.assert_contains(problem, "not approved")
end`,
  'demo/test/messages.test.lua': `
function test_what_is_sent_leads_to_more()
  for n = 1, 5 do kv.enqueue(n, { queue = "mails" }) end
  test.assert_eq(0, test.wait_messages())
  test.assert_eq({ 1, 2, 3, 4, 5 }, kv.get({ "sent" }).value)
  test.assert_eq({ 1, 2, 3, 4, 5 }, kv.get({ "copied" }).value)
end
function test_changes_of_requests_and_of_the_test()
  test.request("POST", "/api/v1/plugins/demo/users", { body = { id = 1, name = "ann" } })
  kv.set({ "users", 2 }, "bob")
  kv.delete({ "users", 2 })
  test.assert_eq(0, test.wait_messages())
  test.assert_eq({ type = "set", value = "ann" }, kv.get({ "seen", 1 }).value)
  test.assert_eq({ type = "delete" }, kv.get({ "seen", 2 }).value)
end
function test_what_is_left()
  kv.enqueue("broken", { queue = "mails" })
  kv.enqueue("broken", { queue = "mails", backoff_schedule = {} })
  kv.enqueue("later", { queue = "mails", delay = 600000 })
  kv.enqueue("read by nobody", { queue = "others" })
  test.assert_eq(3, test.wait_messages())
  test.assert_nil(kv.get({ "sent" }).value)
  local letters = assert(kv.dead_letters({ queue = "mails" }))
  test.assert_eq(1, #letters)
  test.assert_contains(letters[1].error, "cannot be sent")
end
function test_nothing_to_wait_for() test.assert_eq(0, test.wait_messages()) end
function test_not_inside_a_transaction()
  local done, why = db.transaction(function() test.wait_messages() end)
  test.assert_eq(false, done)
  test.assert_contains(why, "inside db.transaction")
end`,
})

test('the key-value store works in tests, and each test has one of its own', () => {
  assertPassed(results('store'))
})

test('messages and changes are waited for, and what fails is left', () => {
  assertPassed(results('messages'))
})
