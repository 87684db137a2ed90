// Loads a URL as the first argument says, for where there is no wrk, and prints autocannon's report as JSON.
import autocannon from 'autocannon'

const { url, connections, seconds, headers, clients } = JSON.parse(process.argv[2])
let count = 0

/** The same addresses in turn as in wrk-report.lua. */
function fromNextClient(request) {
  count = (count + 1) % clients
  const address = `10.${Math.floor(count / 65536)}.${Math.floor(count / 256) % 256}.${count % 256}`
  return { ...request, headers: { ...headers, 'x-forwarded-for': address } }
}

const report = await autocannon({
  url,
  connections,
  duration: seconds,
  headers,
  ...(clients !== undefined && { requests: [{ setupRequest: fromNextClient }] }),
})
process.stdout.write(JSON.stringify(report))
