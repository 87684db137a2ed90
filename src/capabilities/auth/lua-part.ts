/** Lua side of the module: what authenticators and authorizers give back, and predicates without a name. */
export const authLua = `
return function(host, raw)
  local type, error = raw.type, raw.error
  return {
    policy = function(name, predicate)
      if type(name) == 'function' and predicate == nil then return host._policy('default', name) end
      return host._policy(name, predicate)
    end,
    none = function() return { outcome = 'none' } end,
    allow = function() return { outcome = 'allow' } end,
    identity = function(fields)
      if type(fields) ~= 'table' then
        error('auth.identity: the fields must be a table such as { type = "user", id = "7" }, not a ' .. type(fields), 2)
      end
      return { outcome = 'identity', identity = fields }
    end,
    fail = function(reason, message) return { outcome = 'fail', reason = reason or 'invalid', message = message } end,
    deny = function(reason) return { outcome = 'deny', reason = reason } end,
  }
end
`
