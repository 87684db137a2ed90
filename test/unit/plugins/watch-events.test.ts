import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type ChokidarOptions, type FSWatcher, watch } from 'chokidar'
import { FolderEvents, type FolderEventsOptions } from '../../../src/plugins/watch/folder-events.js'
import { until } from '../../helpers/until.js'

interface Fixture {
  readonly root: string
  readonly directory: string
  readonly changed: string[]
  readonly log: string[]
  /** How often everything was to be looked at. */
  sweeps(): number
  write(path: string, text?: string): Promise<void>
}

async function open(
  test: TestContext,
  files: readonly string[],
  options: Partial<FolderEventsOptions> = {},
): Promise<Fixture> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-watch-'))
  const directory = join(root, 'plugins')
  const changed: string[] = []
  const log: string[] = []
  let sweeps = 0
  const note = (_fields: object, message: string) => void log.push(message)
  const write = async (path: string, text = `-- ${Math.random()}`) => {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
  for (const path of files) await write(path)
  const events = new FolderEvents({
    directory,
    log: { info: note, warn: note, error: note },
    changed: (folder) => void changed.push(folder),
    allChanged: () => {
      sweeps += 1
    },
    ...options,
  })
  test.after(async () => {
    await events.close()
    await rm(root, { recursive: true, force: true })
  })
  await events.open()
  if (files.length > 0) await until('the watch is on', () => sweeps > 0)
  return { root, directory, changed, log, sweeps: () => sweeps, write }
}

/** Chokidar tells of changes of one file within 50 ms only once. */
const rest = () => pause(60)

const told = async (fixture: Fixture, folder: string) => {
  await until(`${folder} is told`, () => fixture.changed.includes(folder))
  await rest()
}

test('names the folder of a file that is written, replaced, removed, or deep inside', async (t) => {
  const fixture = await open(t, ['a/init.lua', 'a/lib/deep/er/x.lua', 'b/init.lua'])
  const { directory, changed } = fixture
  const acts: readonly (() => Promise<unknown>)[] = [
    () => fixture.write('a/init.lua'),
    () => fixture.write('a/lib/deep/er/x.lua'),
    () => fixture.write('a/lib/fresh/y.lua'),
    async () => {
      await fixture.write('a/init.lua.tmp')
      await rename(join(directory, 'a/init.lua.tmp'), join(directory, 'a/init.lua'))
    },
    () => unlink(join(directory, 'a/lib/deep/er/x.lua')),
    () => rm(join(directory, 'a/lib'), { recursive: true }),
    () => symlink('/etc', join(directory, 'a/lib')),
  ]
  for (const act of acts) {
    changed.length = 0
    await act()
    await told(fixture, 'a')
  }
  assert.ok(!changed.includes('b'))
})

test('says nothing of tests, hidden names, editor files, other files, and what lies behind a link', async (t) => {
  const fixture = await open(t, ['a/init.lua', 'a/test/t.lua', 'b/init.lua'])
  const outside = join(fixture.root, 'outside')
  await mkdir(outside)
  await symlink(outside, join(fixture.directory, 'a/lib'))
  await told(fixture, 'a')
  // What comes after it was told of comes in order.
  await fixture.write('b/init.lua')
  await told(fixture, 'b')
  fixture.changed.length = 0
  await writeFile(join(outside, 'x.lua'), 'x')
  for (const path of [
    'a/test/t.lua',
    'a/test/new.lua',
    'a/.init.lua.swp',
    'a/init.lua~',
    'a/#init.lua#',
    'a/4913',
    'a/x.txt',
    'a/.git/x.lua',
    'a/node_modules/x.lua',
    '.hidden/init.lua',
    'loose.lua',
  ]) {
    await fixture.write(path)
  }
  await fixture.write('b/init.lua')
  await told(fixture, 'b')
  assert.deepEqual(new Set(fixture.changed), new Set(['b']))
})

test('notices folders that come and go', async (t) => {
  const fixture = await open(t, ['a/init.lua'])
  await fixture.write('fresh/init.lua')
  await told(fixture, 'fresh')
  fixture.changed.length = 0
  await rm(join(fixture.directory, 'fresh'), { recursive: true })
  await told(fixture, 'fresh')
})

test('waits for a directory that is missing', async (t) => {
  const fixture = await open(t, [])
  assert.match(fixture.log.join(), /cannot be watched; trying again/)
  await fixture.write('a/init.lua')
  await until('it is found', () => fixture.sweeps() > 0)
  await fixture.write('a/init.lua')
  await told(fixture, 'a')
})

test('looks at the files now and then when the system has no watches left', async (t) => {
  const polled: boolean[] = []
  const limited = (path: string, options: ChokidarOptions): FSWatcher => {
    polled.push(options.usePolling === true)
    const watcher = watch(path, { ...options, interval: 50 })
    if (!options.usePolling) {
      const error = Object.assign(new Error('no space left on device, watch'), { code: 'ENOSPC' })
      setImmediate(() => watcher.emit('error', error))
    }
    return watcher
  }
  const fixture = await open(t, ['a/init.lua'], { watch: limited })
  await until('it polls', () => polled.includes(true) && fixture.sweeps() > 0)
  assert.match(fixture.log.join(), /max_user_watches|no more file watches/)
  await until('a change is found', async () => {
    await fixture.write('a/init.lua')
    return fixture.changed.includes('a')
  })
  assert.deepEqual(polled, [false, true], 'once')
})

test('opens again after any other error', async (t) => {
  let opened = 0
  const failing = (path: string, options: ChokidarOptions): FSWatcher => {
    opened += 1
    const watcher = watch(path, options)
    if (opened === 1) setImmediate(() => watcher.emit('error', new Error('odd')))
    return watcher
  }
  const fixture = await open(t, ['a/init.lua'], { watch: failing })
  await until('it is opened again', () => opened === 2)
  fixture.changed.length = 0
  // Nothing tells when the second watch is on: a change before that is not told of.
  await until('a is told', async () => {
    await fixture.write('a/init.lua')
    await rest()
    return fixture.changed.includes('a')
  })
})
