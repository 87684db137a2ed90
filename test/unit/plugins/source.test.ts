import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { pluginSourceLimits } from '../../../src/base/limits/plugins.js'
import { discoverFolders } from '../../../src/plugins/discovery.js'
import { readPluginSource } from '../../../src/plugins/source.js'

let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modulacms-source-'))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

async function write(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true })
  await writeFile(join(directory, path), content)
}

function refuses(reason: RegExp, folder = 'a'): Promise<void> {
  return assert.rejects(readPluginSource(directory, folder), {
    code: 'PLUGIN_SOURCE_INVALID',
    message: reason,
  })
}

describe('readPluginSource', () => {
  it('reads the Lua files of all folders but the tests, and nothing else', async () => {
    await write('a/init.lua', '\ufeffreturn 1')
    await write('a/lib/One.lua', 'upper')
    await write('a/lib/one.lua', 'lower')
    await write('a/test/deep/x.test.lua', 'test')
    await write('a/README.md', 'text')
    await write('a/.git/hook.lua', 'hidden')
    await write('a/.#init.lua', 'swap file')
    const { source } = await readPluginSource(directory, 'a')
    assert.deepEqual(
      [...source.files],
      [
        ['init.lua', 'return 1'],
        ['lib/One.lua', 'upper'],
        ['lib/one.lua', 'lower'],
      ],
    )
  })

  it('changes its hash with any Lua file, in any folder, and with nothing else', async () => {
    await write('a/init.lua', 'x')
    await write('a/lib/m.lua', 'y')
    const first = (await readPluginSource(directory, 'a')).contentHash
    assert.match(first, /^[0-9a-f]{64}$/)
    await write('a/notes.txt', 'z')
    await write('a/test/a.test.lua', 'tests are not part of what is approved')
    assert.equal((await readPluginSource(directory, 'a')).contentHash, first)
    await rename(join(directory, 'a'), join(directory, 'b'))
    assert.equal((await readPluginSource(directory, 'b')).contentHash, first)
    await write('b/lib/m.lua', 'Y')
    const edited = (await readPluginSource(directory, 'b')).contentHash
    assert.notEqual(edited, first)
    await write('b/lib/m.lua', 'y')
    await rename(join(directory, 'b/lib/m.lua'), join(directory, 'b/lib/n.lua'))
    assert.notEqual((await readPluginSource(directory, 'b')).contentHash, first)
  })

  it('refuses symbolic links to files and folders inside the plugin', async () => {
    await write('other/secret.lua', 'secret')
    await write('a/init.lua', 'x')
    await symlink(join(directory, 'other/secret.lua'), join(directory, 'a/stolen.lua'))
    await refuses(/stolen\.lua is a symbolic link/)
    await rm(join(directory, 'a/stolen.lua'))
    await symlink(join(directory, 'other'), join(directory, 'a/lib'))
    await refuses(/lib is a symbolic link/)
  })

  it('follows a link that stands for the folder itself', async () => {
    await write('elsewhere/init.lua', 'x')
    await symlink(join(directory, 'elsewhere'), join(directory, 'a'))
    assert.equal((await readPluginSource(directory, 'a')).source.folder, 'a')
  })

  it('refuses files that are no text, too many files and too many bytes, and says how many', async () => {
    await write('a/init.lua', Buffer.from([0x80]))
    await refuses(/init\.lua is not UTF-8/)
    await write('a/init.lua', Buffer.alloc(pluginSourceLimits.bytesMax))
    await readPluginSource(directory, 'a')
    await write('a/one.lua', 'x')
    await refuses(/larger than 10485760 bytes/)
    await write('a/init.lua', '')
    for (let n = 0; n < pluginSourceLimits.filesMax; n++) await write(`a/f${n}.lua`, '')
    await refuses(/102 Lua files; the limit is 100/)
  })

  it('does not hang on a folder that is called init.lua, and names what is missing without the path', async () => {
    await mkdir(join(directory, 'a/init.lua'), { recursive: true })
    await refuses(/no init\.lua/)
    await assert.rejects(readPluginSource(directory, 'ghost'), (error: Error) => {
      assert.match(error.message, /ghost.*vanished/)
      assert.ok(!error.message.includes(directory))
      return true
    })
  })
})

describe('discoverFolders', () => {
  it('lists folders with an init.lua in order, one level deep', async () => {
    await write('b/init.lua', '')
    await write('a/init.lua', '')
    await write('none/readme.md', '')
    await write('deep/inner/init.lua', '')
    await write('.hidden/init.lua', '')
    await write('init.lua', '')
    await symlink('/etc', join(directory, 'etc'))
    await symlink(join(directory, 'nowhere'), join(directory, 'dangling'))
    assert.deepEqual(await discoverFolders(directory, { create: false }), ['a', 'b'])
  })

  it('creates a missing directory when it may, and is an error otherwise', async () => {
    const missing = join(directory, 'plugins')
    await assert.rejects(discoverFolders(missing, { create: false }), { code: 'PLUGIN_DIRECTORY_UNREADABLE' })
    assert.deepEqual(await discoverFolders(missing, { create: true }), [])
    assert.deepEqual(await discoverFolders(missing, { create: false }), [])
  })

  it('never takes an unreadable directory for an empty one', async () => {
    await write('file', '')
    for (const create of [true, false]) {
      await assert.rejects(discoverFolders(join(directory, 'file'), { create }), {
        code: 'PLUGIN_DIRECTORY_UNREADABLE',
      })
    }
  })
})
