import type { PluginLog } from '../plugin-log.js'
import { FolderEvents } from './folder-events.js'
import { type ChangeOutcome, ReloadSchedule, type ReloadTimes } from './reload-schedule.js'

export interface PluginWatcherOptions extends ReloadTimes {
  /** The plugin directory. */
  readonly directory: string
  readonly log: PluginLog
  /** Brings the host up to date with a folder; called for one folder never twice at once. */
  apply(folder: string): Promise<ChangeOutcome>
  /** Names of all folders that there are or were. */
  folders(): Promise<readonly string[]>
}

/** How the files of a plugin are watched: `paused` after slow loads, until an admin reloads it. */
export type HotReloadState = 'watching' | 'paused'

/** Watches the plugin directory and has changed plugins loaded. */
export class PluginWatcher {
  readonly #schedule: ReloadSchedule
  readonly #events: FolderEvents

  constructor(options: PluginWatcherOptions) {
    const { directory, log } = options
    const schedule = new ReloadSchedule(options)
    this.#schedule = schedule
    this.#events = new FolderEvents({
      directory,
      log,
      changed: (folder) => schedule.changed(folder),
      allChanged: () => {
        // A directory that cannot be read at this moment is looked at again when it changes.
        void options.folders().then(
          (folders) => {
            for (const folder of folders) schedule.changed(folder)
          },
          () => undefined,
        )
      },
    })
  }

  /** Begins to watch, and looks once at every folder. */
  open(): void {
    void this.#events.open()
  }

  stateOf(folder: string): HotReloadState {
    return this.#schedule.isPaused(folder) ? 'paused' : 'watching'
  }

  /** To be told that an admin has reloaded the plugin of a folder. */
  resume(folder: string): void {
    this.#schedule.resume(folder)
  }

  /** Stops watching; waits for loads that run. Never rejects. */
  async close(): Promise<void> {
    await this.#events.close()
    await this.#schedule.close()
  }
}
