import { ulid } from 'ulid'
import type { HookRow, HookRunner } from '../../content/hook-runner.js'
import { type WriteEvent, writeEvents } from '../../content/hook-runner.js'
import type { CoreDatabase } from '../../database/database.js'
import { pluginsClosing } from '../errors.js'
import { hookEventUnknown, hookRowInvalid } from './errors.js'

/** What an application says of a write to a table of its own. */
export interface EmbeddedHookOptions {
  /** The row as it was; left out for a new one. */
  readonly old?: HookRow
  /** Name of the user who writes; nobody when left out. */
  readonly actor?: string
  /** Stands in log lines; made up when left out. */
  readonly requestId?: string
}

/** The hooks of plugins for tables that an application keeps by itself. */
export interface EmbeddedHooks {
  /**
   * Runs the hooks of an event on a row of plain JSON values by column.
   *
   * A `before_…` event runs the hooks at once and resolves to the row as they left it; check it again before you store
   * it, and never call this inside a transaction. An `after_…` event stores what is owed to the hooks and resolves when
   * that is safe on disk; they run soon, at least once.
   *
   * @param event `before_` or `after_` and create, update, delete, publish or archive.
   * @param table Any name; plugins register for it with `hooks.on(event, table, ...)`.
   * @throws HostError HOOK_VETOED (422) naming the plugin, HOOK_UNAVAILABLE (503), HOOK_ROW_TOO_LARGE (413),
   *   HOOK_ROW_INVALID and HOOK_EVENT_UNKNOWN (400), DATABASE_BUSY and PLUGINS_CLOSING (503).
   */
  run(event: string, table: string, row: HookRow, options?: EmbeddedHookOptions): Promise<HookRow>
}

/**
 * Creates the hooks for an embedding application.
 *
 * @param isClosing From then on rows are refused: hooks of plugins that have stopped would be skipped in silence.
 */
export function createEmbeddedHooks(
  runner: HookRunner,
  database: CoreDatabase,
  isClosing: () => boolean,
): EmbeddedHooks {
  return {
    async run(event, table, row, options = {}) {
      if (isClosing()) throw pluginsClosing()
      const { when, write } = parseEvent(event)
      assertRow(row)
      if (options.old !== undefined) assertRow(options.old)
      const hooked = { event: write, table, row, old: options.old }
      const context = { requestId: options.requestId ?? ulid(), actor: options.actor ?? '', depth: 0 }
      if (when === 'before') return runner.before(hooked, context)
      await database.transaction((transaction) => runner.enqueue(transaction, hooked, context))
      runner.committed()
      return row
    },
  }
}

function parseEvent(event: string): { readonly when: 'before' | 'after'; readonly write: WriteEvent } {
  for (const write of writeEvents) {
    if (event === `before_${write}`) return { when: 'before', write }
    if (event === `after_${write}`) return { when: 'after', write }
  }
  const events = writeEvents.flatMap((write) => [`before_${write}`, `after_${write}`]).join(', ')
  throw hookEventUnknown({ event: String(event).slice(0, 64), events })
}

function assertRow(row: unknown): asserts row is HookRow {
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return
  throw hookRowInvalid({ reason: 'it is no object' })
}
