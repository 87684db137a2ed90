-- Each global function whose name starts with test_ is one test, with a database of its own: what one test writes, no
-- other sees. Assertions say what they expected first, then what they got; one that fails does not end the test.

local base = "/api/v1/plugins/task_tracker"

local function create_category(name)
  local response = test.request("POST", base .. "/categories", { body = { name = name } })
  test.assert_eq(201, response.status)
  return response.json.id
end

local function create_task(fields)
  local response = test.request("POST", base .. "/tasks", { body = fields, auth = "none" })
  test.assert_eq(201, response.status)
  return response.json
end

local function list(query)
  local response = test.request("GET", base .. "/tasks?" .. (query or ""))
  test.assert_eq(200, response.status, query)
  return response.json
end

local function titles(page)
  local names = {}
  for _, task in ipairs(page.tasks) do
    names[#names + 1] = task.title
  end
  table.sort(names)
  return names
end

function test_a_task_can_be_created_and_read()
  local task = create_task({ title = "  Water the plants  ", notes = "all of them" })
  test.assert_eq("Water the plants", task.title, "blanks around the title are removed")
  test.assert_eq("open", task.status)
  test.assert_eq("all of them", task.notes)
  test.assert_nil(task.category_id)

  local response = test.request("GET", base .. "/tasks/" .. task.id)
  test.assert_eq(200, response.status)
  test.assert_eq(task, response.json)
end

function test_only_the_demonstration_routes_are_public()
  test.assert_eq(200, test.request("GET", base .. "/tasks", { auth = "none" }).status)
  test.assert_eq(401, test.request("GET", base .. "/categories", { auth = "none" }).status)
  for _, method in ipairs({ "GET", "PUT", "DELETE" }) do
    test.assert_eq(401, test.request(method, base .. "/tasks/any", { auth = "none" }).status, method)
  end
  test.assert_eq(200, test.request("GET", base .. "/categories", { auth = "viewer" }).status)
end

function test_all_problems_are_named_at_once_and_nothing_is_stored()
  local response = test.request("POST", base .. "/tasks", { body = { title = "", status = "later", notes = 7 } })
  test.assert_eq(422, response.status)
  test.assert_contains(response.json.problems.title, "empty")
  test.assert_contains(response.json.problems.status, "open")
  test.assert_contains(response.json.problems.notes, "text")
  test.assert_eq(0, db.count("tasks"))
end

function test_texts_have_limits()
  test.assert_eq(("x"):rep(200), create_task({ title = ("x"):rep(200) }).title)
  for field, length in pairs({ title = 201, notes = 5001, category_id = 61 }) do
    local fields = { title = "ok" }
    fields[field] = ("x"):rep(length)
    local response = test.request("POST", base .. "/tasks", { body = fields })
    test.assert_eq(422, response.status, field)
    test.assert_contains(response.json.problems[field], "must not be longer", field)
  end
end

function test_fields_that_nobody_asked_for_are_not_stored()
  local task = create_task({ title = "Mine", id = "chosen", created_at = "1999-01-01T00:00:00Z", owner = "me" })
  test.assert_neq("chosen", task.id)
  test.assert_neq("1999-01-01T00:00:00Z", task.created_at)
  test.assert_nil(task.owner)
end

function test_a_task_cannot_be_put_into_a_category_that_does_not_exist()
  local body = { title = "Lost", category_id = "nowhere" }
  test.assert_eq(422, test.request("POST", base .. "/tasks", { body = body }).status)
  test.assert_eq(0, db.count("tasks"))

  local task = create_task({ title = "Stays" })
  local moved = test.request("PUT", base .. "/tasks/" .. task.id, { body = { category_id = "nowhere" } })
  test.assert_eq(422, moved.status)
  test.assert_nil(test.request("GET", base .. "/tasks/" .. task.id).json.category_id)
end

function test_the_foreign_key_holds_without_the_handler()
  local _, reason = db.insert("tasks", { title = "Lost", category_id = "nowhere" })
  test.assert_not_nil(reason)
  test.assert_eq(0, db.count("tasks"))
end

function test_the_list_is_filtered()
  local home = create_category("Home")
  create_task({ title = "a", category_id = home })
  create_task({ title = "b", category_id = home, status = "done" })
  create_task({ title = "c" })

  test.assert_eq({ "a", "b", "c" }, titles(list()))
  test.assert_eq({ "a", "b" }, titles(list("category=" .. home)))
  test.assert_eq({ "b" }, titles(list("status=done")))
  test.assert_eq({ "a" }, titles(list("status=open&category=" .. home)))
  test.assert_eq({ "c" }, titles(list("category=")), "an empty category is none")
  test.assert_eq(0, list("category=unknown").total)
end

function test_the_list_is_paged()
  for at = 1, 5 do
    create_task({ title = "task " .. at })
  end
  local seen = {}
  for offset = 0, 4, 2 do
    local page = list("limit=2&offset=" .. offset)
    test.assert_eq({ 5, 2, offset }, { page.total, page.limit, page.offset })
    test.assert_eq(offset < 4 and 2 or 1, #page.tasks)
    for _, task in ipairs(page.tasks) do
      test.assert_nil(seen[task.id], "a task stands on one page only")
      seen[task.id] = true
    end
  end
  test.assert_eq(0, #list("offset=5").tasks)
  test.assert_eq(20, list().limit, "without a limit")
end

function test_a_page_outside_its_limits_is_refused()
  for _, query in ipairs({ "limit=0", "limit=101", "limit=-1", "limit=many", "offset=1.5", "offset=1000001" }) do
    local response = test.request("GET", base .. "/tasks?" .. query)
    test.assert_eq(422, response.status, query)
    test.assert_not_nil(response.json.problems[query:match("^%a+")], query)
  end
  test.assert_eq(422, test.request("GET", base .. "/tasks?status=later").status)
end

function test_an_update_touches_only_what_is_sent()
  local task = create_task({ title = "Before", notes = "kept" })
  local response = test.request("PUT", base .. "/tasks/" .. task.id, { body = { status = "done" } })
  test.assert_eq(200, response.status)
  test.assert_eq({ "Before", "kept", "done" }, { response.json.title, response.json.notes, response.json.status })
end

function test_an_empty_text_clears_notes_and_category()
  local task = create_task({ title = "Move me", notes = "old", category_id = create_category("Home") })
  local response = test.request("PUT", base .. "/tasks/" .. task.id, { body = { category_id = "", notes = "" } })
  test.assert_eq(200, response.status)
  test.assert_nil(response.json.category_id)
  test.assert_nil(response.json.notes)
  test.assert_eq("Move me", response.json.title, "other fields stay")
end

function test_an_update_has_to_change_something()
  local task = create_task({ title = "Same" })
  local response = test.request("PUT", base .. "/tasks/" .. task.id, { body = { unknown = 1 } })
  test.assert_eq(422, response.status)
  test.assert_not_nil(response.json.problems.body)
  local emptied = test.request("PUT", base .. "/tasks/" .. task.id, { body = { title = " " } })
  test.assert_eq(422, emptied.status)
end

function test_a_deleted_task_is_gone()
  local task = create_task({ title = "Short lived" })
  local path = base .. "/tasks/" .. task.id
  local deleted = test.request("DELETE", path)
  test.assert_eq({ 204, "" }, { deleted.status, deleted.body })
  test.assert_eq(404, test.request("GET", path).status)
  test.assert_eq(404, test.request("DELETE", path).status)
  test.assert_eq(404, test.request("PUT", path, { body = { title = "Too late" } }).status)
end

function test_a_body_that_is_not_an_object_is_turned_away()
  local form = { body = "title=Tea", headers = { ["content-type"] = "application/x-www-form-urlencoded" } }
  local response = test.request("POST", base .. "/tasks", form)
  test.assert_eq(400, response.status)
  test.assert_contains(response.json.error, "JSON object")
  for _, body in ipairs({ '"text"', "7", "{broken" }) do
    test.assert_eq(400, test.request("POST", base .. "/tasks", { body = body }).status, body)
  end
end
