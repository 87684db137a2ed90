-- Switch: what is stored, and the routes that show and change it.
--
--   { "state" }   a maintenance_mode.State; nothing while the switch has never been used

local switch = {}

---@class maintenance_mode.State
---@field on boolean Whether the site is closed.
---@field text string What visitors read.
---@field retry_after integer Seconds after which they may come again.
---@field allow_ips string[] Addresses that come in.
---@field allow_paths string[] Paths that stay open, with all that is below them.

---@type maintenance_mode.State
local defaults = {
  on = false,
  text = "We are working on this site and will be back soon.",
  retry_after = 300,
  allow_ips = json.array(),
  allow_paths = json.array(),
}

local list_max = 100

---The state as it is stored, with the defaults for what was never said. Raises when it cannot be read.
---@return maintenance_mode.State
function switch.read()
  local entry = assert(kv.get({ "state" }))
  return entry.value or defaults
end

---@param list any
---@param pattern string
---@return boolean
local function is_list(list, pattern)
  if type(list) ~= "table" or #list > list_max then
    return false
  end
  for key, text in pairs(list) do
    if math.type(key) ~= "integer" or type(text) ~= "string" or #text > 200 or not text:find(pattern) then
      return false
    end
  end
  return true
end

---Says what is wrong with the members of a state; nil when nothing is.
---@param given table<string, any>
---@return string?
local function fault_of(given)
  for name in pairs(given) do
    if defaults[name] == nil then
      return "there is no setting " .. tostring(name)
    end
  end
  if type(given.on) ~= "boolean" then
    return "on must be true or false"
  end
  if given.text ~= nil and (type(given.text) ~= "string" or #given.text > 2000) then
    return "text must be a text of up to 2000 bytes"
  end
  local seconds = given.retry_after
  if seconds ~= nil and (math.type(seconds) ~= "integer" or seconds < 1 or seconds > 604800) then
    return "retry_after must be whole seconds, from 1 to 604800"
  end
  if given.allow_ips ~= nil and not is_list(given.allow_ips, "^[%x:.]+$") then
    return "allow_ips must be a list of up to 100 addresses"
  end
  if given.allow_paths ~= nil and not is_list(given.allow_paths, "^/.*[^/]$") then
    return "allow_paths must be a list of up to 100 paths that begin with / and do not end with it"
  end
end

---@param req http.Request
---@return http.Response?
local function refuse_strangers(req)
  if not req.user or req.user.role ~= "admin" then
    return { status = 403, json = { error = "only an admin may see and turn this switch" } }
  end
end

---@param req http.Request
---@return http.Response
function switch.show(req)
  return refuse_strangers(req) or { json = switch.read() }
end

---Takes the members that are given; the others stay as they are.
---@param req http.Request
---@return http.Response
function switch.set(req)
  local refused = refuse_strangers(req)
  if refused then
    return refused
  end
  local given = req.json
  if type(given) ~= "table" then
    return { status = 400, json = { error = "the body must be a JSON object" } }
  end
  local fault = fault_of(given)
  if fault then
    return { status = 422, json = { error = fault } }
  end
  local before, state = switch.read(), {}
  for name, default in pairs(defaults) do
    local value = given[name]
    if value == nil then
      value = before[name]
    end
    state[name] = value == nil and default or value
  end
  assert(kv.set({ "state" }, state))
  log.info(state.on and "the site is closed" or "the site is open", { by = req.user.username })
  return { json = state }
end

return switch
