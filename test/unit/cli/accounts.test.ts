import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodes } from '../../../cli/exit-codes.js'
import { type CliRunOptions, runCommand } from '../../helpers/cli-run.js'

interface Sent {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

const account = {
  id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  username: 'ann',
  roles: ['editor'],
  groups: [],
  claims: {},
  disabled: false,
  has_password: true,
  created_at: '2031-01-01T00:00:00.000Z',
  updated_at: '2031-01-01T00:00:00.000Z',
}

/** Runs a command against a server that answers everything alike. */
async function run(words: readonly string[], answer: unknown, options: Partial<CliRunOptions> = {}) {
  const sent: Sent[] = []
  const server = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { pathname, search } = new URL(String(input))
    const body = init.body === undefined ? undefined : JSON.parse(String(init.body))
    sent.push({ method: init.method ?? 'GET', path: pathname + search, body })
    return new Response(JSON.stringify(answer), { status: 200 })
  }
  const environment = { MODULACMS_URL: 'http://127.0.0.1:1', MODULACMS_ADMIN_TOKEN: 'a-token-of-the-admin' }
  const done = await runCommand(words, { workingDirectory: '/', environment, fetch: server, ...options })
  return { ...done, sent }
}

test('users are listed as a table, and as JSON', async () => {
  const { out, sent } = await run(['user', 'list', '--role', 'editor', '--disabled'], { users: [account] })
  assert.deepEqual(sent[0]?.path, '/api/v1/auth/users?role=editor&disabled=true')
  assert.match(out, /^USERNAME +STATE +ROLES/)
  assert.match(out, /ann +active +editor/)
  const json = await run(['user', 'list', '--json'], { users: [account] })
  assert.deepEqual(JSON.parse(json.out), { users: [account] })
})

test('texts of the server do not get at the terminal', async () => {
  const { out } = await run(['user', 'show', 'ann'], { ...account, name: 'a\u001b[31mb\u202e' })
  assert.equal(out.includes('\u001b') || out.includes('\u202e'), false)
})

test('a password is asked for twice, or is a line of standard input, and never a word', async () => {
  const asked = await run(['user', 'create', 'ann', '--roles', 'a,b', '--email', ''], account, {
    answers: ['four random words', 'four random words'],
  })
  assert.equal(asked.questions.length, 2)
  const body = { username: 'ann', password: 'four random words', roles: ['a', 'b'], email: null }
  assert.deepEqual(asked.sent[0]?.body, body)
  assert.equal((asked.out + asked.err).includes('four random words'), false)
  const read = await run(['user', 'password', 'ann'], { ok: true }, { input: ['four ', 'words\r\nrest'] })
  assert.deepEqual(read.sent, [
    { method: 'PUT', path: '/api/v1/auth/users/ann/password', body: { password: 'four words' } },
  ])
  const differ = await run(['user', 'password', 'ann'], { ok: true }, { answers: ['one', 'two'] })
  assert.deepEqual([differ.exitCode === 0, differ.sent.length], [false, 0])
  const none = await run(['user', 'password', 'ann'], { ok: true })
  assert.deepEqual([none.exitCode === 0, none.sent.length], [false, 0])
  const word = await run(['user', 'password', 'ann', 'a word'], { ok: true }, { input: ['x'] })
  assert.notEqual(word.exitCode, 0)
  assert.equal(word.sent.length, 0)
  const taken = await run(['user', 'password', 'ann', '--none'], { ok: true })
  assert.deepEqual(taken.sent[0]?.body, { password: null })
})

test('a user is changed by what is named, and deleted after a question', async () => {
  const set = await run(['user', 'set', 'ann', '--enabled', '--tenant', '', '--groups', 'x'], account)
  assert.deepEqual(set.sent[0]?.body, { tenant: null, groups: ['x'], disabled: false })
  const kept = await run(['user', 'delete', 'ann'], account, { answers: ['n'] })
  assert.deepEqual(
    kept.sent.map(({ method }) => method),
    ['GET'],
  )
  const gone = await run(['user', 'delete', 'ann', '--yes'], account)
  assert.deepEqual(gone.sent.at(-1), {
    method: 'DELETE',
    path: `/api/v1/auth/users/${account.id}`,
    body: undefined,
  })
  const ended = await run(['user', 'sessions', 'ann', '--end'], { ok: true, ended: 2 })
  assert.equal(ended.sent[0]?.method, 'DELETE')
  assert.match(ended.out, /2 sessions/)
})

test('keys are made, shown once, listed and revoked', async () => {
  const key = {
    id: 'k',
    name: 'n',
    kind: 'key',
    roles: [],
    permissions: ['kv:read'],
    created_by: 'admin',
    created_at: 'x',
  }
  const made = await run(['key', 'create', 'n', '--permissions', 'kv:read', '--owner', 'ann'], {
    ...key,
    key: 'mk_x',
  })
  assert.equal(made.out, 'mk_x\n', 'so that it can be put into a file')
  assert.deepEqual(made.sent[0]?.body, { name: 'n', owner: 'ann', permissions: ['kv:read'] })
  const list = await run(['key', 'list'], { keys: [key] })
  assert.equal(list.sent[0]?.path, '/api/v1/auth/keys?in_force=true')
  const revoked = await run(['key', 'revoke', 'k'], key)
  assert.deepEqual(revoked.sent[0]?.method, 'DELETE')
})

test('roles are defined and deleted', async () => {
  const role = { name: 'r', description: '', permissions: ['kv:*'], source: 'database', shadowed: false }
  const set = await run(['role', 'set', 'r', 'kv:*, content:read', '--description', 'd'], role)
  assert.deepEqual(set.sent[0], {
    method: 'PUT',
    path: '/api/v1/auth/roles/r',
    body: { permissions: ['kv:*', 'content:read'], description: 'd' },
  })
  assert.match((await run(['role', 'list'], { roles: [role] })).out, /r +database +kv:\*/)
  assert.equal((await run(['role', 'delete', 'r'], { ok: true })).sent[0]?.method, 'DELETE')
})

test('a script can tell by the exit code why the server did not do it', async () => {
  const failures: readonly (readonly [number, string, string, number])[] = [
    [401, 'AUTH_REVOKED', 'This API key is revoked.', exitCodes.unauthorized],
    [401, 'AUTH_INVALID', 'There is no such token.', exitCodes.unauthorized],
    [403, 'GRANT_EXCEEDED', 'You do not have it yourself.', exitCodes.unauthorized],
    [404, 'USER_NOT_FOUND', 'There is no user ann.', exitCodes.notFound],
    [409, 'USER_DUPLICATE', 'There is one already.', exitCodes.failure],
  ]
  for (const [status, code, message, exitCode] of failures) {
    const fetch = async () => new Response(JSON.stringify({ error: { code, message } }), { status })
    const done = await run(['user', 'show', 'ann'], {}, { fetch })
    assert.deepEqual([code, done.exitCode], [code, exitCode])
    assert.ok(done.err.includes(message), done.err)
    assert.equal(done.err.includes('--data'), status === 401)
  }
})

test('a request is named by a path, or by a method and a path', async () => {
  const match = { method: 'POST', path: '/a', by: 'default', held: [], readings: [] }
  const bodies = []
  for (const words of [['/a'], ['POST', '/a'], ['/a', '--method', 'POST']]) {
    bodies.push((await run(['auth', 'match', ...words], match)).sent[0]?.body)
  }
  const posted = { method: 'POST', path: '/a' }
  assert.deepEqual(bodies, [{ method: 'GET', path: '/a' }, posted, posted])
  for (const words of [
    ['POST', '/a', '--method', 'GET'],
    ['POST', '/a', '/b'],
  ]) {
    const { exitCode, sent, err } = await run(['auth', 'match', ...words], match)
    assert.deepEqual([exitCode, sent], [exitCodes.usage, []])
    assert.match(err, /given twice|3 words are given/)
  }
})
