-- id: C25 H05
-- title: A syntax error fails the load
-- expect: load-failed

http.handle("GET", "/attack", function(req) return {
