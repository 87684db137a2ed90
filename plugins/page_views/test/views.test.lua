local base = "/api/v1/plugins/page_views"

local function view(fields)
  return test.request("POST", base .. "/views", { body = fields, auth = "none" }).status
end

local function get(path)
  local response = test.request("GET", base .. path)
  test.assert_eq(200, response.status, path)
  return response.json
end

function test_views_are_counted_page_by_page()
  test.assert_eq({ total = 0, pages = json.array() }, get("/views"))
  test.assert_eq(204, view({ path = "/b" }))
  test.assert_eq(204, view({ path = "/a" }))
  test.assert_eq(204, view({ path = "/b" }))
  local seen = get("/views")
  test.assert_eq(3, seen.total)
  test.assert_eq({ { path = "/a", views = 1 }, { path = "/b", views = 2 } }, seen.pages, "in the order of their paths")
end

function test_what_is_no_view_counts_nothing()
  for _, fields in ipairs({ {}, { path = 7 }, { path = "a" }, { path = "/" .. ("x"):rep(500) }, { path = "/a", referrer = 7 } }) do
    test.assert_eq(422, view(fields))
  end
  test.assert_eq(0, get("/views").total)
  test.assert_eq(0, kv.count({}))
end

function test_the_numbers_are_for_those_who_are_signed_in()
  for _, path in ipairs({ "/views", "/milestones", "/referrers?path=/a" }) do
    test.assert_eq(401, test.request("GET", base .. path, { auth = "none" }).status, path)
  end
end

function test_a_milestone_is_noted_when_a_page_reaches_it()
  for _ = 1, 12 do
    view({ path = "/a" })
  end
  view({ path = "/b" })
  test.assert_eq(0, test.wait_messages())
  test.assert_eq({ { path = "/a", views = 10 } }, get("/milestones").pages)
end

function test_a_milestone_stays_when_an_older_change_is_told_again()
  kv.set({ "milestones", "/a" }, 100)
  kv.set({ "views", "/a" }, 12)
  test.assert_eq(0, test.wait_messages())
  test.assert_eq(100, kv.get({ "milestones", "/a" }).value)
end
