-- Takes out what looks like a secret. Those who record an action leave such things out; this is the net below.

local redaction = {}

local DEPTH_MAX = 6
-- Of one event: pages of events that somebody has filled must still be readable.
local VALUES_MAX = 500

-- Parts of names, compared without case, `-` and `_`.
local NAMES = {
  "password",
  "passwd",
  "passphrase",
  "secret",
  "token",
  "apikey",
  "privatekey",
  "accesskey",
  "authorization",
  "cookie",
  "credential",
  "signature",
  "bearer",
  "otp",
}

-- Beginnings of credentials, wherever they stand.
local VALUES = {
  "[Bb]earer%s+[%w%-%._~%+/=]+",
  "[Bb]asic%s+%w%w%w%w%w%w%w%w[%w%+/=]*",
  "%f[%w]mk_[%w%-_]+",
  "%f[%w]fwt_[%w%-_]+",
}

local function is_secret(name)
  if type(name) ~= "string" then
    return false
  end
  local plain = name:lower():gsub("[-_]", "")
  for _, part in ipairs(NAMES) do
    if plain:find(part, 1, true) then
      return true
    end
  end
  return false
end

-- A JSON Web Token ends what it stands in. One pattern for all of it would try each beginning to the end, and a text of
-- beginnings alone would take longer than the host waits.
local function without_jwt(run)
  local at = run:find("eyJ", 1, true)
  if at and run:find("%.[^.]*%.", at) then
    return run:sub(1, at - 1) .. "***"
  end
end

---Takes credentials out of a text.
function redaction.text(text)
  text = text:gsub("[%w%-_%.]+", without_jwt)
  for _, pattern in ipairs(VALUES) do
    text = text:gsub(pattern, "***")
  end
  return text
end

local function copy_of(value, depth, budget)
  if type(value) == "string" then
    return redaction.text(value)
  end
  if type(value) ~= "table" then
    return value
  end
  if depth >= DEPTH_MAX then
    return "..."
  end
  local copy = {}
  for name, member in pairs(value) do
    budget.left = budget.left - 1
    if budget.left < 0 then
      break
    end
    if is_secret(name) and type(member) ~= "boolean" then
      copy[name] = "***"
    else
      copy[name] = copy_of(member, depth + 1, budget)
    end
  end
  return copy
end

---Gives a copy of details without secrets, and without what is beyond `VALUES_MAX`.
function redaction.clean(details)
  local budget = { left = VALUES_MAX }
  local copy = copy_of(details, 0, budget)
  if budget.left < 0 then
    copy.left_out = "all but " .. VALUES_MAX .. " values"
    -- Who says so is never left out.
    copy.plugin = details.plugin
  end
  return copy
end

return redaction
