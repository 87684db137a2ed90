-- With a number of clients, requests come from so many addresses in turn, as a proxy in front would name them.
function init(args)
  local clients = tonumber(args[1])
  if not clients then
    return
  end
  wrk.headers["X-Forwarded-For"] = "@"
  local before, after = string.match(wrk.format(), "^(.*: )@(\r\n.*)$")
  local count = 0
  local floor, format = math.floor, string.format
  function request()
    count = (count + 1) % clients
    local address = format("10.%d.%d.%d", floor(count / 65536), floor(count / 256) % 256, count % 256)
    return before .. address .. after
  end
end

-- Prints what wrk measured as one line of JSON.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"durationUs":%d,"p50Us":%.1f,"p99Us":%.1f,"failures":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
