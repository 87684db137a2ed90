-- id: H20 E23
-- title: No header of a token talks its way past the key that the plugin names
-- expect: refused

local key = string.rep("k", 64)

local function forge(header, claims, with)
  local signed = crypto.base64url_encode(header) .. "." .. crypto.base64url_encode(claims)
  return signed .. "." .. crypto.hmac("sha256", with, signed, { encoding = "base64url" })
end

http.handle("GET", "/attack", function(req)
  local taken = {}
  local claims = '{"exp":9999999999,"sub":"admin"}'
  local own = string.rep("x", 64)
  local jwk = '{"kty":"oct","k":"' .. crypto.base64url_encode(own) .. '"}'
  local tokens = {
    forge('{"alg":"none"}', claims, ""),
    forge('{"alg":"nOnE"}', claims, key),
    crypto.base64url_encode('{"alg":"none"}') .. "." .. crypto.base64url_encode(claims) .. ".",
    forge('{"alg":"HS256","jwk":' .. jwk .. '}', claims, own),
    forge('{"alg":"HS256","kid":"../../../dev/null"}', claims, ""),
    forge('{"alg":"HS256","jku":"http://127.0.0.1/"}', claims, own),
    forge('{"alg":"HS256","crit":["b64"],"b64":false}', claims, key),
    forge('{"alg":"HS256"}', '{"exp":1e400}', key),
    forge('{"alg":"HS256"}', '{"exp":9999999999,"exp":1}', key),
    forge('{"alg":"HS256"}', '{"sub":"admin"}', key),
    forge('{"alg":"HS256"}', claims, key) .. "=",
    forge('{"alg":"HS256"}', claims, key) .. ".x",
    string.rep(".", 100000),
    "\255\254",
  }
  for at, token in ipairs(tokens) do
    local found, reason = crypto.jwt_verify(token, key, { algorithms = { "HS256" } })
    if found or type(reason) ~= "string" then taken[#taken + 1] = at end
  end
  for at, options in ipairs({ {}, { algorithms = {} }, { algorithms = { "none" } }, { algorithms = { "HS256", "RS256" } } }) do
    if pcall(crypto.jwt_verify, tokens[1], key, options) then taken[#taken + 1] = "options " .. at end
  end
  return { json = { refused = #taken == 0, taken = taken } }
end, { public = true })
