import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { plugin } from './create-host.js'
import { createHttpClient, type HttpClient } from './http-client.js'
import { parsePrometheusText } from './prometheus-text.js'
import { createWorkplace, type ServerProcess } from './server-process.js'

const mebibyte = 1024 * 1024

/** The plugin of a hostile world: a large answer, and what it has read of a body and of a query. */
const lua = `
local noise = {}
for at = 1, 65536 do noise[at] = string.char(math.random(33, 126)) end
local big = string.rep(table.concat(noise), 64)
http.handle("GET", "/big", function()
  return { body = big, headers = { ["content-type"] = "text/plain" } }
end, { public = true })
http.handle("POST", "/echo", function(request) return { body = request.body } end, { public = true })
http.handle("GET", "/query", function(request) return { json = request.query } end, { public = true })
`

/** A server in a process of its own, so that its memory and its open files are its own. */
export interface HostileWorld extends ServerProcess {
  readonly client: HttpClient
  /** Headers of an admin. */
  readonly credentials: Readonly<Record<string, string>>
  residentBytes(): number
  /** Sockets that the server has open. A thread may open the database at any time, so files say nothing of clients. */
  openSockets(): number
  /** How many clients it says it has refused or cut off for a reason. */
  refused(reason: string): Promise<number>
}

/**
 * Starts a server that goes with the test.
 *
 * @param config Sections of `config.json`; those that are missing get out of the way of many requests of one client.
 */
export async function startHostileWorld(
  test: TestContext,
  config: Readonly<Record<string, unknown>>,
): Promise<HostileWorld> {
  const place = await createWorkplace(test)
  await place.write({
    'plugins/target/init.lua': plugin('target', lua),
    'config.json': JSON.stringify({
      plugin_enabled: true,
      plugin_rate_limit: 1_000_000,
      log: { level: 'warn' },
      ...config,
    }),
  })
  const server = await place.serve()
  const client = createHttpClient(server.url)
  test.after(() => client.close())
  const token = readFileSync(join(place.folder, 'data', 'admin-token'), 'utf8').trim()
  const credentials = { authorization: `Bearer ${token}` }
  const routes = ['big', 'query'].map((name) => ({ method: 'GET', path: `/${name}` }))
  const approved = await client.send('POST', '/api/v1/admin/plugins/routes/approve', {
    headers: credentials,
    json: {
      routes: [...routes, { method: 'POST', path: '/echo' }].map((route) => ({ plugin: 'target', ...route })),
    },
  })
  if (approved.status !== 200) throw new Error(`the routes were not approved: ${approved.text}`)
  const { pid } = server.process
  return {
    ...server,
    client,
    credentials,
    residentBytes() {
      const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
      return Number(kibibytes) * 1024
    },
    openSockets: () =>
      readdirSync(`/proc/${pid}/fd`).filter((name) => isSocket(`/proc/${pid}/fd/${name}`)).length,
    async refused(reason) {
      const { text } = await client.send('GET', '/metrics', { headers: credentials })
      return parsePrometheusText(text).value('server_clients_refused_total', { reason }) ?? 0
    },
  }
}

/** A descriptor may be closed while they are listed. */
function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:')
  } catch {
    return false
  }
}

export interface Healthy {
  /** Milliseconds of the middle one of all requests. */
  readonly medianMs: number
  readonly count: number
}

/** Sends requests one after the other, each of which has to be answered with 200; asserts nothing about time. */
export async function sendHealthy(client: HttpClient, count: number): Promise<Healthy> {
  const times: number[] = []
  for (let at = 0; at < count; at += 1) {
    const startedMs = performance.now()
    const answer = await client.send('GET', '/health')
    if (answer.status !== 200) {
      throw new Error(`a healthy client was answered ${answer.status}: ${answer.text}`)
    }
    times.push(performance.now() - startedMs)
  }
  times.sort((a, b) => a - b)
  return { medianMs: times[count >> 1] ?? Number.NaN, count }
}

/** How much slower the middle request may be beside an attack: service has to go on, not to be as fast. */
export const slowerMax = 40

/** Bytes that a server may grow by for garbage, caches and what the attack is allowed to hold. */
export const growthMax = 300 * mebibyte
