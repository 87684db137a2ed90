import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { HostError } from '../../../src/base/errors.js'
import { readPluginSource } from '../../../src/plugins/source.js'

const secret = '-- SECRET OF SOMEBODY ELSE'
const roundsMs = 1500

async function createDirectory(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-source-races-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  await mkdir(join(root, 'plugins/a/lib'), { recursive: true })
  await mkdir(join(root, 'outside'))
  await writeFile(join(root, 'plugins/a/init.lua'), '-- init')
  await writeFile(join(root, 'plugins/a/lib/x.lua'), '-- own')
  await writeFile(join(root, 'outside/x.lua'), secret)
  return root
}

/** Reads the plugin while something is done to it again and again; counts what came of it. */
async function readDuring(
  root: string,
  disturb: () => Promise<void>,
): Promise<{ read: number; refused: number }> {
  const endMs = performance.now() + roundsMs
  const disturbing = (async () => {
    while (performance.now() < endMs) await disturb()
  })()
  const counts = { read: 0, refused: 0 }
  while (performance.now() < endMs) {
    try {
      const { source } = await readPluginSource(join(root, 'plugins'), 'a')
      for (const text of source.files.values())
        assert.ok(!text.includes(secret), 'a text from outside was read')
      counts.read += 1
    } catch (error) {
      assert.ok(error instanceof HostError && error.code === 'PLUGIN_SOURCE_INVALID', String(error))
      assert.ok(!error.message.includes(root), 'the message names no absolute path')
      counts.refused += 1
    }
  }
  await disturbing
  return counts
}

test('reads nothing from outside when a folder becomes a link and back while it is read', async (t) => {
  const root = await createDirectory(t)
  const lib = join(root, 'plugins/a/lib')
  const aside = join(root, 'aside')
  const counts = await readDuring(root, async () => {
    await rename(lib, aside)
    await symlink(join(root, 'outside'), lib)
    await unlink(lib)
    await rename(aside, lib)
  })
  assert.ok(counts.read + counts.refused > 50)
})

test('reads nothing from outside when a file becomes a link and back', async (t) => {
  const root = await createDirectory(t)
  const file = join(root, 'plugins/a/lib/x.lua')
  const aside = join(root, 'aside')
  await readDuring(root, async () => {
    await rename(file, aside)
    await symlink(join(root, 'outside/x.lua'), file)
    await unlink(file)
    await rename(aside, file)
  })
})

test('gives a whole text, or a refusal, when files are written, replaced and deleted while they are read', async (t) => {
  const root = await createDirectory(t)
  const file = join(root, 'plugins/a/lib/x.lua')
  const texts = ['a', 'b'].map((letter) => letter.repeat(200_000))
  let round = 0
  const endMs = performance.now() + roundsMs
  const replacing = (async () => {
    while (performance.now() < endMs) {
      round += 1
      await writeFile(`${file}.new`, texts[round % 2] ?? '')
      await rename(`${file}.new`, file)
      if (round % 5 === 0) await unlink(file)
    }
  })()
  while (performance.now() < endMs) {
    try {
      const { source } = await readPluginSource(join(root, 'plugins'), 'a')
      const text = source.files.get('lib/x.lua')
      assert.ok(text === undefined || text === '-- own' || texts.includes(text), 'the text is whole')
    } catch (error) {
      assert.ok(error instanceof HostError && error.code === 'PLUGIN_SOURCE_INVALID', String(error))
    }
  }
  await replacing
})
