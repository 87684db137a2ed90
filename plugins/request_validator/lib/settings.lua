-- Settings: change them here. When the paths change, an admin approves the stage again; a rule is live with the reload.

---What holds for a path and all below it. What is left out is not looked at.
---@class request_validator.Rule
---@field path string As it is decoded: `/api/v1/café`, without a slash at its end.
---@field methods? string[] The rule is for these only; `HEAD` goes with `GET`.
---@field required? string[] Headers that must be there, in lower case.
---@field forbidden? string[] Headers that must not be there, in lower case.
---@field headers_max? integer Lines in the head, repeated ones included.
---@field header_bytes_max? integer Bytes of their names and values together.
---@field body_bytes_max? integer Bytes of the body; a body must say its length then.
---@field content_types? string[] Types of bodies, in lower case, without parameters: `application/json`, `image/*`.

local mebibyte = 1024 * 1024

return {
  ---Where the stage stands; see `gateway.on_request` for the patterns.
  paths = { "/api/**" },

  ---Every rule that fits a request holds, so that no rule can switch off another one.
  ---@type request_validator.Rule[]
  rules = {
    -- Headers that some frameworks take instead of the path and the method that were checked.
    {
      path = "/api",
      forbidden = { "x-original-url", "x-rewrite-url", "x-http-method-override" },
      headers_max = 64,
      header_bytes_max = 8 * 1024,
      body_bytes_max = 10 * mebibyte,
    },
    {
      path = "/api/v1/content",
      methods = { "POST", "PUT", "PATCH" },
      content_types = { "application/json", "multipart/form-data", "image/*" },
    },
  },
}
