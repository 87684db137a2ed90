-- Modules of the plugin can be tested by themselves.

local validate = require("validate")

function test_good_values_come_back_clean()
  test.assert_eq({ name = "Home" }, validate.category({ name = " Home " }))
  test.assert_eq({ title = "Tea", status = "done" }, validate.new_task({ title = "Tea", status = "done", x = 1 }))
  test.assert_eq({ limit = 20, offset = 0, where = {} }, validate.task_query({}))
end

function test_bad_values_give_nil_and_a_sentence_for_each_field()
  local values, problems = validate.new_task({ title = 7, notes = {} })
  test.assert_nil(values)
  test.assert_eq({ title = "must be text", notes = "must be text" }, problems)
end

function test_a_new_task_takes_an_empty_text_for_none()
  test.assert_eq({ title = "Tea", status = "open" }, validate.new_task({ title = "Tea", notes = "", category_id = "" }))
end

function test_changes_tell_clearing_from_leaving_alone()
  test.assert_eq({ notes = db.null }, validate.task_changes({ notes = "" }))
  test.assert_eq({ notes = "new" }, validate.task_changes({ notes = "new" }))
  local values, problems = validate.task_changes({})
  test.assert_nil(values)
  test.assert_contains(problems.body, "at least one")
end

function test_numbers_of_a_query_are_whole_and_within_limits()
  test.assert_eq(100, validate.task_query({ limit = "100" }).limit)
  for _, limit in ipairs({ "0", "101", "1e1", " 5", "-1", "0x10", "" }) do
    local values, problems = validate.task_query({ limit = limit })
    test.assert_nil(values, limit)
    test.assert_contains(problems and problems.limit, "from 1 to 100", limit)
  end
end
