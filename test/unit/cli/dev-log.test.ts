import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { DevLog } from '../../../cli/dev/dev-log.js'
import { findPlace, readExcerpt } from '../../../cli/dev/source-excerpt.js'

async function createDirectory(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-dev-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const directory = join(root, 'plugins')
  await mkdir(join(directory, 'a/lib'), { recursive: true })
  await writeFile(join(directory, 'a/init.lua'), 'one\n\ttwo()\nthree\nfour')
  await writeFile(join(directory, 'a/lib/x.lua'), 'lib one')
  await writeFile(join(root, 'outside.lua'), 'SECRET')
  return directory
}

/** Gives what comes out for records; `loaded` collects the plugins of which it tells. */
function show(directory: string, records: readonly object[], colors = false) {
  let text = ''
  const loaded: string[] = []
  const log = new DevLog({
    colors,
    write: (more) => {
      text += more
    },
    loaded: (plugin) => void loaded.push(plugin),
  })
  log.useDirectory(directory)
  for (const record of records) log.write(`${JSON.stringify(record)}\n`)
  return { text, loaded }
}

const time = '2026-01-02T03:04:05.678Z'

test('finds the first place that a message names, and nothing that leads elsewhere', () => {
  const cases: readonly (readonly [string, object | undefined])[] = [
    ['a/init.lua:12: bad', { plugin: 'a', file: 'init.lua', line: 12 }],
    ['on_init failed: a/lib/deep/x.lua:3: bad', { plugin: 'a', file: 'lib/deep/x.lua', line: 3 }],
    ['raised (b-2/init.lua:1: x) a/init.lua:2: y', { plugin: 'b-2', file: 'init.lua', line: 1 }],
    ['../a/init.lua:1: x', undefined],
    ['a/../init.lua:1: x', undefined],
    ['/etc/a/init.lua:1: x', undefined],
    ['a/.hidden.lua:1: x', undefined],
    ['a/init.lua:99999999: x', undefined],
    ['a/init.txt:1: x', undefined],
    ['nothing at all', undefined],
  ]
  for (const [message, place] of cases) assert.deepEqual(findPlace(message), place, message)
})

test('looks for places in bounded time, whatever the message is', () => {
  for (const text of ['a/', 'a', 'a/a.lua', '-/', ' a/b.lua:', 'a.lua/']) findPlace(text.repeat(200_000))
  // A pattern that tried all ways would not come to its end.
  assert.equal(findPlace(`${'a/'.repeat(8000)}init.lua:1: x`), undefined)
})

test('reads lines around a place, and no file outside the folder', async (t) => {
  const directory = await createDirectory(t)
  const read = (file: string, line: number, folder = 'a') =>
    readExcerpt(directory, folder, { plugin: folder, file, line })
  assert.deepEqual(read('init.lua', 2)?.lines, ['one', '\ttwo()', 'three'])
  assert.deepEqual([read('init.lua', 1)?.firstLine, read('init.lua', 4)?.firstLine], [1, 3])
  assert.equal(read('init.lua', 5), undefined)
  assert.equal(read('init.lua', 0), undefined)
  assert.equal(read('absent.lua', 1), undefined)
  assert.equal(read('init.lua', 1, 'absent'), undefined)
  assert.equal(read('../../outside.lua', 1), undefined)
  await symlink(join(directory, '../outside.lua'), join(directory, 'a/link.lua'))
  await symlink(join(directory, '..'), join(directory, 'a/up'))
  await mkdir(join(directory, 'a/folder.lua'))
  await writeFile(join(directory, 'a/big.lua'), Buffer.alloc(2 * 1024 * 1024, 10))
  for (const file of ['link.lua', 'up/outside.lua', 'folder.lua', 'big.lua'])
    assert.equal(read(file, 1), undefined, file)
})

test('shows a failed load with its code, and the same place again only after a while', async (t) => {
  const directory = await createDirectory(t)
  const failure = {
    time,
    level: 'error',
    plugin: 'a',
    reason: 'a/init.lua:2: bad',
    msg: 'plugin failed to load',
  }
  const { text } = show(directory, [failure, failure])
  const line = '03:04:05 a error plugin failed to load: a/init.lua:2: bad\n'
  const code = '    a/init.lua:2\n    1 | one\n  > 2 |   two()\n      |   ^^^^^\n    3 | three\n'
  assert.equal(text, line + code + line)
})

test('finds the folder of a plugin that is called otherwise', async (t) => {
  const directory = await createDirectory(t)
  const runs = { time, level: 'info', plugin: 'other', folder: 'a', version: '1', msg: 'plugin runs' }
  const failed = {
    time,
    level: 'error',
    plugin: 'other',
    error: 'other/lib/x.lua:1: bad',
    msg: 'plugin call failed',
  }
  assert.match(show(directory, [runs, failed]).text, /> 1 \| lib one\n {6}\| \^{7}\n/)
})

test('tells of a load, and shows what plugins log with its fields', async (t) => {
  const directory = await createDirectory(t)
  const { text, loaded } = show(directory, [
    {
      time,
      level: 'info',
      plugin: 'a',
      folder: 'a',
      version: '1.2.3',
      generation: 7,
      ms: 43,
      msg: 'plugin loaded',
    },
    { time, level: 'warn', plugin: 'a', context: { id: 7, tags: ['x'] }, request_id: 'r-1', msg: 'low' },
    { time, level: 'info', msg: 'no plugin' },
  ])
  assert.deepEqual(loaded, ['a'])
  const [first = '', second, third] = text.split('\n')
  assert.match(first, /reloaded a 1\.2\.3 in 43 ms$/)
  assert.equal(second, '03:04:05 a warn  low request_id=r-1 id=7 tags=["x"]')
  assert.equal(third, '03:04:05 modulacms info  no plugin')
})

test('escapes what could steer a terminal, and colours only where it may', async (t) => {
  const directory = await createDirectory(t)
  const record = {
    time,
    level: 'error',
    plugin: 'a',
    msg: 'x\u001b[31my\nforged line',
    context: { 'k\u202e': '\u0007' },
  }
  const { text } = show(directory, [record])
  assert.ok(!text.includes('\u001b') && !text.includes('\u202e') && !text.includes('\u0007'))
  assert.equal(text.split('\n').length, 2)
  const coloured = show(directory, [record], true).text
  assert.ok(coloured.includes('\u001b[31m') && !coloured.includes('\u001b[31my'))
  assert.equal(show(directory, []).text, '')
})
