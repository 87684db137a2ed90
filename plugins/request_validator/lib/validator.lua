-- Validator: tries a request against the rules, and says what is wrong with it.

local settings = require("settings")

local validator = {}

---@param status integer
---@param code string
---@param message string
---@return gateway.Verdict
local function refused(status, code, message)
  return { status = status, json = { error = message, code = code } }
end

---Whether a path is another one, or below it: `/api` has `/api/x`, and not `/apix`.
---@param path string
---@param parent string
---@return boolean
local function is_at(path, parent)
  return path == parent or parent == "" or path:sub(1, #parent + 1) == parent .. "/"
end

---@param list string[]
---@param text string
---@return boolean
local function has(list, text)
  for _, each in ipairs(list) do
    if each == text then
      return true
    end
  end
  return false
end

---@param rule request_validator.Rule
---@param req gateway.Request
---@return boolean
local function concerns(rule, req)
  local method = req.method == "HEAD" and "GET" or req.method
  -- A server behind may take /api%2Fv1 for /api/v1.
  local is_meant = is_at(req.path, rule.path) or is_at(req.loose_path, rule.path)
  return is_meant and (rule.methods == nil or has(rule.methods, method))
end

---@param rule request_validator.Rule
---@param req gateway.Request
---@return gateway.Verdict?
local function check_sizes(rule, req)
  if rule.headers_max and req.header_count > rule.headers_max then
    return refused(431, "TOO_MANY_HEADERS", "send at most " .. rule.headers_max .. " headers")
  end
  if rule.header_bytes_max and req.header_bytes > rule.header_bytes_max then
    return refused(431, "HEADERS_TOO_LARGE", "send at most " .. rule.header_bytes_max .. " bytes of headers")
  end
  if not rule.body_bytes_max then
    return nil
  end
  -- Nobody knows how long a body in chunks becomes, and a stage does not see bodies.
  if req.headers["transfer-encoding"] then
    return refused(411, "LENGTH_REQUIRED", "send a Content-Length, and the body without chunks")
  end
  local length = req.headers["content-length"]
  if length == nil then
    return nil
  end
  -- Only digits: `tonumber` alone takes " 5", "0x5" and "5e0" as well.
  if not length:match("^%d+$") then
    return refused(400, "LENGTH_INVALID", "Content-Length must be a number")
  end
  if tonumber(length) > rule.body_bytes_max then
    return refused(413, "BODY_TOO_LARGE", "send at most " .. rule.body_bytes_max .. " bytes of body")
  end
end

---@param rule request_validator.Rule
---@param req gateway.Request
---@return gateway.Verdict?
local function check_headers(rule, req)
  for _, name in ipairs(rule.forbidden or {}) do
    if req.headers[name] ~= nil then
      return refused(400, "HEADER_FORBIDDEN", "the header " .. name .. " is not accepted here")
    end
  end
  for _, name in ipairs(rule.required or {}) do
    if (req.headers[name] or "") == "" then
      return refused(400, "HEADER_REQUIRED", "the header " .. name .. " is missing")
    end
  end
end

---@param rule request_validator.Rule
---@param req gateway.Request
---@return gateway.Verdict?
local function check_type(rule, req)
  local has_body = req.headers["transfer-encoding"] or (req.headers["content-length"] or "0"):match("[^0]")
  if not rule.content_types or not has_body then
    return nil
  end
  local type = (req.headers["content-type"] or ""):lower():match("^%s*([^;%s]*)")
  if has(rule.content_types, type) or has(rule.content_types, (type:gsub("/.*$", "/*"))) then
    return nil
  end
  local accepted = table.concat(rule.content_types, ", ")
  return refused(415, "TYPE_NOT_ACCEPTED", "send one of these types: " .. accepted)
end

---The stage. Returning nothing lets the request go on.
---@param req gateway.Request
---@return gateway.Verdict?
function validator.check(req)
  -- A browser asks before it sends: such a request carries neither the headers nor the body of the one to come.
  local is_preflight = req.method == "OPTIONS" and req.headers["access-control-request-method"] ~= nil
  for _, rule in ipairs(settings.rules) do
    local verdict
    if concerns(rule, req) then
      verdict = check_sizes(rule, req)
      if not verdict and not is_preflight then
        verdict = check_headers(rule, req) or check_type(rule, req)
      end
    end
    if verdict then
      return verdict
    end
  end
end

return validator
