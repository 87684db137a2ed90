import { createHash } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import { type FileHandle, open, readdir, readlink, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { HostError } from '../base/errors.js'
import { migrationLimits, pluginSourceLimits } from '../base/limits/plugins.js'
import type { PluginSource } from '../sandbox/generation.js'
import { pluginSourceInvalid } from './errors.js'

/** The files of one plugin as they were read once, with their fingerprint. */
export interface ReadSource {
  readonly source: PluginSource
  /** Text of each file `migrations/*.sql`, by its path. */
  readonly sqlFiles: ReadonlyMap<string, string>
  /** SHA-256 in hex over path, size and bytes of every Lua file and migration, in the order of the paths. */
  readonly contentHash: string
}

/** Folder of the tests of a plugin; see `src/harness/`. */
export const testFolder = 'test'

/** Folder of the migrations of a plugin; see `migrations/`. */
const migrationFolder = 'migrations'

/** A file on its way into the source. */
interface SourceFile {
  /** Path inside the plugin folder, with `/`. */
  readonly path: string
  readonly bytes: Buffer
}

/**
 * Reads all Lua files of a plugin folder, sub-folders included, and its migrations exactly once: what is hashed is what runs. Its tests,
 * in `test/`, are not part of it: nothing there ever runs in a host that serves, and editing them changes no approval.
 * Names that start with a dot (swap files, version control, editor stubs) are not part of a plugin. The folder
 * itself may be a symbolic link that the operator has set; inside it none is followed.
 *
 * @param directory The plugin directory.
 * @param folder Name of the plugin's folder in it.
 * @throws HostError PLUGIN_SOURCE_INVALID with the reason.
 */
export async function readPluginSource(directory: string, folder: string): Promise<ReadSource> {
  try {
    const root = await realpath(join(directory, folder))
    const files = await readFiles(root, folder)
    return {
      source: { folder, files: decodeFiles(files.filter(isLua), folder) },
      sqlFiles: decodeFiles(
        files.filter((file) => !isLua(file)),
        folder,
      ),
      contentHash: hashFiles(files),
    }
  } catch (error) {
    if (error instanceof HostError) throw error
    throw refuse(folder, describeSystemError(error), error)
  }
}

function isLua({ path }: SourceFile): boolean {
  return path.endsWith('.lua')
}

async function readFiles(root: string, folder: string): Promise<readonly SourceFile[]> {
  const paths = await listFiles(root, folder)
  if (!paths.includes('init.lua')) throw refuse(folder, 'it has no init.lua')
  const files: SourceFile[] = []
  let bytesLeft: number = pluginSourceLimits.bytesMax
  for (const path of paths) {
    const bytes = await readFile(root, path, folder, bytesLeft)
    bytesLeft -= bytes.byteLength
    files.push({ path, bytes })
  }
  return files
}

/** Walks the folder and gives the paths of its Lua files and migrations in the order of their code units. */
async function listFiles(root: string, folder: string): Promise<readonly string[]> {
  const lua: string[] = []
  const migrations: string[] = []
  const waiting = [{ prefix: '', depth: 1 }]
  let entries = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { prefix, depth } = next
    if (depth > pluginSourceLimits.depthMax) {
      throw refuse(folder, `${prefix} is nested deeper than ${pluginSourceLimits.depthMax} folders`)
    }
    for (const entry of await readdir(join(root, prefix), { withFileTypes: true })) {
      entries += 1
      if (entries > pluginSourceLimits.entriesMax) {
        throw refuse(folder, `it holds more than ${pluginSourceLimits.entriesMax} files and folders`)
      }
      const path = `${prefix}${entry.name}`
      if (path === testFolder) continue
      const kind = classify(entry, path, folder)
      if (kind === 'folder') waiting.push({ prefix: `${path}/`, depth: depth + 1 })
      if (kind === 'lua') lua.push(path)
      if (kind === 'migration') migrations.push(path)
    }
  }
  if (lua.length > pluginSourceLimits.filesMax) {
    throw refuse(folder, `it has ${lua.length} Lua files; the limit is ${pluginSourceLimits.filesMax}`)
  }
  if (migrations.length > migrationLimits.countMax) {
    throw refuse(folder, `it has ${migrations.length} migrations; the limit is ${migrationLimits.countMax}`)
  }
  return [...lua, ...migrations].sort()
}

function classify(entry: Dirent, path: string, folder: string): 'folder' | 'lua' | 'migration' | 'other' {
  if (entry.name.startsWith('.')) return 'other'
  if (entry.isSymbolicLink()) {
    throw refuse(folder, `${path} is a symbolic link; copy what it points to into the plugin instead`)
  }
  if (entry.isDirectory()) return 'folder'
  const isMigration = path === `${migrationFolder}/${entry.name}` && entry.name.endsWith('.sql')
  if (!(isMigration || entry.name.endsWith('.lua'))) return 'other'
  if (!entry.isFile()) throw refuse(folder, `${path} is not a regular file`)
  return isMigration ? 'migration' : 'lua'
}

async function readFile(root: string, path: string, folder: string, bytesLeft: number): Promise<Buffer> {
  const absolute = join(root, path)
  // O_NONBLOCK: a pipe put in the file's place must not hold up the host.
  const handle = await open(absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const before = await handle.stat()
    if (!before.isFile()) throw refuse(folder, `${path} is not a regular file`)
    // A folder on the way may have been replaced by a link between listing and opening.
    const opened = await pathOf(handle, absolute)
    if (opened.endsWith(' (deleted)')) throw refuseChanging(folder, path)
    if (opened !== `${root}${sep}${path.replaceAll('/', sep)}`) {
      throw refuse(folder, `${path} does not lie in the plugin's folder`)
    }
    if (before.size > bytesLeft) {
      throw refuse(folder, `its files are larger than ${pluginSourceLimits.bytesMax} bytes together`)
    }
    const bytes = await readExactly(handle, before.size)
    const after = await handle.stat()
    if (bytes === undefined || after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
      throw refuseChanging(folder, path)
    }
    return bytes
  } finally {
    await handle.close()
  }
}

/** Where the opened file lies. Linux says it of the file itself, whatever stands under its path by then. */
async function pathOf({ fd }: FileHandle, path: string): Promise<string> {
  return readlink(`/proc/self/fd/${fd}`).catch(() => realpath(path))
}

function refuseChanging(folder: string, path: string): HostError {
  return refuse(folder, `${path} changed while it was read; reload when it is written completely`)
}

/** Reads so many bytes; undefined when the file has become shorter. */
async function readExactly(handle: FileHandle, size: number): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafe(size)
  let filled = 0
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled, filled)
    if (bytesRead === 0) return undefined
    filled += bytesRead
  }
  return bytes
}

function decodeFiles(files: readonly SourceFile[], folder: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const { path, bytes } of files) {
    try {
      texts.set(path, new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch (error) {
      throw refuse(folder, `${path} is not UTF-8 text; save it as UTF-8`, error)
    }
  }
  return texts
}

function hashFiles(files: readonly SourceFile[]): string {
  const hash = createHash('sha256')
  // A NUL cannot be part of a path, and the size ends the bytes: no two sets of files give one input.
  for (const { path, bytes } of files) hash.update(`${path}\0${bytes.byteLength}\0`).update(bytes)
  return hash.digest('hex')
}

function refuse(folder: string, reason: string, cause?: unknown): HostError {
  return pluginSourceInvalid({ folder, reason }, { cause })
}

/** Says what the operating system refused without the absolute path, which is the operator's own business. */
function describeSystemError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  if (code === 'ENOENT')
    return 'a file or the folder itself vanished while it was read; reload when it is complete'
  if (code === 'EACCES' || code === 'EPERM')
    return 'the host may not read a file of it; check the permissions'
  if (code === 'ELOOP') return 'a file was replaced by a symbolic link while it was read'
  return `it cannot be read (${code ?? 'unknown error'})`
}
