-- Door: who comes in while the site is closed, and what the others read.

local switch = require("switch")

local door = {}

-- Open whatever the switch says. The administration of the host needs no entry: stages never see it. The first of these
-- is the switch itself, without which nobody could open the site again.
local always_open = { "/api/v1/plugins/maintenance_mode", "/admin" }

---@param path string
---@param parents string[]
---@return boolean
local function is_at_one(path, parents)
  for _, parent in ipairs(parents) do
    if path == parent or path:sub(1, #parent + 1) == parent .. "/" then
      return true
    end
  end
  return false
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

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

---@param text string
---@return string
local function page(text)
  local safe = text:gsub("[&<>\"']", entities)
  return '<!doctype html>\n<html><head><meta charset="utf-8"><title>Closed for maintenance</title></head>\n'
    .. "<body><h1>Closed for maintenance</h1><p>" .. safe .. "</p></body></html>\n"
end

---The stage. Returning nothing lets the request go on.
---@param req gateway.Request
---@return gateway.Verdict?
function door.check(req)
  local state = switch.read()
  if not state.on or has(state.allow_ips, req.client_ip) then
    return nil
  end
  if is_at_one(req.path, always_open) or is_at_one(req.path, state.allow_paths) then
    return nil
  end
  -- Without an answer to its preflight a page of another origin could not even read that the site is closed.
  if req.method == "OPTIONS" and req.headers["access-control-request-method"] then
    return nil
  end
  local headers = { ["retry-after"] = tostring(state.retry_after), vary = "Accept" }
  if (req.headers.accept or ""):lower():find("text/html", 1, true) then
    headers["content-type"] = "text/html; charset=utf-8"
    return { status = 503, headers = headers, body = page(state.text) }
  end
  return { status = 503, headers = headers, json = { error = state.text, code = "MAINTENANCE" } }
end

return door
