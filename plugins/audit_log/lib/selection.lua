-- Which actions are kept.

local selection = {}

---Tells whether a name matches a pattern in which `*` is any text.
function selection.matches(pattern, name)
  local parts = {}
  for part in (pattern .. "*"):gmatch("([^*]*)%*") do
    parts[#parts + 1] = part
  end
  if #parts == 1 then
    return pattern == name
  end
  if name:sub(1, #parts[1]) ~= parts[1] then
    return false
  end
  local at = #parts[1] + 1
  for index = 2, #parts - 1 do
    local first, last = name:find(parts[index], at, true)
    if not first then
      return false
    end
    at = last + 1
  end
  local tail = parts[#parts]
  return #name - #tail + 1 >= at and name:sub(#name - #tail + 1) == tail
end

local function any(patterns, name)
  for _, pattern in ipairs(patterns) do
    if selection.matches(pattern, name) then
      return true
    end
  end
  return false
end

---Tells whether an action is kept.
function selection.keeps(action)
  return any(config.get("include", { "*" }), action) and not any(config.get("exclude", {}), action)
end

return selection
