-- The answers that all handlers share. Clients of this plugin can rely on one shape for what went wrong:
-- `{"error": "..."}`, and for input that was refused also `{"problems": {"<field>": "..."}}`.

local responses = {}

function responses.invalid(problems)
  return { status = 422, json = { error = "some fields are not valid", problems = problems } }
end

function responses.not_found(what)
  return { status = 404, json = { error = "there is no such " .. what } }
end

function responses.conflict(message)
  return { status = 409, json = { error = message } }
end

-- For failures that are nobody's mistake, such as a full database. The reason goes to the log, where the request id
-- leads to it, and not to the client.
function responses.failed(doing, reason)
  log.error("could not " .. doing, { reason = reason })
  return { status = 500, json = { error = "could not " .. doing } }
end

return responses
