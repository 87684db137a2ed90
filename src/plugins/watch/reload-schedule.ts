import { messageOf } from '../../base/errors.js'
import { lifecycleLimits, watchLimits } from '../../base/limits/plugins.js'
import type { PluginLog } from '../plugin-log.js'

/** What came of a change in a folder. */
export type ChangeOutcome =
  /** Its plugin was loaded again, or for the first time. */
  | 'loaded'
  /** It could not be loaded; what served before goes on. */
  | 'failed'
  /** There was nothing to load: the code is the same, or the plugin is disabled. */
  | 'unchanged'
  /** The folder belongs to no plugin any more. */
  | 'gone'

export interface ReloadTimes {
  /** Time for which the files must rest; above 50 ms, as what follows a change within them is not told of. */
  readonly debounceMs: number
  /** Least time between two loads of one folder; 0 for none. */
  readonly cooldownMs: number
  /** A load that takes longer is slow; `watchLimits.slowReloadMs` when missing. */
  readonly slowMs?: number
}

export interface ReloadScheduleOptions extends ReloadTimes {
  readonly log: PluginLog
  /** Brings the host up to date with a folder. */
  apply(folder: string): Promise<ChangeOutcome>
}

/**
 * What is known of a folder:
 *
 *   idle ─▶ pending (waits for rest, and for the end of the cooldown) ─▶ running ─▶ idle | pending
 *                                                                          └─▶ paused (after slow loads)
 *
 * A change during any of them sets `isPending`, so that none is lost: it is loaded later.
 */
interface WatchedFolder {
  isPending: boolean
  isRunning: boolean
  isPaused: boolean
  /** When the oldest change came that has not been loaded. */
  pendingSinceMs: number
  cooldownEndMs: number
  slowLoads: number
  timer: NodeJS.Timeout | undefined
}

/** Decides when the change of a folder is loaded: bursts become one load, a few folders load at a time. */
export class ReloadSchedule {
  readonly #options: ReloadScheduleOptions
  readonly #folders = new Map<string, WatchedFolder>()
  readonly #running = new Set<Promise<void>>()
  /** Folders that are due and wait for others to finish. */
  readonly #due: string[] = []
  #closed = false

  constructor(options: ReloadScheduleOptions) {
    this.#options = options
  }

  /** Notes that something in a folder has changed. */
  changed(folder: string): void {
    if (this.#closed) return
    const state = this.#folders.get(folder) ?? this.#add(folder)
    if (!state.isPending) state.pendingSinceMs = performance.now()
    state.isPending = true
    this.#arm(folder, state)
  }

  /** True after slow loads: changes of the folder are noted, and loaded when it is resumed. */
  isPaused(folder: string): boolean {
    return this.#folders.get(folder)?.isPaused === true
  }

  /** Ends the pause of a folder. */
  resume(folder: string): void {
    const state = this.#folders.get(folder)
    if (state === undefined) return
    state.isPaused = false
    state.slowLoads = 0
    if (state.isPending) this.#arm(folder, state)
  }

  /** Loads nothing more. Resolves when what runs has ended; never rejects. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { timer } of this.#folders.values()) clearTimeout(timer)
    this.#due.length = 0
    await Promise.all(this.#running)
  }

  #add(folder: string): WatchedFolder {
    const state: WatchedFolder = {
      isPending: false,
      isRunning: false,
      isPaused: false,
      pendingSinceMs: 0,
      cooldownEndMs: 0,
      slowLoads: 0,
      timer: undefined,
    }
    this.#folders.set(folder, state)
    return state
  }

  #arm(folder: string, state: WatchedFolder): void {
    clearTimeout(state.timer)
    if (state.isRunning || state.isPaused || this.#closed) return
    const nowMs = performance.now()
    const { debounceMs } = this.#options
    const restMs = Math.min(debounceMs, state.pendingSinceMs + debounceMs * watchLimits.debouncesMax - nowMs)
    const waitMs = Math.max(0, restMs, state.cooldownEndMs - nowMs)
    state.timer = setTimeout(() => this.#start(folder, state), waitMs)
  }

  #start(folder: string, state: WatchedFolder): void {
    if (this.#running.size >= lifecycleLimits.parallelMax) {
      if (!this.#due.includes(folder)) this.#due.push(folder)
      return
    }
    if (this.#closed || state.isRunning) return
    const run = this.#run(folder, state).then(() => {
      this.#running.delete(run)
      const next = this.#due.shift()
      const waiting = next === undefined ? undefined : this.#folders.get(next)
      if (next !== undefined && waiting !== undefined) this.#start(next, waiting)
    })
    this.#running.add(run)
  }

  async #run(folder: string, state: WatchedFolder): Promise<void> {
    state.isRunning = true
    state.isPending = false
    const startedMs = performance.now()
    const outcome = await this.#apply(folder)
    const endedMs = performance.now()
    state.isRunning = false
    if (outcome === 'loaded' || outcome === 'failed') {
      state.cooldownEndMs = endedMs + this.#options.cooldownMs
      this.#judge(folder, state, endedMs - startedMs)
    }
    if (state.isPending) this.#arm(folder, state)
    else if (outcome === 'gone') this.#folders.delete(folder)
  }

  async #apply(folder: string): Promise<ChangeOutcome> {
    try {
      return await this.#options.apply(folder)
    } catch (error) {
      this.#options.log.error(
        { folder, error: messageOf(error) },
        'a changed plugin folder could not be loaded',
      )
      return 'failed'
    }
  }

  #judge(folder: string, state: WatchedFolder, tookMs: number): void {
    if (tookMs <= (this.#options.slowMs ?? watchLimits.slowReloadMs)) {
      state.slowLoads = 0
      return
    }
    state.slowLoads += 1
    if (state.slowLoads < watchLimits.slowReloadsMax) return
    state.isPaused = true
    this.#options.log.warn(
      { folder, loads: state.slowLoads, last_ms: Math.round(tookMs) },
      'hot reload of a plugin is paused: its last loads were too slow; `modulacms plugin reload` ends the pause',
    )
  }
}
