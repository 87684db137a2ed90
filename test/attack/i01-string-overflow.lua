-- id: D02 C13
-- title: Concatenating at the limit of a string is an error
-- expect: contained

http.handle("GET", "/attack", function(req)
  local s = ("x"):rep(16000000)
  local ok = pcall(function() return s .. s .. s .. s .. s .. s .. s .. s .. s .. s end)
  return { json = { refused = true } }
end, { public = true })
