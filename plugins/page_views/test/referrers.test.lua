local base = "/api/v1/plugins/page_views"

local function referrers_of(path)
  local response = test.request("GET", base .. "/referrers?path=" .. path)
  test.assert_eq(200, response.status)
  return response.json.referrers
end

local function view(path, referrer)
  local body = { path = path, referrer = referrer }
  test.assert_eq(204, test.request("POST", base .. "/views", { body = body, auth = "none" }).status)
end

function test_referrers_are_noted_behind_the_answer()
  view("/a", "example.com")
  view("/a", "example.org")
  view("/a", "example.com")
  view("/ab", "example.net")
  view("/a")
  test.assert_eq(0, test.wait_messages())
  local expected = { { referrer = "example.com", views = 2 }, { referrer = "example.org", views = 1 } }
  test.assert_eq(expected, referrers_of("/a"))
end

function test_a_message_that_comes_twice_counts_once()
  local referrers = require("referrers")
  local message = { id = "7", queue = "referrers", value = { path = "/a", referrer = "example.com" }, attempts = 1 }
  referrers.note(message)
  referrers.note(message)
  test.assert_eq({ { referrer = "example.com", views = 1 } }, referrers_of("/a"))
end

function test_a_message_that_cannot_be_noted_is_given_back()
  kv.enqueue(7, { queue = "referrers" })
  test.assert_eq(1, test.wait_messages(), "it waits for its next try")
  test.assert_eq(0, kv.count({ "referrers" }))
end
