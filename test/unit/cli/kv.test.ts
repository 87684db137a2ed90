import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { exitCodes } from '../../../cli/exit-codes.js'
import { Kv, KvU64 } from '../../../sdk/client/index.js'
import { type CliRunOptions, runCommand } from '../../helpers/cli-run.js'
import { useHost } from '../../helpers/create-host.js'

const server = useHost({ plugins: {} })
let directory: string

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modulacms-cli-kv-'))
})

after(() => rm(directory, { recursive: true, force: true }))

function store(namespace: string): Kv {
  return new Kv(server().url, { token: server().host.adminToken.token, namespace })
}

/** Runs a command of `kv` in a namespace. */
function run(namespace: string, words: readonly string[], options: Partial<CliRunOptions> = {}) {
  return runCommand(['kv', ...words, '--namespace', namespace], {
    workingDirectory: directory,
    environment: { MODULACMS_URL: server().url, MODULACMS_ADMIN_TOKEN: server().host.adminToken.token },
    ...options,
  })
}

test('entries are set, got, listed, counted and deleted', async () => {
  const set = await run('crud', ['set', 'users/42', '{"name":"Ada"}'])
  assert.deepEqual([set.exitCode, set.out], [0, 'ok: ["users",42] is set in shared:crud\n'])
  await run('crud', ['set', '["users","42"]', '"a text part"'])
  await run('crud', ['set', 'a%2Fb', '--text', 'not JSON'])
  const got = await run('crud', ['get', 'users/42'])
  assert.deepEqual(JSON.parse(got.out), { name: 'Ada' })
  const entry = JSON.parse((await run('crud', ['get', '["users","42"]', '--json'])).out)
  assert.deepEqual([entry.key, entry.value], [['users', '42'], 'a text part'])
  assert.equal((await store('crud').get(['a/b'])).value, 'not JSON')
  assert.equal((await run('crud', ['count', '--prefix', 'users'])).out, '2\n')
  const list = await run('crud', ['list', '--prefix', 'users', '--reverse'])
  assert.equal(
    list.out,
    'KEY             VALUE\n["users",42]    {"name":"Ada"}\n["users","42"]  "a text part"\n',
  )
  const some = await run('crud', ['list', '--limit', '1', '--json'])
  assert.equal(JSON.parse(some.out).length, 1)
  assert.match(some.err, /there are more/)
  const deleted = await run('crud', ['delete', 'users/42', '--json'])
  assert.deepEqual(JSON.parse(deleted.out), { deletedCount: 1 })
  const again = await run('crud', ['delete', 'users/42'])
  assert.deepEqual([again.exitCode, again.out], [0, 'nothing to do: there is no such entry\n'])
})

test('the namespaces that were written to are listed', async () => {
  await store('listed').set(['a'], 1)
  const { token } = server().host.adminToken
  const options = {
    workingDirectory: directory,
    environment: { MODULACMS_URL: server().url, MODULACMS_ADMIN_TOKEN: token },
  }
  const lines = (await runCommand(['kv', 'namespaces'], options)).out.split('\n')
  assert.ok(lines.includes('shared:listed'), lines.join())
  const names = JSON.parse((await runCommand(['kv', 'namespaces', '--json'], options)).out)
  assert.deepEqual(names, await store('other').namespaces())
  assert.ok(!names.includes('shared:other'), 'a namespace is not made by being named')
})

test('what is not there has the exit code for it, and a null that is there has not', async () => {
  const missing = await run('missing', ['get', 'none'])
  assert.deepEqual([missing.exitCode, missing.out], [exitCodes.notFound, ''])
  assert.match(missing.err, /no entry \["none"\] in shared:missing/)
  await run('missing', ['set', 'none', 'null'])
  assert.deepEqual((await run('missing', ['get', 'none'])).out, 'null\n')
  assert.equal((await run('missing', ['dead-letters', 'show', '7'])).exitCode, exitCodes.notFound)
  assert.equal((await run('missing', ['dead-letters', 'requeue', '7'])).exitCode, exitCodes.notFound)
})

test('a recursive delete asks, and without somebody to ask it does nothing', async () => {
  const kv = store('ask')
  await kv.atomic().set(['a'], 1).set(['a', 1], { old: true }).set(['ab'], 1).commit()
  assert.equal((await run('ask', ['delete', 'a', '--recursive'])).exitCode, exitCodes.usage)
  assert.equal((await run('ask', ['delete', 'a', '-r'], { answers: ['n'] })).exitCode, exitCodes.failure)
  assert.equal(await kv.count(), 3)
  const words = ['delete', 'a', '-r', '--where', '{"old":true}', '--yes']
  assert.equal((await run('ask', words)).out, 'deleted: 1 entry\n')
  assert.equal((await run('ask', ['delete', 'a', '-r', '--yes'])).out, 'deleted: 1 entry\n')
  assert.equal(await kv.count(), 1)
})

test('wrong keys, values, filters, numbers and namespaces are wrong command lines', async () => {
  for (const words of [
    ['get', ''],
    ['get', '[1'],
    ['get', '%zz'],
    ['get', '[{"__type":"odd"}]'],
    ['set', 'a', 'hello'],
    ['set', 'a', '{"__type":"odd"}'],
    ['set', 'a', '1', '--expires-in', 'soon'],
    ['count', '--where', '[]'],
    ['count', '--where', '{"a":{"$gtt":1}}'],
    ['list', '--limit', '0'],
    ['watch'],
    ['watch', 'a', '--prefix', 'b'],
  ]) {
    const { exitCode, out, err } = await run('wrong', words)
    assert.deepEqual([exitCode, out], [exitCodes.usage, ''], words.join(' '))
    assert.notEqual(err, '')
  }
  assert.equal((await run('No Such Name', ['count'])).exitCode, exitCodes.usage)
  const refused = await run('wrong', ['count', '--token', 'wrong', '--json'])
  assert.equal(JSON.parse(refused.err).error.exit_code, exitCodes.unauthorized)
})

test('what is exported is imported with every type, and the same file comes out again', async () => {
  const kv = store('source')
  const values = [
    1n,
    new KvU64(5n),
    new Uint8Array([0, 255]),
    { $now: true },
    { __type: 'x' },
    'a\u202eb',
    null,
  ]
  for (const [at, value] of values.entries()) await kv.set(['all', at], value)
  await kv.set([Number.POSITIVE_INFINITY, new Uint8Array([7]), 3n, true], 'odd key')
  for (let at = 0; at < 1200; at += 400) {
    const atomic = kv.atomic()
    for (let n = at; n < at + 400; n += 1) atomic.set(['many', n], { n })
    await atomic.commit()
  }
  const exported = await run('source', ['export', 'all.jsonl', '--json'])
  assert.equal(JSON.parse(exported.out).entries, 1208)
  const text = await readFile(join(directory, 'all.jsonl'), 'utf8')
  assert.ok(!text.includes('\u202e'))
  const imported = await run('target', ['import', 'all.jsonl', '--json'])
  assert.deepEqual(JSON.parse(imported.out), { entries: 1208, commits: 3, dry_run: false })
  const piped = await run('target', ['export'])
  assert.equal(piped.out, text)
  assert.match(piped.err, /exported: 1208 entries of shared:target/)
  const part = await run('target', ['export', '-', '--prefix', 'all'])
  assert.equal(part.out.trim().split('\n').length, values.length)
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.includes('partial')),
    [],
  )
})

test('an import reads its lines in whatever pieces they come', async () => {
  const input = ['{"key":["a"],', '"value":1}\n\n{"ke', 'y":["b"],"value":2}']
  const { exitCode, out } = await run('pieces', ['import', '-', '--expires-in', '1h'], { input })
  assert.deepEqual([exitCode, out], [0, 'imported: 2 entries in 1 commit into shared:pieces\n'])
  assert.equal(await store('pieces').count(), 2)
  const dry = await run('dry', ['import', '-', '--dry-run'], { input })
  assert.match(dry.out, /nothing was written.*2 entries/)
  assert.equal(await store('dry').count(), 0)
})

test('a line that is no entry stops the import and is named', async () => {
  for (const line of [
    'nonsense',
    '[]',
    '{"key":[],"value":1}',
    '{"key":["a"]}',
    '{"key":["a"],"value":{"__type":"no"}}',
  ]) {
    await writeFile(join(directory, 'bad.jsonl'), `{"key":["good"],"value":1}\n${line}\n`)
    const { exitCode, out, err } = await run('bad', ['import', 'bad.jsonl'])
    assert.deepEqual([exitCode, out], [exitCodes.failure, ''])
    assert.match(err, /imported before the failure: 0 entries/)
    assert.match(err, /line 2 is no entry/)
  }
  assert.equal((await run('bad', ['import', 'nowhere.jsonl'])).exitCode, exitCodes.notFound)
  assert.equal(await store('bad').count(), 0)
})

test('an export that fails leaves neither a file nor a part of one', async () => {
  const { exitCode } = await run('source', ['export', 'failed.jsonl', '--token', 'wrong'])
  assert.equal(exitCode, exitCodes.unauthorized)
  assert.equal((await run('source', ['export', 'no/such/folder.jsonl'])).exitCode, exitCodes.failure)
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.includes('failed')),
    [],
  )
})

test('a watch prints what there is, then changes, as many as it is told', async () => {
  const kv = store('watched')
  await kv.set(['a', 1], 'one')
  const first = await run('watched', ['watch', '--prefix', 'a', '--limit', '1'])
  assert.deepEqual([first.exitCode, first.out], [0, 'is     ["a",1] "one"\n'])
  const second = await run('watched', ['watch', 'a/1', '--limit', '1', '--json'])
  const change = JSON.parse(second.out)
  assert.deepEqual([change.type, change.key, change.value], ['set', ['a', 1], 'one'])
})

test('messages are sent and counted, and dead letters put back or deleted', async () => {
  const kv = store('queues')
  const sent = await run('queues', ['enqueue', '{"n":1}', '--queue', 'jobs', '--json'])
  assert.equal(JSON.parse(sent.out).ok, true)
  assert.match((await run('queues', ['queues'])).out, /^PENDING {2}PROCESSING {2}DEAD LETTERS {2}TOTAL\n1 /)
  for (let n = 0; n < 3; n += 1) {
    await kv.enqueue(n, { queue: 'dead', backoffSchedule: [] })
    const message = await kv.queues.dequeue({ queue: 'dead' })
    assert.ok(message)
    await kv.queues.nack(message, 'broken \u001b[31m')
  }
  const list = await run('queues', ['dead-letters', 'list', '--queue', 'dead'])
  assert.match(list.out, /broken \\u001b/)
  const letters = JSON.parse((await run('queues', ['dead-letters', 'list', '--json'])).out)
  const [newest, middle] = letters.map(({ id }: { id: string }) => id)
  assert.equal(JSON.parse((await run('queues', ['dead-letters', 'show', newest])).out).value, 2)
  assert.equal((await run('queues', ['dead-letters', 'requeue', newest])).exitCode, 0)
  assert.equal((await kv.queueStats('dead')).pending, 1)
  assert.equal((await run('queues', ['dead-letters', 'delete', middle])).exitCode, 0)
  assert.equal((await run('queues', ['dead-letters', 'purge'])).exitCode, exitCodes.usage)
  assert.match((await run('queues', ['dead-letters', 'purge', '--yes'])).out, /deleted: 1 dead letters/)
})

test('every command has a help with an example', async () => {
  const names = [
    'get',
    'set',
    'delete',
    'list',
    'count',
    'watch',
    'export',
    'import',
    'queues',
    'enqueue',
    'namespaces',
  ]
  for (const words of [['kv'], ['kv', 'dead-letters'], ...names.map((name) => ['kv', name])]) {
    const { exitCode, out } = await runCommand([...words, '--help'], { workingDirectory: directory })
    assert.equal(exitCode, 0)
    assert.match(out, new RegExp(`Example[^]*\\$ modulacms ${words.join(' ')}`))
  }
})
