// Keeps a number of requests to an offending route in flight until it is ended, and reports what they answered.
// Arguments: base URL of the plugin, connections.
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const [base, connections] = [process.argv[2], Number(process.argv[3])]
const offencesPerRest = 20
const refusedPauseMs = 20

const agent = new http.Agent({ keepAlive: true, maxSockets: connections })
const statuses = {}

function get(path) {
  return new Promise((resolve) => {
    const request = http.get(base + path, { agent }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode))
      response.once('error', () => resolve('aborted'))
    })
    request.once('error', (error) => resolve(error.code ?? 'error'))
  })
}

async function offend() {
  for (let i = 1; ; i++) {
    const startedMs = performance.now()
    const status = await get('/offend')
    statuses[status] = (statuses[status] ?? 0) + 1
    if (i % offencesPerRest === 0) await get('/rest')
    // A refusal costs the product next to nothing; without a pause this would measure a flood of refusals.
    if (performance.now() - startedMs < refusedPauseMs) await sleep(refusedPauseMs)
  }
}

process.once('SIGTERM', () => process.send({ statuses }, () => process.exit(0)))
for (let i = 0; i < connections; i++) offend()
