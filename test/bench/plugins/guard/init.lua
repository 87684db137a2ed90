-- A stage in front of the routes of the plugin `hello`: it reads a header and lets the request go on.
plugin_info = {
  name = "guard",
  version = "1.0.0",
  description = "A stage of the gateway that the bench puts in front of a route, or beside it.",
  author = "modulacms contributors",
  license = "MIT",
}

gateway.on_request(function(req)
  if req.headers["x-refused"] then
    return { status = 403, json = { error = "refused" } }
  end
end, { paths = { "/api/v1/plugins/hello/**" } })
