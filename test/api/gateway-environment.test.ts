import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { loadConfig } from '../../src/config/load.js'
import { createGatewayPlace, type GatewayPlace, type GatewayProcess } from '../helpers/gateway-process.js'

/** The variables of the gateway, over a real process: type, default, bounds, and what wins over what. */

interface Shown {
  readonly rateLimit: { readonly requests: number; readonly window: string; readonly keyBy: string } | null
  readonly cors: readonly { readonly origins: readonly string[]; readonly credentials: boolean }[]
  readonly cache: unknown
  readonly shell: { readonly dir: string | null; readonly envExcludes: readonly string[] } | null
}

const page = '<!doctype html><html><head><title>shell</title></head></html>'

async function placeWith(test: TestContext, gateway?: unknown): Promise<GatewayPlace> {
  const made = await createGatewayPlace(test, gateway)
  await made.place.write({ 'of-file/dist/index.html': page, 'of-env/dist/index.html': page })
  return made
}

/** What stands in the listing for the variable. */
const rows = [
  {
    variable: 'GATEWAY_SHELL_DIR',
    preset: null,
    inFile: 'of-file',
    given: 'of-env',
    shown: 'of-env',
    read: ({ shell }: Shown) => shell?.dir ?? null,
  },
  {
    variable: 'GATEWAY_SHELL_EXCLUDES',
    preset: ['cpanel'],
    inFile: ['legacy'],
    given: 'cpanel, admin,,admin',
    shown: ['cpanel', 'admin'],
    read: ({ shell }: Shown) => shell?.envExcludes,
  },
  {
    variable: 'GATEWAY_RATE_LIMIT_REQUESTS',
    preset: 100,
    inFile: 7,
    given: '10000',
    shown: 10_000,
    read: ({ rateLimit }: Shown) => rateLimit?.requests,
  },
  {
    variable: 'GATEWAY_RATE_LIMIT_WINDOW',
    preset: '1m',
    inFile: '5m',
    given: '1h',
    shown: '1h',
    read: ({ rateLimit }: Shown) => rateLimit?.window,
  },
  {
    variable: 'GATEWAY_CORS_ORIGIN',
    preset: ['*'],
    inFile: ['https://file.example'],
    given: 'https://a.example, https://b.example',
    shown: ['https://a.example', 'https://b.example'],
    read: ({ cors }: Shown) => cors[0]?.origins,
  },
  {
    variable: 'GATEWAY_CORS_CREDENTIALS',
    preset: false,
    inFile: false,
    given: 'true',
    shown: true,
    read: ({ cors }: Shown) => cors[0]?.credentials,
  },
] as const

/** The file of the rows above. */
const fileSection = {
  shellDir: 'of-file',
  shellExcludes: 'legacy',
  rateLimit: { requests: 7, window: '5m' },
  cors: { origin: 'https://file.example', credentials: false },
}

/** Asserts that a bucket holds so many requests, and is full again after so many seconds. */
async function checkBucket(server: GatewayProcess, capacity: number, windowSeconds: number): Promise<void> {
  const { config } = await server.read<{ config: object }>('/rate-limit/metrics')
  assert.deepEqual(config, { capacity, windowSeconds })
}

describe('variables of the gateway', () => {
  it('are absent: nobody is limited, no page of another origin reads, nothing is cached, no shell', async (t) => {
    const server = await (await placeWith(t)).serve()
    assert.deepEqual(await server.read('/config'), { rateLimit: null, cors: [], cache: null, shell: null })
    const answer = await server.send('GET', '/health', { headers: { origin: 'https://a.example' } })
    const names = Object.keys(answer.headers)
    assert.deepEqual(
      names.filter((name) => /^(?:access-control|x-ratelimit|retry-after|vary)/.test(name)),
      [],
    )
  })

  it('have the defaults of the table once their part is on', async (t) => {
    const { place, serve } = await placeWith(t, { rateLimit: {}, cors: {} })
    // Without a shell there is nothing whose excludes could be shown.
    const server = await serve({ GATEWAY_SHELL_DIR: join(place.folder, 'of-env') })
    const shown = await server.read<Shown>('/config')
    for (const { variable, preset, read } of rows) {
      if (variable !== 'GATEWAY_SHELL_DIR') assert.deepEqual(read(shown), preset, variable)
    }
    assert.deepEqual(shown.shell, { dir: join(place.folder, 'of-env'), envExcludes: ['cpanel'] })
    await checkBucket(server, 100, 60)
  })

  it('are in the file: its values hold', async (t) => {
    const server = await (await placeWith(t, fileSection)).serve()
    const shown = await server.read<Shown>('/config')
    for (const { variable, inFile, read } of rows) assert.deepEqual(read(shown), inFile, variable)
    await checkBucket(server, 7, 300)
  })

  it('win over the file, all at once', async (t) => {
    const { serve } = await placeWith(t, fileSection)
    const server = await serve(Object.fromEntries(rows.map(({ variable, given }) => [variable, given])))
    const shown = await server.read<Shown>('/config')
    for (const { variable, shown: expected, read } of rows) assert.deepEqual(read(shown), expected, variable)
    await checkBucket(server, 10_000, 3600)
  })

  it('win over the file also when they are empty or say no', async (t) => {
    const { serve } = await placeWith(t, {
      ...fileSection,
      cors: { origin: 'https://file.example', credentials: true },
    })
    const server = await serve({
      GATEWAY_SHELL_DIR: '',
      GATEWAY_SHELL_EXCLUDES: '',
      GATEWAY_CORS_CREDENTIALS: 'false',
      GATEWAY_RATE_LIMIT_REQUESTS: '1000',
      GATEWAY_RATE_LIMIT_WINDOW: '15m',
    })
    const shown = await server.read<Shown>('/config')
    assert.equal(shown.shell, null)
    assert.equal(shown.cors[0]?.credentials, false)
    await checkBucket(server, 1000, 900)
  })

  it('do what they say: each alone turns its part on, and excludes that are no basenames are left out', async (t) => {
    const { serve } = await placeWith(t)
    const server = await serve({
      GATEWAY_RATE_LIMIT_REQUESTS: '2',
      GATEWAY_CORS_ORIGIN: 'https://a.example',
      GATEWAY_SHELL_DIR: 'of-env',
      GATEWAY_SHELL_EXCLUDES: 'legacy,ok_1,a.b,c d,x/y,-',
    })
    const from = { origin: 'https://a.example' }
    const statuses: number[] = []
    for (let at = 0; at < 3; at += 1) {
      const { status, headers } = await server.send('GET', '/health', { headers: from })
      assert.equal(headers['access-control-allow-origin'], 'https://a.example')
      statuses.push(status)
    }
    assert.deepEqual(statuses, [200, 200, 429])
    const load = (path: string) => server.send('GET', path, { headers: { 'sec-fetch-dest': 'document' } })
    assert.match((await load('/anything')).text, /<title>shell/)
    assert.doesNotMatch((await load('/legacy')).text, /<title>shell/)
    const { shell } = await server.read<Shown>('/config')
    assert.deepEqual(shell?.envExcludes, ['legacy', 'ok_1', '-'])
    for (const basename of ['a.b', 'c d', 'x/y']) {
      assert.ok(server.err().includes(`"basename":"${basename}"`), basename)
    }
  })
})

describe('bounds of the table', () => {
  const windowRule =
    'must be a number of seconds, or a number and s, m, h or d, from "1s" to "31d", e.g. "1m"'
  const requestsRule = 'must be an integer from 1 to 10000'
  const originRule = /must be "\*", an origin such as "https:\/\/app\.example\.com" without a path/
  const refused: readonly Readonly<Record<string, readonly [string, string | RegExp]>>[] = [
    {
      GATEWAY_RATE_LIMIT_REQUESTS: ['0', requestsRule],
      GATEWAY_RATE_LIMIT_WINDOW: ['1w', windowRule],
      GATEWAY_CORS_ORIGIN: ['https://a.example/path', originRule],
      GATEWAY_CORS_CREDENTIALS: ['yes', 'must be true or false'],
    },
    {
      GATEWAY_RATE_LIMIT_REQUESTS: ['10001', requestsRule],
      GATEWAY_RATE_LIMIT_WINDOW: ['32d', windowRule],
      GATEWAY_CORS_ORIGIN: ['app.example.com', originRule],
    },
    {
      GATEWAY_RATE_LIMIT_REQUESTS: ['1.5', requestsRule],
      GATEWAY_RATE_LIMIT_WINDOW: ['-1m', windowRule],
      GATEWAY_CORS_CREDENTIALS: ['', 'must be true or false'],
    },
    { GATEWAY_RATE_LIMIT_REQUESTS: ['many', requestsRule], GATEWAY_RATE_LIMIT_WINDOW: ['', windowRule] },
  ]
  function checkLines(table: (typeof refused)[number], text: string): void {
    const lines = text.split('\n').filter((line) => line.includes('environment variable'))
    assert.equal(lines.length, Object.keys(table).length, text)
    for (const [name, [value, rule]] of Object.entries(table)) {
      const line = lines.find((each) => each.includes(`environment variable ${name},`)) ?? ''
      assert.match(line, typeof rule === 'string' ? new RegExp(escaped(rule)) : rule, text)
      assert.ok(line.includes(value), `${name} is shown with what was given: ${line}`)
    }
  }

  for (const [at, table] of refused.entries()) {
    const given = Object.fromEntries(Object.entries(table).map(([name, [value]]) => [name, value]))
    it(`all at once, ${JSON.stringify(given)} do not start`, async (t) => {
      assert.throws(
        () => loadConfig({ environment: given }),
        ({ message }: Error) => {
          checkLines(table, message)
          return true
        },
      )
      // That a process ends with these lines is the same for all of them.
      if (at > 0) return
      const { code, err, out } = await (await placeWith(t)).refuse(given)
      assert.notEqual(code, 0)
      assert.doesNotMatch(out, /serves/)
      checkLines(table, err)
    })
  }

  it('a directory without a shell is refused with its name and what to do', async (t) => {
    const { place, refuse } = await placeWith(t)
    for (const dir of ['nowhere', 'empty']) {
      await place.write({ 'empty/dist/readme.txt': '' })
      const { code, err } = await refuse({ GATEWAY_SHELL_DIR: dir })
      assert.notEqual(code, 0)
      assert.match(err, new RegExp(`shell directory ".*${dir}" cannot be served: .*dist/index\\.html`))
    }
  })
})

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
