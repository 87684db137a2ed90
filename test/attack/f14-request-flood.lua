-- id: F14
-- title: Requests in a loop and in coroutines are counted
-- expect: contained

request.register("api.example.com")

http.handle("GET", "/attack", function(req)
  local threads = {}
  for n = 1, 1000 do
    threads[n] = coroutine.create(function() return request.get("https://127.0.0.1/", { headers = { ["X-N"] = n } }) end)
  end
  for _, thread in ipairs(threads) do pcall(coroutine.resume, thread) end
  local body = ("x"):rep(2 * 1024 * 1024)
  while true do pcall(request.post, "https://127.0.0.1/", { body = body }) end
end, { public = true })
