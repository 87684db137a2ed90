local base = "/api/v1/plugins/task_tracker"

-- Runs before each test of this file.
local home
test.setup(function()
  home = db.ulid()
  db.insert("categories", { id = home, name = "Home" })
end)

local function add_task(title, category, status)
  local id = db.ulid()
  local _, reason = db.insert("tasks", { id = id, title = title, category_id = category, status = status or "open" })
  test.assert_nil(reason)
  return id
end

local function task(id)
  return db.query_one("tasks", { where = { id = id } })
end

local function create(name)
  return test.request("POST", base .. "/categories", { body = { name = name } })
end

function test_categories_are_listed_by_name()
  create("Work")
  create("Garden")
  local names = {}
  for _, category in ipairs(test.request("GET", base .. "/categories").json.categories) do
    names[#names + 1] = category.name
  end
  test.assert_eq({ "Garden", "Home", "Work" }, names)
end

function test_a_category_needs_a_name()
  for _, name in ipairs({ "", "   ", ("x"):rep(61), 7 }) do
    local response = create(name)
    test.assert_eq(422, response.status, name)
    test.assert_not_nil(response.json.problems.name, name)
  end
  test.assert_eq(1, db.count("categories"))
end

function test_two_categories_cannot_share_a_name()
  test.assert_eq(409, create("Home").status)
  test.assert_eq(409, create("  Home ").status, "blanks do not make another name")
  test.assert_eq(1, db.count("categories"))
end

function test_completing_a_category_leaves_other_tasks_alone()
  local one, two = add_task("One", home), add_task("Two", home)
  local done, other = add_task("Done before", home, "done"), add_task("Other")

  local response = test.request("POST", base .. "/categories/" .. home .. "/complete")
  test.assert_eq(200, response.status)
  test.assert_eq({ completed = 2 }, response.json)
  for _, id in ipairs({ one, two, done }) do
    test.assert_eq("done", task(id).status)
  end
  test.assert_eq("open", task(other).status)
  test.assert_eq({ completed = 0 }, test.request("POST", base .. "/categories/" .. home .. "/complete").json)
  test.assert_eq(404, test.request("POST", base .. "/categories/unknown/complete").status)
end

function test_the_tasks_of_a_deleted_category_stay_without_one()
  local id = add_task("Survivor", home)
  test.assert_eq(204, test.request("DELETE", base .. "/categories/" .. home).status)
  test.assert_not_nil(task(id))
  test.assert_nil(task(id).category_id)
  test.assert_eq(404, test.request("DELETE", base .. "/categories/" .. home).status)
end

function test_the_tasks_of_a_deleted_category_move_to_another()
  local id = add_task("Survivor", home)
  local target = create("To").json.id
  test.assert_eq(204, test.request("DELETE", base .. "/categories/" .. home .. "?move_to=" .. target).status)
  test.assert_eq(target, task(id).category_id)
end

function test_a_category_is_not_deleted_when_its_tasks_cannot_move()
  local id = add_task("Stays", home)
  for _, target in ipairs({ "unknown", home, "" }) do
    local response = test.request("DELETE", base .. "/categories/" .. home .. "?move_to=" .. target)
    test.assert_eq(422, response.status, target)
    test.assert_not_nil(response.json.problems.move_to)
  end
  test.assert_eq(home, task(id).category_id)
end

function test_the_database_itself_takes_a_task_out_of_a_deleted_category()
  local id = add_task("Survivor", home)
  local _, reason = db.delete("categories", { where = { id = home } })
  test.assert_nil(reason)
  test.assert_nil(task(id).category_id)
end
