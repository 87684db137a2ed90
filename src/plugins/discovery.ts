import { lstat, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pluginDirectoryUnreadable } from './errors.js'

export interface DiscoveryOptions {
  /** Creates a missing directory (mode 0750), so that a fresh installation starts; otherwise it is an error. */
  readonly create: boolean
}

/**
 * Lists the folders of the plugin directory that hold an `init.lua`, in alphabetical order, one level deep. What
 * starts with a dot is no plugin. A folder that cannot be looked into is listed, so that reading it reports why.
 *
 * @throws HostError PLUGIN_DIRECTORY_UNREADABLE; never an empty list in its place.
 */
export async function discoverFolders(
  directory: string,
  { create }: DiscoveryOptions,
): Promise<readonly string[]> {
  try {
    if (create) await mkdir(directory, { recursive: true, mode: 0o750 })
    const entries = await readdir(directory, { withFileTypes: true })
    const names = entries
      .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isSymbolicLink()))
      .map((entry) => entry.name)
      .sort()
    const found = await Promise.all(names.map((name) => isPluginFolder(join(directory, name))))
    return names.filter((_, index) => found[index])
  } catch (error) {
    throw pluginDirectoryUnreadable({ reason: systemCode(error) ?? 'unknown error' }, { cause: error })
  }
}

async function isPluginFolder(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isDirectory()) return false
    await lstat(join(path, 'init.lua'))
    return true
  } catch (error) {
    const code = systemCode(error)
    return code !== 'ENOENT' && code !== 'ENOTDIR'
  }
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
