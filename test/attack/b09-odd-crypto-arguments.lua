-- id: B09
-- title: No argument makes the functions of crypto do anything but give a value or raise
-- expect: refused

http.handle("GET", "/attack", function(req)
  local taken = {}
  local odd = {
    -1, 0/0, 1/0, 2^53, math.mininteger, "", "\0", "\255\254\253", string.rep("a", 100000), {}, { {} }, { 1, 2 }, true, false,
    { algorithms = { "HS256" } }, { algorithm = "HS256" }, { __proto__ = {} }, { encoding = {} }, { encoding = "\255" }, json.null,
    "-----BEGIN PUBLIC KEY-----", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", '{"kty":"RSA"}', { kty = "RSA", n = "AQAB", e = "AQAB" },
    { kty = "OKP", crv = "Ed25519", x = "" }, { kty = "EC", crv = "P-256", x = "A", y = "A" }, { kty = "oct", k = "" },
  }
  local names = {
    "random_bytes", "random_string", "uuid", "sha256", "sha512", "hmac_sha256", "equal", "base64_decode", "base64url_decode", "hex_decode",
    "base64_encode", "hex_encode",
  }
  local calls = 0
  for _, name in ipairs(names) do
    for _, a in ipairs(odd) do
      for _, b in ipairs(odd) do
        local ok, problem = pcall(crypto[name], a, b)
        if not ok and type(problem) ~= "string" then taken[#taken + 1] = name end
        if not ok and problem:find("host", 1, true) then taken[#taken + 1] = name .. ": " .. problem end
        calls = calls + 1
      end
    end
  end
  for _, key in ipairs(odd) do
    for _, algorithm in ipairs({ "HS256", "RS256", "ES256", "EdDSA" }) do
      local ok, problem = pcall(crypto.jwt_verify, "a.b.c", key, { algorithms = { algorithm } })
      if not ok and not problem:find("crypto.jwt_verify: ", 1, true) and not problem:find("operation", 1, true) then
        taken[#taken + 1] = algorithm .. ": " .. problem
      end
    end
  end
  return { json = { refused = #taken == 0, taken = taken } }
end, { public = true })
