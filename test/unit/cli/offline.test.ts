import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { ValidationReport } from '../../../cli/context.js'
import { exitCodes } from '../../../cli/exit-codes.js'
import { type CliRunOptions, runCommand } from '../../helpers/cli-run.js'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modulacms-cli-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

const run = (words: string, options: Partial<CliRunOptions> = {}) =>
  runCommand(words.split(' '), { workingDirectory: directory, ...options })

async function addPlugin(folder: string): Promise<void> {
  await mkdir(join(directory, 'plugins', folder), { recursive: true })
  await writeFile(join(directory, 'plugins', folder, 'init.lua'), '')
}

const good: ValidationReport = {
  name: 'notes',
  version: '1.0.0',
  description: 'Keeps notes.',
  errors: [],
  warnings: [],
  routes: [{ method: 'GET', path: '/notes', public: true }],
}

const bad: ValidationReport = {
  errors: [{ field: 'plugin_info.name', message: 'name is required' }],
  warnings: [{ field: 'plugin_info.author', message: 'no author' }],
  routes: [],
}

test('list shows each plugin, and of a broken one the folder and the reason', async () => {
  for (const folder of ['a', 'b', 'c']) await addPlugin(folder)
  await mkdir(join(directory, 'plugins', 'no_lua'))
  await writeFile(join(directory, 'plugins', 'file'), '')
  const validate = (path: string): ValidationReport => {
    if (path.endsWith('b')) return bad
    return path.endsWith('c') ? { ...good, description: 'later\u001b[2J' } : good
  }
  const text = await run('plugin list', { validate })
  assert.equal(text.exitCode, 0)
  assert.equal(
    text.out,
    [
      'NAME         VERSION  DESCRIPTION',
      'notes        1.0.0    Keeps notes.',
      'b [invalid]           [plugin_info.name] name is required',
      'c [invalid]  1.0.0    [plugin_info.name] the name "notes" is taken by the folder a, which is loaded instead',
      '',
    ].join('\n'),
  )
  assert.equal(text.validated.at(-1), 'closed')

  const json = JSON.parse((await run('plugin list --json', { validate })).out)
  assert.deepEqual(json[0], {
    name: 'notes',
    version: '1.0.0',
    description: 'Keeps notes.',
    valid: true,
    errors: [],
  })
  assert.deepEqual(json[1], { name: 'b', version: '', description: '', valid: false, errors: bad.errors })
  assert.equal(json.length, 3)
})

test('list shows nothing of a plugin that could steer the terminal', async () => {
  await addPlugin('a')
  const validate = () => ({ ...good, description: 'red \u001b[31m\u202etxt\nnext' })
  const { out } = await run('plugin list', { validate })
  assert.ok(out.endsWith('red \\u001b[31m\\u202etxt\\u000anext\n'), out)
  const json = await run('plugin list --json', { validate })
  for (const control of ['\u001b', '\u202e']) assert.ok(!json.out.includes(control))
  assert.equal(JSON.parse(json.out)[0].description, 'red \u001b[31m\u202etxt\nnext')
})

test('list says when there is no plugin, and when there is no directory', async () => {
  const missing = await run('plugin list --plugins nowhere')
  assert.equal(missing.exitCode, exitCodes.notFound)
  assert.match(missing.err, /nowhere.*--plugins/s)
  await mkdir(join(directory, 'plugins'))
  const empty = await run('plugin list')
  assert.equal(empty.exitCode, 0)
  assert.match(empty.err, /no plugin in plugins/)
  assert.equal((await run('plugin list --json')).out, '[]\n')
  assert.deepEqual(empty.validated, [])
})

test('a validator that fails is an error of that plugin', async () => {
  await addPlugin('a')
  const { exitCode, out } = await run('plugin list')
  assert.equal(exitCode, 0)
  assert.match(out, /a \[invalid\].*no validator/)
})

test('validate reports a valid plugin with its routes and warnings', async () => {
  await addPlugin('a')
  const { exitCode, out, err, validated } = await run('plugin validate plugins/a', {
    validate: () => ({ ...good, warnings: bad.warnings }),
  })
  assert.equal(exitCode, 0)
  assert.equal(out, 'valid: notes 1.0.0 (1 warning)\n  GET /notes  (public)\n')
  assert.equal(err, 'WARN [plugin_info.author] no author\n')
  assert.deepEqual(validated, [join(directory, 'plugins', 'a'), 'closed'])
})

test('validate reports every error on standard error with exit code 3', async () => {
  await addPlugin('a')
  const text = await run('plugin validate plugins/a', { validate: () => bad })
  assert.equal(text.exitCode, exitCodes.invalidPlugin)
  assert.equal(text.out, '')
  assert.equal(
    text.err,
    'ERROR [plugin_info.name] name is required\nWARN [plugin_info.author] no author\nplugins/a is not valid: 1 error\n',
  )
  const json = await run('plugin validate plugins/a --json', { validate: () => bad })
  assert.equal(json.exitCode, exitCodes.invalidPlugin)
  const path = join(directory, 'plugins', 'a')
  assert.deepEqual(JSON.parse(json.out), { path, valid: false, ...bad, grants: [], migrations: [] })
})

test('validate shows what a plugin would ask for beside routes', async () => {
  await addPlugin('a')
  const grants = [
    { kind: 'hook', key: 'before_create:*', description: 'may refuse' },
    { kind: 'domain', key: 'api.example.com', description: 'weather' },
  ] as const
  const { out } = await run('plugin validate plugins/a', { validate: () => ({ ...good, grants }) })
  assert.ok(out.includes('  hook   before_create:*  (may refuse)\n'), out)
  assert.ok(out.includes('  domain api.example.com  (the plugin says: weather)\n'), out)
  const json = await run('plugin validate plugins/a --json', { validate: () => ({ ...good, grants }) })
  assert.deepEqual(JSON.parse(json.out).grants, grants)
})

test('validate takes the name of a plugin as well, and names a path that does not exist', async () => {
  await addPlugin('a')
  const byName = await run('plugin validate a', { validate: () => good })
  assert.deepEqual(byName.validated[0], join(directory, 'plugins', 'a'))
  const missing = await run('plugin validate plugins/b', { validate: () => good })
  assert.equal(missing.exitCode, exitCodes.notFound)
  assert.match(missing.err, /plugins\/b/)
  assert.deepEqual(missing.validated, [])
})

test('init makes a plugin with all its files and says what to do next', async () => {
  const stubs = join(directory, 'stubs')
  await mkdir(stubs)
  await writeFile(join(stubs, 'db.lua'), '---@meta\n')
  await writeFile(join(stubs, 'other.txt'), '')
  const words = ['plugin', 'init', 'guest_book', '--description', 'Says "hi"\\', '--author', 'Ann']
  const { exitCode, out, questions } = await runCommand(words, {
    workingDirectory: directory,
    stubsDirectory: stubs,
    environment: { MODULACMS__SERVER__PORT: '9090' },
  })
  assert.equal(exitCode, 0)
  assert.deepEqual(questions, [])
  const made = join(directory, 'plugins', 'guest_book')
  assert.deepEqual((await readdir(made, { recursive: true })).sort(), [
    '.luals',
    '.luals/db.lua',
    '.luarc.json',
    'README.md',
    'init.lua',
    'lib',
    'lib/note.lua',
    'test',
    'test/guest_book.test.lua',
  ])
  assert.deepEqual(await readdir(join(directory, 'plugins')), ['guest_book'])
  const lua = await readFile(join(made, 'init.lua'), 'utf8')
  const manifest = [
    'plugin_info = {',
    '  name = "guest_book",',
    '  version = "0.1.0",',
    '  description = "Says \\"hi\\"\\\\",',
    '  author = "Ann",',
    '  license = "MIT",',
    '}',
  ]
  assert.ok(lua.startsWith(manifest.join('\n')), lua)
  JSON.parse(await readFile(join(made, '.luarc.json'), 'utf8'))
  for (const step of [
    'modulacms plugin validate plugins/guest_book',
    'modulacms plugin approve guest_book --all-routes',
    'curl http://127.0.0.1:9090/api/v1/plugins/guest_book/notes',
  ]) {
    assert.ok(out.includes(`  ${step}\n`), out)
  }
  assert.ok(!out.includes('npx'))
})

test('init asks a person for what is missing and takes the defaults for empty answers', async () => {
  const { exitCode, questions } = await run('plugin init book --license ISC', {
    answers: ['', ' A book ', 'Ann'],
  })
  assert.equal(exitCode, 0)
  assert.deepEqual(questions, ['Version [0.1.0]: ', 'Description: ', 'Author (may stay empty): '])
  const lua = await readFile(join(directory, 'plugins', 'book', 'init.lua'), 'utf8')
  assert.match(
    lua,
    /version = "0\.1\.0",\n {2}description = "A book",\n {2}author = "Ann",\n {2}license = "ISC",\n/,
  )
})

test('init without a person needs a description, and leaves nothing behind when it fails', async () => {
  const { exitCode, err } = await run('plugin init book')
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /--description/)
  await assert.rejects(readdir(join(directory, 'plugins')))
})

test('init refuses names that no plugin can have', async () => {
  for (const name of ['Book', 'a-b', 'book_', 'routes', 'cleanup', '../up', 'é', 'a'.repeat(33)]) {
    const { exitCode } = await run(`plugin init ${name} --description x`)
    assert.equal(exitCode, exitCodes.usage, name)
  }
  assert.deepEqual(await readdir(directory), [])
})

test('init does not touch a folder that exists', async () => {
  await addPlugin('book')
  const { exitCode, err } = await run('plugin init book --description x')
  assert.equal(exitCode, exitCodes.failure)
  assert.match(err, /exists already/)
  assert.deepEqual(await readdir(join(directory, 'plugins', 'book')), ['init.lua'])
})

test('init with --json names the files and the next steps, as npx runs them', async () => {
  const { out } = await run('plugin init book --description x --plugins other --json', {
    environment: { npm_command: 'exec' },
  })
  const result = JSON.parse(out)
  assert.equal(result.directory, join(directory, 'other', 'book'))
  assert.ok(result.files.includes('init.lua'))
  assert.equal(result.next[0], 'npx modulacms plugin validate other/book')
  assert.match(result.next[1], /^npx modulacms serve --plugins other /)
})
