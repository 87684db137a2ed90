import type { Stats } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { type ChokidarOptions, type FSWatcher, watch } from 'chokidar'
import { messageOf } from '../../base/errors.js'
import { pluginSourceLimits, watchLimits } from '../../base/limits.js'
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
 * Turns what happens in the file system into names of plugin folders. Looks at Lua files only, not at tests and not
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
      void this.#followLinks()
      this.#options.allChanged()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#reopenTimer)
    await this.#watcher?.close()
  }

  #notice(event: string, path: string): void {
    if (this.#closed) return
    if (event === 'unlink' || event === 'unlinkDir') this.#paths.delete(path)
    if (path === this.#directory) {
      // Whoever watches a directory that is replaced watches the old one.
      if (event === 'unlinkDir') this.#reopen('the plugin directory has gone')
      return
    }
    const place = this.#placeOf(path)
    if (place === undefined) return
    if (place.inside === '') {
      if (event !== 'change') void this.#followLinks()
    } else if (place.inside.startsWith(testFolder)) return
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
    if (stats === undefined) return false
    // Of a link directly in the plugin directory it counts that it comes and goes.
    if (place.inside === '') return !(stats.isDirectory() || stats.isSymbolicLink())
    if (!(stats.isDirectory() || (stats.isFile() && absolute.endsWith('.lua')))) return true
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

  /** Watches the folders that links in the plugin directory lead to. */
  async #followLinks(): Promise<void> {
    const watcher = this.#watcher
    try {
      for (const entry of await readdir(this.#directory, { withFileTypes: true })) {
        if (!entry.isSymbolicLink() || entry.name.startsWith('.')) continue
        if (this.#links.size >= watchLimits.linksMax) return
        const target = await realpath(join(this.#directory, entry.name)).catch(() => undefined)
        if (target === undefined || this.#links.has(target) || watcher !== this.#watcher || this.#closed)
          continue
        if (!relative(this.#directory, target).startsWith('..')) continue
        this.#links.set(target, entry.name)
        watcher?.add(target)
      }
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'the plugin directory cannot be looked into')
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
    void old?.close()
    void this.open()
  }
}

function split(path: string): { readonly folder: string; readonly inside: string } {
  const [folder = '', ...rest] = path.split(sep)
  return { folder, inside: rest.join('/') }
}

function toSlashes(path: string): string {
  return path.replaceAll(sep, '/')
}
