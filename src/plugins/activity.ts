import type { PluginObserver } from './plugin-observer.js'

/** What has gone wrong with a plugin since the host started, over all its generations. */
export interface ActivityRecord {
  /** Times that its breaker opened. */
  readonly trips: number
  /** RFC 3339; undefined when it never did. */
  readonly lastTripAt: string | undefined
  /** Calls that were stopped by their budget, by code. */
  readonly budgetKills: Readonly<Record<string, number>>
  /** The last call or load that failed; undefined when none did. */
  readonly lastError: { readonly type: string; readonly at: string } | undefined
}

interface Notes {
  trips: number
  lastTripMs: number
  readonly budgetKills: Map<string, number>
  lastErrorMs: number
  lastErrorType: string
}

/** Keeps in mind, for operators, what has gone wrong with each plugin, and tells the metrics. Nothing of it is stored. */
export class PluginActivity {
  readonly #notes = new Map<string, Notes>()
  readonly #now: () => Date
  readonly #observer: PluginObserver

  /**
   * @param now The time of day.
   * @param observer Told of each thing as it happens; nobody is when missing.
   */
  constructor(now: () => Date, observer: PluginObserver = {}) {
    this.#now = now
    this.#observer = observer
  }

  noteReload(plugin: string, status: 'success' | 'error'): void {
    if (status === 'error') this.noteError(plugin, 'PLUGIN_LOAD_FAILED')
    this.#observer.reloaded?.(plugin, status)
  }

  noteTrip(plugin: string): void {
    const notes = this.#notesOf(plugin)
    notes.trips += 1
    notes.lastTripMs = this.#now().getTime()
    this.#observer.breakerTripped?.(plugin)
  }

  noteBudgetKill(plugin: string, code: string): void {
    const { budgetKills } = this.#notesOf(plugin)
    budgetKills.set(code, (budgetKills.get(code) ?? 0) + 1)
  }

  noteError(plugin: string, type: string): void {
    const notes = this.#notesOf(plugin)
    notes.lastErrorMs = this.#now().getTime()
    notes.lastErrorType = type
    this.#observer.failed?.(plugin, type)
  }

  of(plugin: string): ActivityRecord {
    const notes = this.#notes.get(plugin)
    return {
      trips: notes?.trips ?? 0,
      lastTripAt: toTime(notes?.lastTripMs),
      budgetKills: Object.fromEntries(notes?.budgetKills ?? []),
      lastError: lastErrorOf(notes),
    }
  }

  #notesOf(plugin: string): Notes {
    let notes = this.#notes.get(plugin)
    if (notes === undefined) {
      notes = { trips: 0, lastTripMs: 0, budgetKills: new Map(), lastErrorMs: 0, lastErrorType: '' }
      this.#notes.set(plugin, notes)
    }
    return notes
  }
}

function lastErrorOf(notes: Notes | undefined): ActivityRecord['lastError'] {
  const at = toTime(notes?.lastErrorMs)
  return at === undefined ? undefined : { type: notes?.lastErrorType ?? '', at }
}

function toTime(timeMs: number | undefined): string | undefined {
  return timeMs === undefined || timeMs === 0 ? undefined : new Date(timeMs).toISOString()
}
