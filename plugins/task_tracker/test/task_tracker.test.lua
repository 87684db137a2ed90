-- Each global function whose name starts with test_ is one test. What it writes is undone when it ends.

local base = "/api/v1/plugins/task_tracker"

local function create_category(name)
  local response = test.request("POST", base .. "/categories", { body = json.encode({ name = name }) })
  test.assert_eq(201, response.status)
  return response.json.id
end

local function create_task(fields)
  local response = test.request("POST", base .. "/tasks", { body = json.encode(fields), auth = "none" })
  test.assert_eq(201, response.status)
  return response.json
end

function test_a_task_can_be_created_and_read()
  local task = create_task({ title = "  Water the plants  " })
  test.assert_eq("Water the plants", task.title, "blanks around the title are removed")
  test.assert_eq("open", task.status)
  test.assert_nil(task.category_id)

  local response = test.request("GET", base .. "/tasks/" .. task.id)
  test.assert_eq(200, response.status)
  test.assert_eq(task, response.json)
end

function test_only_the_demonstration_routes_are_public()
  test.assert_eq(200, test.request("GET", base .. "/tasks", { auth = "none" }).status)
  test.assert_eq(401, test.request("GET", base .. "/categories", { auth = "none" }).status)
  test.assert_eq(401, test.request("DELETE", base .. "/tasks/any", { auth = "none" }).status)
end

function test_all_problems_are_named_at_once_and_nothing_is_stored()
  local response = test.request("POST", base .. "/tasks", {
    body = json.encode({ title = "", status = "later" }),
  })
  test.assert_eq(422, response.status)
  test.assert_not_nil(response.json.problems.title)
  test.assert_not_nil(response.json.problems.status)
  test.assert_eq(0, db.count("tasks"))
end

function test_a_task_cannot_be_put_into_a_category_that_does_not_exist()
  local response = test.request("POST", base .. "/tasks", {
    body = json.encode({ title = "Lost", category_id = "nowhere" }),
  })
  test.assert_eq(422, response.status)
  test.assert_eq(0, db.count("tasks"))
end

function test_the_list_is_filtered_and_paged()
  local home = create_category("Home")
  for i = 1, 3 do
    create_task({ title = "Home task " .. i, category_id = home })
  end
  create_task({ title = "Elsewhere", status = "done" })

  local first = test.request("GET", base .. "/tasks?category=" .. home .. "&limit=2").json
  test.assert_eq(3, first.total)
  test.assert_eq(2, #first.tasks)
  local second = test.request("GET", base .. "/tasks?category=" .. home .. "&limit=2&offset=2").json
  test.assert_eq(1, #second.tasks)
  test.assert_eq(1, test.request("GET", base .. "/tasks?status=done").json.total)
  test.assert_eq(1, test.request("GET", base .. "/tasks?category=").json.total)
  test.assert_eq(422, test.request("GET", base .. "/tasks?limit=1000").status)
end

function test_an_empty_text_takes_a_task_out_of_its_category()
  local task = create_task({ title = "Move me", category_id = create_category("Home") })
  local response = test.request("PUT", base .. "/tasks/" .. task.id, {
    body = json.encode({ category_id = "" }),
  })
  test.assert_eq(200, response.status)
  test.assert_nil(response.json.category_id)
  test.assert_eq("Move me", response.json.title, "other fields stay")
end

function test_completing_a_category_leaves_other_tasks_alone()
  local home = create_category("Home")
  create_task({ title = "One", category_id = home })
  create_task({ title = "Two", category_id = home })
  local other = create_task({ title = "Other" })

  local response = test.request("POST", base .. "/categories/" .. home .. "/complete")
  test.assert_eq(200, response.status)
  test.assert_eq(2, response.json.completed)
  test.assert_eq("open", test.request("GET", base .. "/tasks/" .. other.id).json.status)
end

function test_the_tasks_of_a_deleted_category_move_to_another()
  local from, to = create_category("From"), create_category("To")
  local task = create_task({ title = "Survivor", category_id = from })

  test.assert_eq(204, test.request("DELETE", base .. "/categories/" .. from .. "?move_to=" .. to).status)
  test.assert_eq(to, test.request("GET", base .. "/tasks/" .. task.id).json.category_id)
  test.assert_eq(404, test.request("DELETE", base .. "/categories/" .. from).status)
end

function test_two_categories_cannot_share_a_name()
  create_category("Home")
  local response = test.request("POST", base .. "/categories", {
    body = json.encode({ name = "Home" }),
  })
  test.assert_eq(409, response.status)
  test.assert_eq(1, db.count("categories"))
end

function test_a_body_that_is_not_an_object_is_turned_away()
  local response = test.request("POST", base .. "/tasks", {
    body = "title=Tea",
    headers = { ["content-type"] = "application/x-www-form-urlencoded" },
  })
  test.assert_eq(400, response.status)
  test.assert_contains(response.json.error, "JSON object")
end
