import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { openHost, type TestHost } from '../helpers/create-host.js'

/** Who answers which request when there is a shell, over sockets: a host whose apps are behind its proxy. */

const build = {
  'dist/index.html': '<!doctype html><html><head lang="en"><title>shell</title></head></html>',
  'dist/chunk-abc.js': 'shell chunk',
  'dist/assets/main.js': 'shell main',
}

/** One host whose shell has these settings; all below `/deployments`, `/cpanel`, `/legacy` and `/reports` is of apps. */
function useShellHost(
  gateway: Readonly<Record<string, unknown>> = {},
  more: Readonly<Record<string, unknown>> = {},
): () => TestHost {
  let server: (TestHost & { dispose(): Promise<void> }) | undefined
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-shell-'))
  const apps = createServer((request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`app ${request.method} ${request.url}`)
  })
  before(async () => {
    for (const [path, text] of Object.entries(build)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    await new Promise<void>((resolve) => apps.listen(0, '127.0.0.1', resolve))
    const target = `http://127.0.0.1:${(apps.address() as AddressInfo).port}`
    const config: Record<string, unknown> = {
      'gateway.shellDir': folder,
      'gateway.proxy.rules': [{ pattern: '^/(?:deployments|cpanel|legacy|reports)(?:/.*)?$', target }],
    }
    for (const [key, value] of Object.entries(gateway)) config[`gateway.${key}`] = value
    server = await openHost({ plugins: {}, config: { ...config, ...more } })
  })
  after(async () => {
    await server?.dispose()
    apps.closeAllConnections()
    apps.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return () => {
    assert.ok(server, 'the host is up only while tests run')
    return server
  }
}

const excludes = '/gateway/api/shell/excludes'
const plain = useShellHost()
const configured = useShellHost(
  { shellExcludes: 'legacy,tools,not a name,x.y' },
  { 'auth.http.rules': [{ paths: ['/staff/**'], authenticators: ['api_key'], roles: ['staff'] }] },
)

/** Takes what a test has excluded back when it ends. */
function includeAfter(t: TestContext, server: TestHost, ...basenames: readonly string[]): void {
  t.after(async () => {
    const { credentials: headers } = server
    for (const basename of basenames) await server.send('DELETE', `${excludes}/${basename}`, { headers })
  })
}

type Who = 'shell page' | 'shell file' | 'app' | 'nobody' | 'api'

async function whoAnswers(
  server: TestHost,
  method: string,
  path: string,
  destination: string | undefined,
  cookie?: string,
): Promise<Who> {
  const { status, text } = await server.send(method, path, {
    headers: {
      ...(destination !== undefined && { 'sec-fetch-dest': destination }),
      ...(cookie !== undefined && { cookie }),
    },
  })
  if (text.includes('<title>shell')) return 'shell page'
  if (text.startsWith('shell ')) return 'shell file'
  if (text.startsWith('app ')) return 'app'
  return status === 404 && /There is no|ROUTE_NOT_FOUND|NOT_FOUND/.test(text) ? 'nobody' : 'api'
}

it('who answers, by the destination and the shape of the path', async (t) => {
  const server = plain()
  const rows: readonly (readonly [string, string | undefined, string, Who])[] = [
    // Page loads, any shape.
    ['GET', 'document', '/', 'shell page'],
    ['GET', 'document', '/deployments', 'shell page'],
    ['GET', 'document', '/deployments/list', 'shell page'],
    ['GET', 'document', '/deployments/list/1?tab=2', 'shell page'],
    ['GET', 'document', '/nobody-knows', 'shell page'],
    ['GET', 'document', '/cpanel', 'app'],
    ['GET', 'document', '/cpanel/users', 'app'],
    // One segment, no page load: what the build has.
    ['GET', 'script', '/chunk-abc.js', 'shell file'],
    ['GET', 'empty', '/chunk-abc.js', 'shell file'],
    ['GET', undefined, '/chunk-abc.js', 'shell file'],
    ['GET', undefined, '/', 'shell page'],
    // One segment that the build does not have is not for the shell: see decision 0035.
    ['GET', 'empty', '/deployments', 'app'],
    ['GET', 'script', '/missing.js', 'nobody'],
    // Several segments, no page load.
    ['GET', 'script', '/deployments/assets/x.js', 'app'],
    ['GET', 'script', '/nobody/assets/x.js', 'nobody'],
    // Files of the build that nobody else has: see decision 0035.
    ['GET', 'script', '/assets/main.js', 'shell file'],
    // Frames.
    ['GET', 'iframe', '/deployments', 'app'],
    ['GET', 'embed', '/deployments', 'app'],
    ['GET', 'object', '/deployments', 'app'],
    ['GET', 'frame', '/deployments', 'app'],
    ['GET', 'iframe', '/deployments/list', 'app'],
    ['GET', 'iframe', '/chunk-abc.js', 'nobody'],
    // Interfaces, whatever the destination.
    ['GET', 'document', '/api/v1/health', 'api'],
    ['GET', 'document', '/health', 'api'],
    ['GET', 'document', '/api/v1/plugins/none/x', 'nobody'],
    ['GET', 'document', '/gateway/api/stats', 'api'],
    ['GET', 'document', '/api/gateway/stats', 'api'],
    ['GET', 'document', '/keyval/api/x', 'api'],
    ['GET', 'document', '/redirects/api', 'api'],
    ['GET', 'document', '/metrics', 'api'],
    // Only what a browser sends to show something: see decision 0035.
    ['POST', 'document', '/deployments', 'app'],
    ['PUT', 'empty', '/deployments', 'app'],
    ['OPTIONS', 'empty', '/deployments', 'app'],
  ]
  for (const [method, destination, path, expected] of rows) {
    await t.test(`${method} ${path} as ${destination ?? 'no destination'} is of: ${expected}`, async () => {
      assert.equal(await whoAnswers(server, method, path, destination), expected)
    })
  }
})

it('the page has a base at the root, wherever it is shown, and its relative assets are there', async () => {
  const server = plain()
  for (const path of ['/', '/deployments', '/deployments/list/1']) {
    const { status, text, headers } = await server.send('GET', path, {
      headers: { 'sec-fetch-dest': 'document', 'x-base': '/elsewhere' },
    })
    assert.equal(status, 200)
    assert.match(text, /<head lang="en"><base href="\/"><title>/)
    assert.match(String(headers['content-type']), /^text\/html/)
    assert.match(String(headers.vary), /Sec-Fetch-Dest/)
  }
  assert.equal((await server.send('GET', '/assets/main.js')).text, 'shell main')
})

it('the page is for those alone whom the rule of its path lets pass', async () => {
  const server = configured()
  const keyOf = async (roles: readonly string[]) => {
    const sending = { headers: server.credentials, json: { name: 'k', roles } }
    return (await server.send('POST', '/api/v1/auth/keys', sending)).json<{ key: string }>().key
  }
  const load = (path: string, headers: Readonly<Record<string, string>>) =>
    server.send('GET', path, { headers: { 'sec-fetch-dest': 'document', ...headers } })
  const staff = await load('/staff/x', { 'x-api-key': await keyOf(['staff']) })
  assert.equal(staff.status, 200)
  assert.match(staff.text, /shell/)
  const other = await load('/staff/x', { 'x-api-key': await keyOf([]) })
  assert.equal(other.status, 403, other.text)
  assert.doesNotMatch(other.text, /shell/)
  assert.equal((await load('/staff/x', {})).status, 401)
  assert.equal((await load('/others/x', {})).status, 200)
})

describe('what is excluded from the shell', () => {
  it('is the union of three sources, and only the one of the browser differs from browser to browser', async (t) => {
    const server = configured()
    includeAfter(t, server, 'reports')
    const load = (path: string, cookie?: string) => whoAnswers(server, 'GET', path, 'document', cookie)
    const { credentials: headers } = server
    const added = await server.send('POST', excludes, { headers, json: { basename: 'reports' } })
    assert.equal(added.status, 200, added.text)
    const cookie = 'a=b; GATEWAY_SHELL_EXCLUDES=deployments%2Creports'
    for (const [path, mine, others] of [
      ['/legacy/x', 'app', 'app'],
      ['/reports/x', 'app', 'app'],
      ['/deployments/x', 'app', 'shell page'],
      ['/cpanel', 'shell page', 'shell page'],
      ['/', 'shell page', 'shell page'],
    ] as const) {
      assert.equal(await load(path, cookie), mine, path)
      assert.equal(await load(path), others, path)
    }
    for (const lost of ['GATEWAY_SHELL_EXCLUDES=', 'GATEWAY_SHELL_EXCLUDES=%', 'OTHER=deployments']) {
      assert.equal(await load('/deployments', lost), 'shell page', lost)
    }
    assert.equal(await load('/deployments', 'gateway_shell_excludes=deployments'), 'app')
  })

  it('is listed with its sources; those of the configuration cannot be removed, the others can', async (t) => {
    const server = configured()
    includeAfter(t, server, 'reports')
    const { credentials: headers } = server
    const list = async () => (await server.send('GET', excludes, { headers })).json<object[]>()
    const env = [
      { basename: 'legacy', source: 'env' },
      { basename: 'tools', source: 'env' },
    ]
    assert.deepEqual(await list(), env)
    const post = (json: unknown) => server.send('POST', excludes, { headers, json })
    const before = Date.now()
    const added = await post({ basename: 'reports' })
    assert.deepEqual(
      [added.status, added.json()],
      [200, { added: true, basename: 'reports', source: 'database' }],
    )
    assert.equal((await post({ basename: 'reports' })).json().added, false, 'it was there')
    const [, , stored] = (await list()) as { basename: string; source: string; addedAt: number }[]
    assert.equal(stored?.source, 'database')
    assert.ok(Number(stored?.addedAt) >= before && Number(stored?.addedAt) <= Date.now())
    assert.equal(await whoAnswers(server, 'GET', '/reports', 'document'), 'app')

    const remove = (basename: string) => server.send('DELETE', `${excludes}/${basename}`, { headers })
    const kept = await remove('legacy')
    assert.deepEqual(
      [kept.status, kept.json()],
      [400, { error: 'Cannot remove environment-based exclude', code: 'SHELL_BASENAME_NOT_REMOVABLE' }],
    )
    const gone = await remove('reports')
    assert.deepEqual([gone.status, gone.json()], [200, { removed: true, basename: 'reports' }])
    assert.equal((await remove('reports')).json().removed, false)
    assert.deepEqual(await list(), env)
    assert.equal(await whoAnswers(server, 'GET', '/reports', 'document'), 'shell page')
    assert.equal(await whoAnswers(server, 'GET', '/legacy', 'document'), 'app')
  })

  it('outlives a restart where an admin has added it', async (t) => {
    const server = plain()
    includeAfter(t, server, 'reports')
    const added = { headers: server.credentials, json: { basename: 'reports' } }
    await server.send('POST', excludes, added)
    const before = (await server.send('GET', excludes, { headers: server.credentials })).json<object[]>()
    await server.restart()
    const after = (await server.send('GET', excludes, { headers: server.credentials })).json<object[]>()
    assert.deepEqual(after, before)
    assert.equal(await whoAnswers(server, 'GET', '/reports', 'document'), 'app')
  })

  it('has names of letters, digits, "_" and "-" only', async (t) => {
    const server = plain()
    includeAfter(t, server, 'Az09_-', 'x'.repeat(128))
    const { credentials: headers } = server
    const invalid = { error: 'Invalid basename format', code: 'SHELL_BASENAME_INVALID' }
    const missing = { error: 'basename is required', code: 'SHELL_BASENAME_REQUIRED' }
    const rows: readonly (readonly [unknown, object])[] = [
      ...['a.b', 'a b', 'a/b', '/', '..', 'ä', 'a%20', '*', 'a,b', 'x'.repeat(129)].map(
        (basename) => [{ basename }, invalid] as const,
      ),
      ...[{}, { basename: '' }, { basename: 5 }, { name: 'x' }, [], null, 'reports'].map(
        (body) => [body, missing] as const,
      ),
      [
        { basename: 'cpanel' },
        { error: 'Already excluded via environment', code: 'SHELL_BASENAME_IN_ENVIRONMENT' },
      ],
    ]
    for (const [json, expected] of rows) {
      const { status, ...answer } = await server.send('POST', excludes, { headers, json })
      assert.deepEqual([status, answer.json()], [400, expected], JSON.stringify(json))
    }
    const listed = (await server.send('GET', excludes, { headers })).json()
    assert.deepEqual(listed, [{ basename: 'cpanel', source: 'env' }])
    for (const basename of ['Az09_-', 'x'.repeat(128)]) {
      assert.equal((await server.send('POST', excludes, { headers, json: { basename } })).status, 200)
    }
  })
})
