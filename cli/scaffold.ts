import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Reads the LuaLS stubs as files of `.luals/`; none when the folder does not exist. */
export async function readStubs(directory: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(directory).catch(() => [])
  const stubs = new Map<string, string>()
  for (const name of names.filter((name) => name.endsWith('.lua')).sort()) {
    stubs.set(`.luals/${name}`, await readFile(join(directory, name), 'utf8'))
  }
  return stubs
}

/**
 * Writes a folder of files, whole or not at all: a server that watches the directory never sees half of a plugin.
 *
 * @param files Text of each file by its path in the folder.
 */
export async function writeScaffold(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  const parent = dirname(directory)
  await mkdir(parent, { recursive: true, mode: 0o750 })
  const draft = await mkdtemp(join(parent, '.init-'))
  try {
    for (const [path, text] of files) {
      const file = join(draft, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text, { flag: 'wx' })
    }
    await rename(draft, directory)
  } catch (thrown) {
    await rm(draft, { recursive: true, force: true })
    throw thrown
  }
}
