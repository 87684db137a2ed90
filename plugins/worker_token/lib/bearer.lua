-- Tokens as they are sent: <prefix><12 characters to find it by>_<43 characters that nobody guesses>.

local usage = require("usage")

local bearer = {
  prefix = config.get("prefix", "fwt_"),
}

local LOOKUP_BYTES = 9
local LOOKUP_LENGTH = 12
local SECRET_BYTES = 32
local SECRET_LENGTH = 43

-- Compared with where there is no row, so that the answer takes as long.
local NO_HASH = ("0"):rep(64)

local function hash_of(token)
  return crypto.hmac_sha256(assert(secrets.get("secret"), "plugins.worker_token.secret is not set"), token)
end

---Makes a token; gives it, what it is found by, and what is kept of it.
function bearer.make()
  local found_by = bearer.prefix .. crypto.base64url_encode(crypto.random_bytes(LOOKUP_BYTES))
  local token = found_by .. "_" .. crypto.base64url_encode(crypto.random_bytes(SECRET_BYTES))
  return token, found_by, hash_of(token)
end

---The authenticator: tells which worker sends a request.
function bearer.authenticate(req)
  local token = req.bearer
  if not token or token:sub(1, #bearer.prefix) ~= bearer.prefix then
    return auth.none()
  end
  local length = #bearer.prefix + LOOKUP_LENGTH
  if #token ~= length + 1 + SECRET_LENGTH then
    return auth.fail("invalid")
  end
  local row, reason = db.query_one("tokens", { where = { token_prefix = token:sub(1, length) } })
  if reason then
    -- Nobody is turned away, or let in, because the database is busy: the host answers 503.
    error(reason)
  end
  local is_equal = crypto.equal(hash_of(token), row and row.token_hash or NO_HASH)
  if not row or not is_equal or row.revoked_at then
    return auth.fail("invalid")
  end
  if row.expires_at and row.expires_at <= db.timestamp() then
    return auth.fail("expired")
  end
  usage.tell(row.id)
  -- The id, and not the token: it gets into logs.
  return auth.identity({
    type = "worker",
    id = row.id,
    tenant_id = row.tenant_id,
    attributes = { display_name = row.display_name },
  })
end

return bearer
