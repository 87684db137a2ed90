import type { Stats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { type ChokidarOptions, type FSWatcher, watch } from 'chokidar'
import { messageOf } from '../../base/errors.js'
import { pluginSourceLimits, watchLimits } from '../../base/limits/plugins.js'
import type { PluginLog } from '../plugin-log.js'
import { testFolder } from '../source.js'

export interface FolderEventsOptions {
  /** The plugin directory. */
  readonly directory: string
  readonly log: PluginLog
  /** Looks at the files now and then instead of being told; false when missing. */
  readonly polling?: boolean
  /** Time between two such looks; `watchLimits.pollMs` when missing. */
  readonly pollMs?: number
  /** Chokidar's `watch`, to be replaced where its failures are tested. */
  readonly watch?: (path: string, options: ChokidarOptions) => FSWatcher
  /** Told the name of a plugin folder in which code was written, added or removed. */
  changed(folder: string): void
  /** Told that any folder may have changed: the watch begins, or events were lost. */
  allChanged(): void
}

/** Errors that say that the system has no more watches, or no more files, to give. */
const exhausted: ReadonlySet<unknown> = new Set(['ENOSPC', 'EMFILE', 'ENFILE'])

/**
 * Turns what happens in the file system into names of plugin folders. Looks at Lua files and migrations only, not at tests and not
 * at names that start with a dot. Inside a plugin no link is followed; a folder of the plugin directory may itself
 * be one that the operator has set.
 */
export class FolderEvents {
  readonly #options: FolderEventsOptions
  /** The plugin directory without links on the way. */
  #directory: string
  /** Plugin folders that are links, by the path that they lead to. */
  readonly #links = new Map<string, string>()
  readonly #paths = new Set<string>()
  #watcher: FSWatcher | undefined
  /** Tells the directory that is watched from one that comes in its place. */
  #inode = 0n
  #checkTimer: NodeJS.Timeout | undefined
  #sweepTimer: NodeJS.Timeout | undefined
  #polling: boolean
  #reopenTimer: NodeJS.Timeout | undefined
  #isFullNoted = false
  #isTroubleNoted = false
  #closed = false

  constructor(options: FolderEventsOptions) {
    this.#options = options
    this.#directory = resolve(options.directory)
    this.#polling = options.polling === true
  }

  /** Begins to watch; `allChanged` is called when the watch is on. A directory that is missing is waited for. */
  async open(): Promise<void> {
    try {
      this.#directory = await realpath(this.#options.directory)
      this.#inode = (await stat(this.#directory, { bigint: true })).ino
    } catch (error) {
      this.#reopen(messageOf(error))
      return
    }
    if (!this.#closed) this.#watch()
  }

  #watch(): void {
    this.#isTroubleNoted = false
    this.#links.clear()
    this.#paths.clear()
    const watcher = (this.#options.watch ?? watch)(this.#directory, {
      ignoreInitial: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
      atomic: false,
      depth: pluginSourceLimits.depthMax + 1,
      usePolling: this.#polling,
      interval: this.#options.pollMs ?? watchLimits.pollMs,
      ignored: (path, stats) => this.#isIgnored(path, stats),
    })
    this.#watcher = watcher
    watcher.on('all', (event, path) => this.#notice(event, resolve(path)))
    watcher.on('error', (error) => this.#failed(watcher, error))
    watcher.on('ready', () => {
      if (watcher !== this.#watcher) return
      void this.#complete()
      this.#options.allChanged()
    })
    this.#checkTimer ??= setInterval(() => void this.#check(), watchLimits.checkMs).unref()
    this.#sweepTimer ??= setInterval(() => this.#options.allChanged(), watchLimits.sweepMs).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#reopenTimer)
    clearInterval(this.#checkTimer)
    clearInterval(this.#sweepTimer)
    await this.#watcher?.close()
  }

  #notice(event: string, path: string): void {
    if (this.#closed) return
    if (event === 'unlink' || event === 'unlinkDir') this.#paths.delete(path)
    if (path === this.#directory) {
      if (event === 'unlinkDir') this.#reopen('the plugin directory has gone')
      return
    }
    const place = this.#placeOf(path)
    if (place === undefined) return
    if (place.inside === '') {
      if (event !== 'change') void this.#complete()
    } else if (place.inside.startsWith(`${testFolder}/`)) return
    this.#options.changed(place.folder)
  }

  /** Says in which plugin folder a path lies, and where in it. */
  #placeOf(path: string): { readonly folder: string; readonly inside: string } | undefined {
    const own = relative(this.#directory, path)
    if (own !== '' && !own.startsWith('..')) return split(own)
    for (const [target, folder] of this.#links) {
      if (path === target) return { folder, inside: '' }
      if (path.startsWith(`${target}${sep}`)) return { folder, inside: toSlashes(relative(target, path)) }
    }
    return undefined
  }

  #isIgnored(path: string, stats: Stats | undefined): boolean {
    const absolute = resolve(path)
    if (absolute === this.#directory || this.#links.has(absolute)) return false
    const place = this.#placeOf(absolute)
    if (place === undefined) return true
    const segments = place.inside === '' ? [place.folder] : place.inside.split('/')
    if (segments.some((segment) => segment.startsWith('.') || segment === 'node_modules')) return true
    if (stats === undefined || stats.isSymbolicLink()) return false
    if (place.inside === '') return !stats.isDirectory()
    if (!(stats.isDirectory() || (stats.isFile() && /\.(?:lua|sql)$/.test(absolute)))) return true
    return !this.#admits(absolute)
  }

  #admits(path: string): boolean {
    if (this.#paths.has(path)) return true
    if (this.#paths.size < watchLimits.pathsMax) {
      this.#paths.add(path)
      return true
    }
    if (!this.#isFullNoted) {
      this.#isFullNoted = true
      this.#options.log.warn(
        { files: watchLimits.pathsMax },
        'the plugin directory holds too many files to watch; those beyond are reloaded by order only',
      )
    }
    return false
  }

  /**
   * Watches what the watcher does not find by itself: folders that links in the plugin directory lead to, and those
   * that came between its look at the directory and the begin of its watch.
   */
  async #complete(): Promise<void> {
    const watcher = this.#watcher
    try {
      const entries = await readdir(this.#directory, { withFileTypes: true })
      const watched = new Set(watcher?.getWatched()[this.#directory])
      for (const entry of entries) {
        if (watcher !== this.#watcher || this.#closed) return
        if (entry.name.startsWith('.')) continue
        if (entry.isSymbolicLink()) await this.#followLink(watcher, entry.name)
        else if (entry.isDirectory() && !watched.has(entry.name)) this.#add(watcher, entry.name)
      }
    } catch (error) {
      this.#reopen(messageOf(error))
    }
  }

  #add(watcher: FSWatcher | undefined, folder: string): void {
    watcher?.add(join(this.#directory, folder))
    this.#options.changed(folder)
  }

  async #followLink(watcher: FSWatcher | undefined, folder: string): Promise<void> {
    if (this.#links.size >= watchLimits.linksMax) return
    const target = await realpath(join(this.#directory, folder)).catch(() => undefined)
    if (target === undefined || this.#links.has(target) || watcher !== this.#watcher || this.#closed) return
    // What lies in the plugin directory is watched under its own name.
    if (!relative(this.#directory, target).startsWith('..')) return
    this.#links.set(target, folder)
    watcher?.add(target)
  }

  /** Whoever watches a directory that is replaced still watches the old one, and is not told. */
  async #check(): Promise<void> {
    const watcher = this.#watcher
    if (watcher === undefined || this.#reopenTimer !== undefined) return
    try {
      const { ino } = await stat(this.#options.directory, { bigint: true })
      if (watcher === this.#watcher && ino !== this.#inode) this.#restart()
      else await this.#complete()
    } catch (error) {
      this.#reopen(messageOf(error))
    }
  }

  #failed(watcher: FSWatcher, error: unknown): void {
    if (this.#closed || watcher !== this.#watcher) return
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (exhausted.has(code) && !this.#polling) {
      this.#polling = true
      this.#options.log.warn(
        { code },
        'the system has no more file watches to give (fs.inotify.max_user_watches): files are looked at every few seconds instead',
      )
      this.#restart()
      return
    }
    this.#reopen(messageOf(error))
  }

  #reopen(reason: string): void {
    if (this.#reopenTimer !== undefined || this.#closed) return
    if (!this.#isTroubleNoted)
      this.#options.log.warn({ reason }, 'the plugin directory cannot be watched; trying again')
    this.#isTroubleNoted = true
    this.#reopenTimer = setTimeout(() => {
      this.#reopenTimer = undefined
      this.#restart()
    }, watchLimits.reopenMs)
  }

  #restart(): void {
    const old = this.#watcher
    this.#watcher = undefined
    // One after the other: watchers of one process share what the system gives them for a path.
    void Promise.resolve(old?.close()).then(() => this.open())
  }
}

function split(path: string): { readonly folder: string; readonly inside: string } {
  const [folder = '', ...rest] = path.split(sep)
  return { folder, inside: rest.join('/') }
}

function toSlashes(path: string): string {
  return path.replaceAll(sep, '/')
}
