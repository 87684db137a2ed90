-- id: A32
-- title: Globals of module scope stay usable and cannot be made to hide new ones
-- expect: refused
-- after: the next call answers {"clean":true}

counter = 0

http.handle("GET", "/attack", function(req)
  counter = counter + 1
  local copy = {}
  for key in pairs(_G) do copy[#copy + 1] = key end
  for index = 1, 100 do _G["leak" .. index] = req end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  for index = 1, 100 do
    if _G["leak" .. index] ~= nil then return { json = { clean = false } } end
  end
  return { json = { clean = true } }
end, { public = true })
