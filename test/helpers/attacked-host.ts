import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { plugin } from './create-host.js'
import {
  type RawMessage,
  type RawReply,
  type RawUpstream,
  rawRequest,
  sendRaw,
  startRawUpstream,
} from './raw-http.js'
import { createWorkplace } from './server-process.js'

/** A client at this address is a proxy of ours. */
export const trustedProxy = '127.0.0.9'

/** Answers what a plugin sees of a request. */
const witness = plugin(
  'witness',
  `local function show(req)
  return { json = { method = req.method, path = req.path, headers = req.headers, ip = req.client_ip, body = req.body } }
end
http.handle("GET", "/seen", show, { public = true })
http.handle("POST", "/seen", show, { public = true })
http.handle("DELETE", "/seen", show, { public = true })
http.handle("GET", "/hop/{name}", function(req)
  return { body = "x", headers = { ["x-name"] = req.params.name } }
end, { public = true })`,
)

/** Says to servers behind what it sees of a request, and puts a mark on answers. In front of the cache, which steps aside for what stands behind it. */
const guard = plugin(
  'guard',
  `gateway.on_request(function(req)
  local names = {}
  for name in pairs(req.headers) do names[#names + 1] = name end
  table.sort(names)
  return { request = { headers = {
    ["x-stage-path"] = req.path, ["x-stage-ip"] = req.client_ip, ["x-stage-names"] = table.concat(names, " "),
  } } }
end, { paths = { "/**" }, priority = 12 })
gateway.on_response(function() return { headers = { ["x-stage-answer"] = "seen" } } end, { paths = { "/**" } })
gateway.on_request(function() return { status = 403, body = "guarded" } end, { paths = { "/up/guarded/**" } })`,
)

/** A process of the product with all of its gateway switched on, in front of a server that takes everything. */
export interface AttackedHost {
  readonly port: number
  readonly upstream: RawUpstream
  readonly token: string
  /** What the process has written to its log. */
  log(): string
  /** Sends bytes; see `sendRaw`. */
  raw(text: string, options?: Parameters<typeof sendRaw>[2]): Promise<RawReply>
  /** Sends one request with `Host` and `Connection: close` and gives its only answer. */
  ask(
    line: string,
    headers?: readonly string[],
    options?: Parameters<typeof sendRaw>[2] & { readonly body?: string },
  ): Promise<RawMessage & { readonly status: number }>
  /** The same host still answers, and nobody but the one who asks. */
  assertWell(): Promise<void>
}

/** Starts one; it goes with the test. @param gateway Settings of the gateway beside, or in the place of, those here. */
export async function startAttackedHost(
  test: TestContext,
  gateway: Readonly<Record<string, unknown>> = {},
  server: Readonly<Record<string, unknown>> = {},
): Promise<AttackedHost> {
  const upstream = await startRawUpstream(test)
  const place = await createWorkplace(test)
  await place.write({
    'plugins/witness/init.lua': witness,
    'plugins/guard/init.lua': guard,
    'shell/index.html': '<!doctype html><html><head><title>Shell</title></head><body></body></html>',
    'config.json': JSON.stringify({
      plugin_enabled: true,
      plugin_rate_limit: 100_000,
      plugin_trusted_proxies: [trustedProxy],
      metrics: { access: 'admin' },
      server: { host: '127.0.0.1', ...server },
      gateway: {
        shellDir: './shell',
        rateLimit: {
          requests: 10_000,
          window: '1m',
          rules: [{ paths: ['/up/limited/**', '/LIMITED/**'], requests: 3, window: '1h' }],
        },
        cors: { origin: ['https://good.com', '*.apps.example'], credentials: true },
        cache: { enabled: true, ttl: 60 },
        compression: { enabled: true },
        proxy: {
          rules: [
            { pattern: '^/up/(.*)$', target: upstream.url, rewrite: '/$1' },
            { pattern: '^/as-is/', target: upstream.url },
            { pattern: '^/deaf/', target: upstream.url, ws: false },
          ],
        },
        ...gateway,
      },
    }),
  })
  const process = await place.serve()
  const url = `http://127.0.0.1:${process.port}`
  for (const name of ['witness', 'guard']) {
    const { code, err } = await place.run(['plugin', 'approve', name, '--all', '--yes', '--url', url])
    assert.equal(code, 0, err)
  }
  const { port } = process
  const token = (await readFile(join(place.folder, 'data', 'admin-token'), 'utf8')).trim()
  const raw: AttackedHost['raw'] = (text, options) => sendRaw(port, text, options)
  return {
    port,
    upstream,
    token,
    log: () => process.err() + process.out(),
    raw,
    async ask(line, headers = [], { body = '', ...options } = {}) {
      const host = headers.some((each) => /^host:/i.test(each)) ? [] : ['Host: host.example']
      const text = rawRequest(line, [...host, ...headers, 'Connection: close'], body)
      const {
        answers,
        statuses,
        text: all,
      } = await raw(text, { isHead: line.startsWith('HEAD '), ...options })
      assert.equal(answers.length, 1, `one answer, not ${all.slice(0, 2000)}`)
      return { ...(answers[0] as RawMessage), status: statuses[0] ?? 0 }
    },
    async assertWell() {
      const { statuses } = await raw(rawRequest('GET /health', ['Host: host.example', 'Connection: close']))
      assert.deepEqual(statuses, [200])
    },
  }
}
