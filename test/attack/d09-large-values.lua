-- id: D09 G19
-- title: Large rows are refused once the quota is used up
-- expect: contained

function on_init() db.define_table("blobs", { columns = { { name = "data", type = "text" } } }) end

http.handle("GET", "/attack", function(req)
  local text = ("x"):rep(1000000)
  for i = 1, 900 do
    local _, err = db.insert("blobs", { data = text .. i })
    if err then return { json = { refused = true } } end
  end
  error("escaped: 900 megabytes stored", 0)
end, { public = true })
