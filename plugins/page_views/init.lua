-- page_views: counts how often the pages of a site are looked at. Written to show the key-value store: counters that
-- many requests change at once, work that waits in a queue, and a function that is called when an entry changes.
--
-- The store needs no tables and no `on_init`: an entry is there once it is written. Every plugin has a namespace of its
-- own, so these keys meet no others.

plugin_info = {
  name = "page_views",
  version = "1.0.0",
  description = "Counts how often pages are looked at, and where readers come from.",
  author = "modulacms contributors",
  license = "MIT",
}

local referrers = require("referrers")
local views = require("views")

-- Any page of any site can send a view, so this route is public. The numbers are for those who are signed in.
http.handle("POST", "/views", views.add, { public = true })
http.handle("GET", "/views", views.list)
http.handle("GET", "/milestones", views.milestones)
http.handle("GET", "/referrers", referrers.list)

-- What need not be done before the answer is done later: the message is sent in the commit that counts the view, so that
-- neither is there without the other.
kv.listen("referrers", referrers.note)

-- Called after each commit that changed an entry below { "views" }, whoever made it.
kv.on_change({ "views" }, views.note_milestone, { events = { "set" } })
