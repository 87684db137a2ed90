-- The small JSON answer of the plugin `bench`, without a database.
plugin_info = {
  name = "hello",
  version = "1.0.0",
  description = "A route that the bench measures in front of and behind the gateway.",
  author = "modulacms contributors",
  license = "MIT",
}

http.handle("GET", "/{name}", function(req)
  return { json = { count = 3, message = "hello, " .. req.params.name, ok = true } }
end, { public = true })
