import { watch } from 'chokidar'

/** A folder that is watched. */
export interface FolderWatch {
  close(): Promise<void>
}

export interface FolderWatchOptions {
  /** Time without a further change after which `changed` is called. */
  readonly settleMs: number
  /** Several changes in a row are one. */
  changed(): void
}

/**
 * Watches the Lua files and migrations of a plugin folder, its tests included; resolves when every change from then on is seen. What
 * `watch/` watches is a whole plugin directory, of which tests are no part, and for as long as a host runs.
 */
export async function watchFolder(folder: string, options: FolderWatchOptions): Promise<FolderWatch> {
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(folder, {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path, stats) => stats?.isFile() === true && !/\.(?:lua|sql)$/.test(path),
  })
  watcher.on('all', () => {
    clearTimeout(timer)
    timer = setTimeout(options.changed, options.settleMs)
  })
  await new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve)
    watcher.once('error', reject)
  })
  return {
    close: async () => {
      clearTimeout(timer)
      await watcher.close()
    },
  }
}
