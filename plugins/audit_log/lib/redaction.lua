-- Takes out what looks like a secret. Those who record an action leave such things out; this is the net below.

local redaction = {}

local DEPTH_MAX = 6

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

---Gives a copy without secrets.
function redaction.clean(value, depth)
  depth = depth or 0
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
    if is_secret(name) and type(member) ~= "boolean" then
      copy[name] = "***"
    else
      copy[name] = redaction.clean(member, depth + 1)
    end
  end
  return copy
end

return redaction
